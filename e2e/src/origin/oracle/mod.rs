//! What is wrong with what a recorder has: a pure function of the script, of what happened, and of
//! what the store and the notes hold.

use std::fmt::Write as _;

use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::Timestamp;

use super::footage::Footage;
use super::held::Held;
use super::record::{Record, SegmentRecord};
use super::script::{Dated, Script};
use super::stream::{Published, Stream};
use super::told::Told;

mod expected;
mod notes;
mod outages;
mod rates;
mod stored;
#[cfg(test)]
mod tests;
mod timely;
mod told;
mod undated;

/// What became of one channel.
#[derive(Debug)]
pub struct Case<'a> {
    /// The channel's name.
    pub name: &'a str,
    /// What it did.
    pub script: &'a Script,
    /// What it published.
    pub stream: &'a Stream,
    /// What happened.
    pub record: &'a Record,
    /// What the recorder has.
    pub held: &'a Held,
    /// What it told just before the stop, if it was asked.
    pub told: Option<&'a Told>,
    /// What all of it shows.
    pub footage: &'a Footage,
    /// What times count from.
    pub epoch: Timestamp,
    /// When the recorder was asked to stop, in milliseconds since the epoch.
    pub stopped: i64,
}

/// A second, in milliseconds: how often a channel may be looked for, and a segment be asked for.
const SECOND: i64 = 1000;
/// How long before the stop a segment must have been published so that anything must be known of it, in
/// milliseconds.
const GRACE: i64 = 6000;
/// From when on a recorder that was started with the origin must follow its channels, in milliseconds.
const FOLLOWED_FROM: i64 = 10_000;

/// What is wrong, each a sentence that names the channel, its seed, and what it is about.
pub fn violations(case: &Case<'_>) -> Vec<String> {
    let mut all = stored::violations(case);
    all.extend(notes::violations(case));
    if case.is_undated() {
        all.extend(undated::violations(case));
    }
    all.extend(rates::violations(case));
    all.extend(timely::violations(case));
    all.extend(told::violations(case));
    let seed = case.script.seed.map(|seed| format!(" (seed {seed})")).unwrap_or_default();
    all.into_iter().map(|problem| format!("{}{seed}: {problem}", case.name)).collect()
}

impl Case<'_> {
    /// When a segment begins by its date.
    fn start(&self, segment: &Published) -> Timestamp {
        self.epoch + TimeDelta::milliseconds(segment.start)
    }

    /// The hash of what is to be stored of it.
    fn hash(&self, segment: &Published) -> ContentHash {
        self.footage.reel(segment.clip).hashes[segment.clip_index]
    }

    /// What happened to it.
    fn record_of(&self, segment: &Published) -> SegmentRecord {
        self.record.segments.get(&segment.index).cloned().unwrap_or_default()
    }

    /// Whether the channel's segments have no place in time but that of their arrival.
    fn is_undated(&self) -> bool {
        self.script.shape.dated == Dated::Never
    }

    /// The first segment that was ever listed.
    fn first_listed(&self) -> i32 {
        let listed = |record: &SegmentRecord| {
            !record.listed.is_empty() || !record.listed_as_advertisement.is_empty()
        };
        let mut all = self.record.segments.iter();
        all.find(|(_, record)| listed(record)).map_or(i32::MAX, |(index, _)| *index)
    }

    /// The segments about which something must be known: from the first one that was ever listed, up to
    /// those that were published just before the stop.
    fn announced(&self) -> impl Iterator<Item = &Published> {
        let (first, until) = (self.first_listed(), self.stopped - GRACE);
        self.stream.segments.iter().filter(move |s| s.index >= first && s.at <= until)
    }

    /// The segments that no list showed before the first that was ever listed, though the recorder should
    /// have followed the channel by then.
    fn unfollowed(&self) -> impl Iterator<Item = &Published> {
        let (first, during) = (self.first_listed(), FOLLOWED_FROM..self.stopped - GRACE);
        let before = move |s: &&Published| s.index < first && during.contains(&s.at) && !s.hidden;
        self.stream.segments.iter().filter(before)
    }

    /// A segment for people.
    fn tell(&self, segment: &Published) -> String {
        let record = self.record_of(segment);
        let mut text = format!(
            "segment {} (number {}, {}, published at {} ms",
            segment.index,
            segment.number,
            self.start(segment),
            segment.at
        );
        if let Some(trouble) = self.script.trouble(segment.index) {
            let _ = write!(text, ", {:?} {:?}", trouble.fault, trouble.until);
        }
        let _ = write!(text, "; {})", record.story());
        text
    }
}
