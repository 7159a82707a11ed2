//! hls.js in a Chromium without a window.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::base::time::Timestamp;
use common::io::process;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::seat::{Event, Seat, Seen};
use crate::support::{PATIENCE, Process};

/// How long a browser may take to say anything, on a machine that is busy.
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);

/// Nothing but what was asked for: no first steps, no updates, no calls home.
const FLAGS: [&str; 12] = [
    "--headless",
    // the tests run as root in a container
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--mute-audio",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
];

/// A page that plays a playlist.
#[derive(Debug)]
pub(super) struct Browser {
    seat: Seat,
    process: Process,
    shown: Mutex<Vec<usize>>,
    _profile: TempDir,
}

impl Browser {
    /// Opens `playlist`.
    pub(super) fn open(playlist: &str) -> Self {
        let seat = Seat::start();
        let profile = tempfile::tempdir().expect("a folder can be made");
        let address = seat.address;
        let query = reqwest::Url::parse_with_params("http://x/", [("playlist", playlist)]);
        let query = query.expect("tests know addresses");
        let mut command = process::command("chromium");
        command.args(FLAGS).arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg(format!("http://{address}/?{}", query.query().unwrap_or_default()));
        let (process, shown) = (Process::start(command), Mutex::default());
        Self { seat, process, shown, _profile: profile }
    }

    /// Goes on playing, `rate` times as fast as it is.
    pub(super) async fn play(&self, rate: u32) -> Seen {
        self.ask(json!({"name": "play", "rate": rate})).await
    }

    /// Opens another playlist in the same player.
    pub(super) async fn load(&self, playlist: &str) -> Seen {
        self.ask(json!({"name": "load", "playlist": playlist})).await
    }

    /// Stops at what was shown at `date` and shows it.
    pub(super) async fn seek(&self, date: Timestamp) -> Seen {
        self.ask(json!({"name": "seek", "date": date.micros() / 1000})).await
    }

    /// What it sees now.
    pub(super) async fn look(&self) -> Seen {
        self.ask(json!({"name": "state"})).await
    }

    /// Waits for the end of what it plays.
    pub(super) async fn until_ended(&self) -> Seen {
        self.until(|seen| seen.ended).await
    }

    /// Waits until it sees what `is_awaited`.
    pub(super) async fn until(&self, is_awaited: impl Fn(&Seen) -> bool) -> Seen {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.look().await;
            if is_awaited(&seen) {
                return seen;
            }
            assert!(Instant::now() < deadline, "it stays at {seen:?} {:#?}", self.errors());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until something goes wrong that the player cannot get over; returns what.
    pub(super) async fn until_fatal(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let fatal = self.errors().into_iter().find_map(|event| match event {
                Event::Error { details, fatal: true, .. } => Some(details),
                _ => None,
            });
            if let Some(details) = fatal {
                return details;
            }
            assert!(Instant::now() < deadline, "no error: {:?}", self.look().await);
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whatever went wrong so far.
    fn errors(&self) -> Vec<Event> {
        let is_error = |event: &Event| matches!(event, Event::Error { .. });
        self.events().into_iter().filter(is_error).collect()
    }

    /// The numbers of the pictures that it showed until it was last asked anything.
    pub(super) fn shown(&self) -> Vec<usize> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happened so far.
    pub(super) fn events(&self) -> Vec<Event> {
        self.seat.events()
    }

    /// How many discontinuities the playlist has before each of its segments, as hls.js read it.
    pub(super) fn breaks(&self) -> Vec<u64> {
        let listed = self.events().into_iter().rev().find_map(|event| match event {
            Event::Loaded { segments, .. } => Some(segments),
            Event::Error { .. } => None,
        });
        listed.unwrap_or_default().iter().map(|segment| segment.discontinuities).collect()
    }

    /// Closes the browser. The player must have stumbled over nothing that it could not get over; what
    /// it got over is printed.
    pub(super) async fn close(self) {
        for event in self.abandon().await {
            if let Event::Error { details, fatal, reason } = event {
                assert!(!fatal, "{details}: {reason}");
                println!("the player got over {details}: {reason}");
            }
        }
    }

    /// Closes the browser, whatever happened in it; returns that.
    pub(super) async fn abandon(mut self) -> Vec<Event> {
        self.process.signal(Signal::TERM);
        self.process.ended(PATIENCE).await;
        self.seat.events()
    }

    async fn ask(&self, command: Value) -> Seen {
        let answer = timeout(ANSWERS_WITHIN, self.seat.ask(command)).await;
        let seen = answer.unwrap_or_else(|_| panic!("{:#?} {:#?}", self.process, self.errors()));
        assert_eq!(seen.corrupted, 0, "{seen:?}");
        let numbers = seen.shown().map(|number| number.unwrap_or_else(|| panic!("{seen:?}")));
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).extend(numbers);
        seen
    }
}
