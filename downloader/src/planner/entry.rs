//! One segment on its way from being listed to being settled.

use std::sync::Arc;
use std::time::Duration;

use common::format::hls::Segment;
use common::format::segment::Completeness;
use common::io::store::notes::Why;
use tokio::time::Instant;
use url::Url;

use super::timeline::{Origin, Place};
use super::{Attempt, Failure, Job, JobId, Retry};

/// After this many attempts a segment that is no longer listed is given up.
const MAX_ATTEMPTS: u32 = 12;
/// How many times a refused segment is asked for at each reload before that becomes rarer.
const EAGER_ATTEMPTS: u32 = 8;
/// How often a listed segment is asked for once it became hopeless.
const RARELY: Duration = Duration::from_secs(15);

/// What is to happen to a segment next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// Placed, but not yet compared with what is stored.
    Fresh,
    /// To be fetched, not before that instant.
    Due(Instant),
    /// To be fetched once the list shows it again, not before that instant.
    WhenListed(Instant),
    /// Being fetched.
    InFlight,
    /// Nothing: saved, stored before, or given up.
    Settled,
}

/// A segment of the list and what became of it so far.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) segment: Arc<Segment>,
    pub(super) base: Arc<Url>,
    pub(super) place: Place,
    /// Whether both its start and its duration are the publisher's.
    pub(super) certain: bool,
    pub(super) state: State,
    /// Whether the newest list has it.
    pub(super) listed: bool,
    /// Whether it was among the newest when it was last started.
    pub(super) at_edge: bool,
    attempts: u32,
    best: Option<(Completeness, u64)>,
    failure: Option<Failure>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Settling {
    /// Nothing more is to be done; whole or as whole as it will be.
    Done,
    /// Given up, with the reason and, for people, more about it.
    GivenUp(Why, String),
    /// There will be another attempt.
    Pending,
}

impl Entry {
    pub(super) fn new(segment: Arc<Segment>, base: Arc<Url>, place: Place, sure: bool) -> Self {
        Self {
            segment,
            base,
            place,
            certain: sure && place.origin != Origin::Arrival,
            state: State::Fresh,
            listed: true,
            at_edge: false,
            attempts: 0,
            best: None,
            failure: None,
        }
    }

    /// Whether some of its bytes are in the store because of us.
    pub(super) fn was_saved(&self) -> bool {
        self.best.is_some()
    }

    /// Whether it may be started now.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        matches!(self.state, State::Due(at) if at <= now)
    }

    /// Begins an attempt.
    pub(super) fn start(&mut self, id: JobId, at_edge: bool) -> Job {
        self.state = State::InFlight;
        self.at_edge = at_edge;
        self.attempts += 1;
        let best_partial = match self.best {
            Some((Completeness::Partial, size)) => size,
            _ => 0,
        };
        Job {
            id,
            attempt: self.attempts,
            segment: Arc::clone(&self.segment),
            base: Arc::clone(&self.base),
            start: self.place.start,
            duration: self.place.duration,
            certain: self.certain,
            best_partial,
        }
    }

    /// Ends an attempt.
    pub(super) fn finish(&mut self, attempt: Attempt, now: Instant) -> Settling {
        if let Some(saved) = attempt.saved {
            let this = (saved.completeness, saved.size);
            let better = |best: (Completeness, u64)| if best.0 <= this.0 { best } else { this };
            self.best = Some(self.best.map_or(this, better));
        }
        let Some(failure) = attempt.failure else {
            self.state = State::Settled;
            return Settling::Done;
        };
        let next = self.next_attempt(failure.retry, now);
        self.failure = Some(failure);
        match next {
            Some(state) => {
                self.state = state;
                Settling::Pending
            }
            None => self.give_up(Why::Expired),
        }
    }

    /// The newest list does not have it any more.
    pub(super) fn unlist(&mut self) -> Settling {
        self.listed = false;
        match self.state {
            State::WhenListed(_) => self.give_up(Why::Expired),
            _ => Settling::Pending,
        }
    }

    /// The newest list has it, perhaps elsewhere than before.
    pub(super) fn relist(&mut self, segment: Arc<Segment>, base: Arc<Url>) {
        self.listed = true;
        (self.segment, self.base) = (segment, base);
        if let State::WhenListed(at) = self.state {
            self.state = State::Due(at);
        }
    }

    fn next_attempt(&self, retry: Retry, now: Instant) -> Option<State> {
        let hopeless = self.attempts >= MAX_ATTEMPTS;
        match retry {
            Retry::Never => None,
            Retry::WhileListed if !self.listed => None,
            Retry::Later if hopeless && !self.listed => None,
            Retry::WhileListed if self.attempts < EAGER_ATTEMPTS => Some(State::WhenListed(now)),
            Retry::WhileListed => Some(State::WhenListed(now + RARELY)),
            Retry::Later if hopeless => Some(State::WhenListed(now + RARELY)),
            Retry::Later => {
                // half a second, doubled up to sixteen
                let exponent = self.attempts.saturating_sub(1).min(5);
                Some(State::Due(now + Duration::from_millis(500 << exponent)))
            }
        }
    }

    /// The downloader stops, and nothing is under way any more.
    pub(super) fn stop(&mut self) -> Settling {
        match self.state {
            // whether that was stored before is not known
            State::Fresh => Settling::Pending,
            State::Settled => Settling::Done,
            State::Due(_) | State::WhenListed(_) | State::InFlight => self.give_up(Why::Stopped),
        }
    }

    /// Gives up for the reason why the last attempt failed; `untried` when there was none.
    fn give_up(&mut self, untried: Why) -> Settling {
        self.state = State::Settled;
        let attempts = match self.attempts {
            1 => "1 attempt".to_owned(),
            attempts => format!("{attempts} attempts"),
        };
        match &self.failure {
            Some(failure) => {
                Settling::GivenUp(failure.why, format!("{} after {attempts}", failure.detail))
            }
            None if untried == Why::Stopped => {
                Settling::GivenUp(untried, "the downloader was stopped".to_owned())
            }
            None => Settling::GivenUp(untried, "gone from the list".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use common::base::time::Timestamp;
    use common::format::segment::MediaDuration;

    use super::*;
    use crate::planner::Saved;

    fn entry() -> Entry {
        let base = Arc::new("http://host/".parse().unwrap());
        let place = Place {
            start: Timestamp::from_micros(0),
            duration: MediaDuration::ZERO,
            origin: Origin::Stated,
        };
        Entry::new(Arc::default(), base, place, true)
    }

    fn failed(retry: Retry) -> Attempt {
        let failure = Failure { why: Why::Expired, detail: "404".to_owned(), retry };
        Attempt { saved: None, failure: Some(failure) }
    }

    fn id() -> JobId {
        JobId { numbering: 0, number: 0 }
    }

    fn attempt(entry: &mut Entry, retry: Retry, now: Instant) -> Settling {
        entry.start(id(), true);
        entry.finish(failed(retry), now)
    }

    #[test]
    fn a_refused_segment_is_asked_for_at_each_reload_while_it_is_listed() {
        let now = Instant::now();
        let mut entry = entry();
        for _ in 0..3 {
            assert_eq!(attempt(&mut entry, Retry::WhileListed, now), Settling::Pending);
            assert!(!entry.is_ready(now), "not before the next list");
            entry.relist(Arc::default(), Arc::clone(&entry.base));
            assert!(entry.is_ready(now));
        }
        assert_eq!(attempt(&mut entry, Retry::WhileListed, now), Settling::Pending);
        let given_up = Settling::GivenUp(Why::Expired, "404 after 4 attempts".to_owned());
        assert_eq!(entry.unlist(), given_up);
        assert_eq!(entry.state, State::Settled);
    }

    #[test]
    fn a_stop_says_what_kept_a_segment_from_being_saved() {
        let now = Instant::now();
        let given_up = |why, detail: &str| Settling::GivenUp(why, detail.to_owned());
        let mut untried = entry();
        assert_eq!(untried.stop(), Settling::Pending, "it may be stored");
        untried.state = State::Due(now);
        assert_eq!(untried.stop(), given_up(Why::Stopped, "the downloader was stopped"));
        assert_eq!(untried.stop(), Settling::Done, "once");
        let mut failing = entry();
        assert_eq!(attempt(&mut failing, Retry::Later, now), Settling::Pending);
        assert_eq!(failing.stop(), given_up(Why::Expired, "404 after 1 attempt"));
    }

    #[test]
    fn a_segment_refused_when_it_is_not_listed_is_final() {
        let now = Instant::now();
        let mut entry = entry();
        entry.start(id(), true);
        assert_eq!(entry.unlist(), Settling::Pending, "the attempt goes on");
        let given_up = Settling::GivenUp(Why::Expired, "404 after 1 attempt".to_owned());
        assert_eq!(entry.finish(failed(Retry::WhileListed), now), given_up);
    }

    #[test]
    fn passing_trouble_is_retried_later_and_later_but_not_for_ever() {
        let now = Instant::now();
        let mut entry = entry();
        entry.listed = false;
        let mut waits = Vec::new();
        for _ in 1..MAX_ATTEMPTS {
            assert_eq!(attempt(&mut entry, Retry::Later, now), Settling::Pending);
            let State::Due(at) = entry.state else { panic!("{:?}", entry.state) };
            waits.push((at - now).as_millis());
        }
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 16000, 16000, 16000, 16000, 16000]);
        assert!(matches!(attempt(&mut entry, Retry::Later, now), Settling::GivenUp(..)));
    }

    #[test]
    fn a_hopeless_segment_is_asked_for_rarely_while_it_is_listed() {
        let now = Instant::now();
        let mut entry = entry();
        for _ in 0..20 {
            assert_eq!(attempt(&mut entry, Retry::Later, now), Settling::Pending);
        }
        entry.relist(Arc::default(), Arc::clone(&entry.base));
        assert_eq!(entry.state, State::Due(now + RARELY));
    }

    #[test]
    fn the_best_copy_is_remembered() {
        let now = Instant::now();
        let mut entry = entry();
        let mut save = |completeness, size| {
            let saved = Some(Saved { completeness, size, is_new: true });
            entry.start(id(), true);
            entry.finish(Attempt { saved, ..failed(Retry::Later) }, now);
            entry.start(id(), true).best_partial
        };
        assert_eq!(save(Completeness::Partial, 10), 10);
        assert_eq!(save(Completeness::Suspect, 5), 0, "any suspect one is better than a partial");
        assert_eq!(save(Completeness::Partial, 20), 0);
    }
}
