//! Who is fetching what, so that several nodes share the work and nothing is fetched twice at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::base::time::Hour;
use common::io::store::Feed;
use tokio::time::Instant;

use crate::folder::{Entry, Identity};

/// How long a fetch keeps others from fetching the same. After that a second one may begin beside
/// it: a node that stalls must not delay what another can give.
const PRIORITY_FOR: Duration = Duration::from_secs(10);
/// How many files are remembered after they were fetched. A comparison that was made before they
/// came may still ask for them.
const REMEMBERED: usize = 10_000;

/// The fetches of all workers; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flights(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    feeds: HashMap<Feed, BTreeMap<Identity, Status>>,
    /// What has landed, the oldest first.
    landed: VecDeque<(Feed, Identity)>,
    next_id: u64,
}

#[derive(Clone, Debug)]
enum Status {
    InFlight { id: u64, since: Instant },
    Landed { file_name: Box<str> },
}

/// The answer to who wants to fetch something.
#[derive(Debug)]
pub(crate) enum Clearance {
    /// Fetch it; nobody else will meanwhile.
    Go(Flight),
    /// Another node is giving it just now.
    Elsewhere,
    /// It came a moment ago, under this name; the hour may be the one next to that of the start.
    Landed { hour: Hour, file_name: Box<str> },
}

/// The right to fetch something, until this is dropped.
#[derive(Debug)]
pub(crate) struct Flight {
    flights: Flights,
    feed: Feed,
    identity: Identity,
    id: u64,
}

impl Flights {
    /// Asks to fetch `entry`, or the same up to 1 ms away.
    pub(crate) fn claim(&self, feed: &Feed, entry: &Entry) -> Clearance {
        let identity = entry.identity;
        let now = Instant::now();
        let mut state = self.state();
        let id = state.next_id;
        state.next_id += 1;
        let flights = state.feeds.entry(feed.clone()).or_default();
        for (same, status) in flights.range(identity.same_with(identity.completeness)) {
            match status {
                Status::Landed { file_name } => {
                    let (hour, file_name) = (same.start.hour(), file_name.clone());
                    return Clearance::Landed { hour, file_name };
                }
                Status::InFlight { since, .. } if now - *since < PRIORITY_FOR => {
                    return Clearance::Elsewhere;
                }
                Status::InFlight { .. } => {}
            }
        }
        flights.insert(identity, Status::InFlight { id, since: now });
        Clearance::Go(Flight { flights: self.clone(), feed: feed.clone(), identity, id })
    }

    /// Forgets that `entry` landed: it is not there any more.
    pub(crate) fn forget(&self, feed: &Feed, entry: &Entry) {
        let identity = entry.identity;
        if let Some(flights) = self.state().feeds.get_mut(feed) {
            let same = identity.same_with(identity.completeness);
            let gone: Vec<Identity> = flights
                .range(same)
                .filter(|(_, status)| matches!(status, Status::Landed { .. }))
                .map(|(identity, _)| *identity)
                .collect();
            for identity in gone {
                flights.remove(&identity);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Says that the file is there now, as `file_name`.
    pub(crate) fn landed(self, file_name: &str) {
        let mut state = self.flights.state();
        let status = Status::Landed { file_name: file_name.into() };
        state.feeds.entry(self.feed.clone()).or_default().insert(self.identity, status);
        state.landed.push_back((self.feed.clone(), self.identity));
        if state.landed.len() > REMEMBERED
            && let Some((feed, identity)) = state.landed.pop_front()
        {
            state.remove_if(&feed, identity, |status| matches!(status, Status::Landed { .. }));
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let id = self.id;
        // what has landed, or was begun again by another, is not this one's to remove
        let is_own =
            |status: &Status| matches!(status, Status::InFlight { id: own, .. } if *own == id);
        self.flights.state().remove_if(&self.feed, self.identity, is_own);
    }
}

impl State {
    fn remove_if(&mut self, feed: &Feed, identity: Identity, is_meant: impl Fn(&Status) -> bool) {
        let Some(flights) = self.feeds.get_mut(feed) else { return };
        if flights.get(&identity).is_some_and(is_meant) {
            flights.remove(&identity);
        }
        if flights.is_empty() {
            self.feeds.remove(feed);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use common::base::hash::ContentHash;
    use common::base::time::Timestamp;
    use common::format::segment::Completeness;

    use super::*;

    fn feed() -> Feed {
        Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() }
    }

    fn entry(start_micros: i64, completeness: Completeness) -> Entry {
        let start = Timestamp::from_micros(1_000_000_000) + TimeDelta::microseconds(start_micros);
        let hash = ContentHash::of(b"a");
        let identity = Identity { hash, duration_micros: 2_000_000, completeness, start };
        Entry { file_name: format!("{start_micros}").into(), identity }
    }

    fn full(start_micros: i64) -> Entry {
        entry(start_micros, Completeness::Full)
    }

    fn go(flights: &Flights, entry: &Entry) -> Flight {
        match flights.claim(&feed(), entry) {
            Clearance::Go(flight) => flight,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_same_is_fetched_by_one_at_a_time() {
        let flights = Flights::default();
        let flight = go(&flights, &full(0));
        assert!(matches!(flights.claim(&feed(), &full(1000)), Clearance::Elsewhere));
        drop((go(&flights, &full(1001)), go(&flights, &entry(0, Completeness::Partial))));
        drop(flight);
        drop(go(&flights, &full(1000)));
        assert!(flights.state().feeds.is_empty(), "nothing is kept of what ended");
    }

    #[tokio::test]
    async fn what_landed_is_known_until_it_is_gone() {
        let flights = Flights::default();
        go(&flights, &full(0)).landed("name");
        match flights.claim(&feed(), &full(-500)) {
            Clearance::Landed { file_name, .. } => assert_eq!(&*file_name, "name"),
            other => panic!("{other:?}"),
        }
        flights.forget(&feed(), &full(-500));
        drop(go(&flights, &full(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stalls_does_not_keep_another_waiting() {
        let flights = Flights::default();
        let stalled = go(&flights, &full(0));
        tokio::time::advance(PRIORITY_FOR).await;
        let second = go(&flights, &full(0));
        drop(stalled);
        assert!(
            matches!(flights.claim(&feed(), &full(0)), Clearance::Elsewhere),
            "the second is on"
        );
        second.landed("name");
        assert!(matches!(flights.claim(&feed(), &full(0)), Clearance::Landed { .. }));
    }

    #[tokio::test]
    async fn what_landed_is_forgotten_in_the_end() {
        let flights = Flights::default();
        for number in 0..=REMEMBERED {
            let micros = i64::try_from(number).unwrap() * 10_000;
            go(&flights, &full(micros)).landed("name");
        }
        assert_eq!(flights.state().landed.len(), REMEMBERED);
        drop(go(&flights, &full(0)));
    }
}
