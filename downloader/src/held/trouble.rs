//! A disk that takes no segments, as `/healthz` tells of it. Pure.

use std::time::Duration;

use common::service::Parts;
use tokio::time::Instant;

use super::room::Room;

/// A disk that refused or hung, until it works and nothing waits for it any more.
#[derive(Debug)]
pub(super) struct Trouble {
    since: Instant,
    mood: Mood,
}

/// What the disk did last.
#[derive(Debug)]
enum Mood {
    /// It said this.
    Refuses(String),
    /// It does not answer.
    Hangs,
    /// It answers again after it did not.
    Answers,
}

impl Trouble {
    /// The disk refused for `error`, and may have before.
    pub(super) fn refused(trouble: &mut Option<Self>, error: String, now: Instant) {
        let since = trouble.as_ref().map_or(now, |trouble| trouble.since);
        *trouble = Some(Self { since, mood: Mood::Refuses(error) });
    }

    /// The disk has not answered `since` then.
    pub(super) fn hangs(trouble: &mut Option<Self>, since: Instant) {
        *trouble = Some(Self { since, mood: Mood::Hangs });
    }

    /// The disk answers.
    pub(super) fn answers(trouble: &mut Option<Self>) {
        if let Some(Self { mood: mood @ Mood::Hangs, .. }) = trouble {
            *mood = Mood::Answers;
        }
    }

    /// The line for it; `given_up` counts the segments that were lost to it.
    pub(super) fn report(&self, room: &Room, given_up: u64, now: Instant) -> Parts {
        let lasts: Duration = now.saturating_duration_since(self.since);
        let seconds = lasts.as_secs();
        let (used, limit) = (mebibytes(room.used()), mebibytes(room.limit()));
        let held = format!(
            "{used} of {limit} MiB of memory hold segments that wait, and {given_up} were given up"
        );
        let line = match &self.mood {
            Mood::Refuses(error) => format!(
                "disk: refusing for {seconds} s: {error}; {held}; make room on the disk, or mend it"
            ),
            Mood::Hangs => format!(
                "disk: no answer for {seconds} s; {held}; look at the disk, or at the server that it \
                 is on"
            ),
            Mood::Answers => format!("disk: answers again; {held}"),
        };
        Parts { degraded: true, lines: vec![line] }
    }
}

/// Rounded up, so that what is held is never nothing.
fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
