//! Files that one node does not give as it lists them, and when to ask for them again.
//!
//! A file that is listed and then answered with 404, or with other bytes than its name says, will
//! most likely be so next time. It must not be fetched anew in every pass, but not be given up either.

use std::collections::HashMap;
use std::time::Duration;

use common::io::store::Feed;
use tokio::time::Instant;

use crate::folder::{Entry, Identity};

/// How long the first time.
const SHORTEST: Duration = Duration::from_secs(30);
/// How long at most.
const LONGEST: Duration = Duration::from_hours(1);
/// How many files are remembered; further ones are asked for in every pass.
const REMEMBERED: usize = 10_000;

/// The files of one node that are left alone for a while.
#[derive(Debug, Default)]
pub(crate) struct Setbacks(HashMap<(Feed, Identity), Setback>);

#[derive(Clone, Copy, Debug)]
struct Setback {
    delay: Duration,
    until: Instant,
}

impl Setbacks {
    /// Whether `entry` is to be left alone for now.
    pub(crate) fn holds_back(&self, feed: &Feed, entry: &Entry) -> bool {
        let setback = self.0.get(&(feed.clone(), entry.identity));
        setback.is_some_and(|setback| Instant::now() < setback.until)
    }

    /// Leaves `entry` alone, for twice as long as the time before.
    pub(crate) fn add(&mut self, feed: &Feed, entry: &Entry) {
        let now = Instant::now();
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, setback| now < setback.until);
        }
        let key = (feed.clone(), entry.identity);
        if self.0.len() < REMEMBERED || self.0.contains_key(&key) {
            let before = self.0.get(&key);
            let delay = before.map_or(SHORTEST, |before| (before.delay * 2).min(LONGEST));
            self.0.insert(key, Setback { delay, until: now + delay });
        }
    }

    /// Forgets `entry`, which came after all.
    pub(crate) fn clear(&mut self, feed: &Feed, entry: &Entry) {
        self.0.remove(&(feed.clone(), entry.identity));
    }
}

#[cfg(test)]
mod tests {
    use common::base::hash::ContentHash;
    use common::base::time::Timestamp;
    use common::format::segment::Completeness;

    use super::*;

    fn entry(number: i64) -> Entry {
        let start = Timestamp::from_micros(number);
        let hash = ContentHash::of(b"");
        let completeness = Completeness::Full;
        let identity = Identity { hash, duration_micros: 0, completeness, start };
        Entry { file_name: "name".into(), identity }
    }

    fn feed() -> Feed {
        Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_asked_for_less_and_less_often() {
        let mut setbacks = Setbacks::default();
        assert!(!setbacks.holds_back(&feed(), &entry(0)));
        for delay in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            setbacks.add(&feed(), &entry(0));
            tokio::time::advance(Duration::from_secs(delay - 1)).await;
            assert!(setbacks.holds_back(&feed(), &entry(0)), "{delay}");
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(!setbacks.holds_back(&feed(), &entry(0)), "{delay}");
        }
        setbacks.add(&feed(), &entry(0));
        assert!(!setbacks.holds_back(&feed(), &entry(1)), "another file is no matter");
        setbacks.clear(&feed(), &entry(0));
        assert!(!setbacks.holds_back(&feed(), &entry(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_cannot_fill_the_memory() {
        let mut setbacks = Setbacks::default();
        for number in 0..20_000 {
            setbacks.add(&feed(), &entry(number));
        }
        assert_eq!(setbacks.0.len(), REMEMBERED);
        tokio::time::advance(SHORTEST).await;
        setbacks.add(&feed(), &entry(20_000));
        assert!(setbacks.holds_back(&feed(), &entry(20_000)), "there is room again");
    }
}
