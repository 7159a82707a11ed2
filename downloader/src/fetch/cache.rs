//! What several segments need and is fetched once: initialization sections, keys.

use std::collections::VecDeque;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::planner::Failure;

/// How many are kept.
const KEPT: usize = 8;

/// The ones used last, by what names them.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    // held while fetching, so that segments that need the same thing wait for one request
    state: Mutex<State<K, V>>,
}

#[derive(Debug)]
struct State<K, V> {
    kept: VecDeque<(K, V)>,
    failed: Option<(K, Instant, Failure)>,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self { state: Mutex::new(State { kept: VecDeque::new(), failed: None }) }
    }
}

impl<K: Clone + PartialEq, V: Clone> Cache<K, V> {
    /// What `key` names, from memory or else by `fetch`.
    ///
    /// # Errors
    ///
    /// That of `fetch`, or of the one that was waited for: what failed a moment ago is not tried again
    /// by each that waited.
    ///
    /// Cancel safety: dropping the future drops `fetch`.
    pub(super) async fn get(
        &self,
        key: &K,
        fetch: impl Future<Output = Result<V, Failure>>,
    ) -> Result<V, Failure> {
        let began = Instant::now();
        let mut state = self.state.lock().await;
        if let Some((_, value)) = state.kept.iter().find(|(known, _)| known == key) {
            return Ok(value.clone());
        }
        if let Some((failed, at, failure)) = &state.failed
            && failed == key
            && *at > began
        {
            return Err(failure.clone());
        }
        match fetch.await {
            Ok(value) => {
                state.kept.push_front((key.clone(), value.clone()));
                state.kept.truncate(KEPT);
                Ok(value)
            }
            Err(failure) => {
                state.failed = Some((key.clone(), Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Forgets what `key` names, which may have become something else.
    pub(super) async fn forget(&self, key: &K) {
        self.state.lock().await.kept.retain(|(known, _)| known != key);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use common::io::store::notes::Why;

    use super::*;
    use crate::planner::Retry;

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
        cache.forget(&"b").await;
        assert_eq!(cache.get(&"a", fetch(Ok(3))).await, Ok(1));
        cache.forget(&"a").await;
        assert_eq!(cache.get(&"a", fetch(Ok(4))).await, Ok(4));
    }
}
