//! What several segments need and is fetched once: initialization sections, keys.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as Turns;
use tokio::time::Instant;

use crate::planner::Failure;

/// How many are kept.
const KEPT: usize = 8;

/// The ones used last, by what names them.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    // never held while waiting
    state: Mutex<State<K, V>>,
}

#[derive(Debug)]
struct State<K, V> {
    /// Those used last first.
    kept: VecDeque<(K, V)>,
    under_way: Vec<(K, Fetching)>,
}

/// Held by whoever fetches, so that those that need the same thing wait for one request; says how the last
/// one failed.
type Fetching = Arc<Turns<Option<(Instant, Failure)>>>;

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self { state: Mutex::new(State { kept: VecDeque::new(), under_way: Vec::new() }) }
    }
}

impl<K: Clone + PartialEq, V: Clone> Cache<K, V> {
    /// What `key` names, from memory or else by `fetch`, for which only those wait that need the same.
    ///
    /// # Errors
    ///
    /// That of `fetch`, or of the one that was waited for: what failed a moment ago is not tried again
    /// by each that waited.
    ///
    /// Cancel safety: dropping the future drops `fetch`, and another that waits fetches instead.
    pub(super) async fn get(
        &self,
        key: &K,
        fetch: impl Future<Output = Result<V, Failure>>,
    ) -> Result<V, Failure> {
        let began = Instant::now();
        let waiting = {
            let mut state = self.lock();
            if let Some(value) = state.find(key) {
                return Ok(value);
            }
            Waiting { cache: self, fetching: Some(state.fetching(key)) }
        };
        let mut failed = waiting.fetching().lock().await;
        if let Some(value) = self.lock().find(key) {
            return Ok(value);
        }
        if let Some((at, failure)) = &*failed
            && *at > began
        {
            return Err(failure.clone());
        }
        match fetch.await {
            Ok(value) => {
                self.lock().keep(key.clone(), value.clone());
                Ok(value)
            }
            Err(failure) => {
                *failed = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Forgets what `key` names, which may have become something else.
    pub(super) fn forget(&self, key: &K) {
        self.lock().kept.retain(|(known, _)| known != key);
    }
}

impl<K, V> Cache<K, V> {
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + PartialEq, V: Clone> State<K, V> {
    /// What is kept under `key`, which is used now.
    fn find(&mut self, key: &K) -> Option<V> {
        let at = self.kept.iter().position(|(known, _)| known == key)?;
        let used = self.kept.remove(at)?;
        let value = used.1.clone();
        self.kept.push_front(used);
        Some(value)
    }

    fn keep(&mut self, key: K, value: V) {
        self.kept.push_front((key, value));
        self.kept.truncate(KEPT);
    }

    fn fetching(&mut self, key: &K) -> Fetching {
        let known = self.under_way.iter().find(|(known, _)| known == key);
        if let Some((_, fetching)) = known {
            return Arc::clone(fetching);
        }
        let fetching = Fetching::default();
        self.under_way.push((key.clone(), Arc::clone(&fetching)));
        fetching
    }
}

/// One that fetches or waits; the last of them clears up.
struct Waiting<'a, K, V> {
    cache: &'a Cache<K, V>,
    /// Dropped only while the cache is locked.
    fetching: Option<Fetching>,
}

impl<K, V> Waiting<'_, K, V> {
    fn fetching(&self) -> &Fetching {
        self.fetching.as_ref().expect("it is there until the end")
    }
}

impl<K, V> Drop for Waiting<'_, K, V> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        self.fetching = None;
        state.under_way.retain(|(_, fetching)| Arc::strong_count(fetching) > 1);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use common::io::store::notes::Why;

    use super::*;
    use crate::planner::Retry;

    async fn found(cache: &Cache<&str, u8>, key: &'static str) -> bool {
        cache.get(&key, async { Ok(0) }).await != Ok(0)
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_keeps_nobody_else_waiting() {
        let cache = Cache::default();
        assert_eq!(cache.get(&"kept", async { Ok(1) }).await, Ok(1));
        let hanging = cache.get(&"hangs", std::future::pending());
        let others = async {
            assert_eq!(cache.get(&"kept", std::future::pending()).await, Ok(1));
            assert_eq!(cache.get(&"other", async { Ok(2) }).await, Ok(2));
        };
        tokio::select! {
            biased;
            _ = hanging => unreachable!("it hangs"),
            () = others => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => panic!("they wait"),
        }
        assert!(cache.lock().under_way.is_empty(), "nothing is left of one that was given up");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_waits_fetches_when_the_other_gives_up() {
        let cache = Cache::default();
        let second = Duration::from_secs(1);
        let hanging = tokio::time::timeout(second, cache.get(&"a", std::future::pending()));
        let waiting = cache.get(&"a", async { Ok(2) });
        let (given_up, fetched) = tokio::join!(hanging, waiting);
        assert!(given_up.is_err());
        assert_eq!(fetched, Ok(2));
        assert!(cache.lock().under_way.is_empty());
    }

    #[tokio::test]
    async fn what_was_used_longest_ago_goes_first() {
        let keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
        assert_eq!(keys.len(), KEPT);
        let cache = Cache::default();
        for key in keys {
            assert_eq!(cache.get(&key, async { Ok(1) }).await, Ok(1));
        }
        assert!(found(&cache, "a").await);
        assert_eq!(cache.get(&"i", async { Ok(1) }).await, Ok(1));
        assert!(found(&cache, "a").await, "it was used");
        assert!(found(&cache, "c").await);
        assert!(!found(&cache, "b").await);
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_wait_share_the_answer_and_the_failure() {
        let cache = Cache::default();
        let fetches = Cell::new(0);
        let failure = Failure { why: Why::TimeOut, detail: "slow".to_owned(), retry: Retry::Later };
        let fetch = |answer: Result<u8, Failure>| {
            let fetches = &fetches;
            async move {
                fetches.set(fetches.get() + 1);
                tokio::time::sleep(Duration::from_secs(1)).await;
                answer
            }
        };
        let failing = || cache.get(&"a", fetch(Err(failure.clone())));
        let both = tokio::join!(failing(), failing());
        assert_eq!(both, (Err(failure.clone()), Err(failure.clone())));
        assert_eq!(fetches.get(), 1, "a failure is shared by those that waited");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let both = tokio::join!(cache.get(&"a", fetch(Ok(1))), cache.get(&"a", fetch(Ok(2))));
        assert_eq!(both, (Ok(1), Ok(1)));
        assert_eq!(fetches.get(), 2, "and so is success");
        cache.forget(&"b");
        assert_eq!(cache.get(&"a", fetch(Ok(3))).await, Ok(1));
        cache.forget(&"a");
        assert_eq!(cache.get(&"a", fetch(Ok(4))).await, Ok(4));
    }
}
