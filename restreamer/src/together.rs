//! Equal requests that come at a time: one of them is worked for, and all get what it gets.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::error::ApiError;

type Work<T> = BoxFuture<'static, Result<T, ApiError>>;

/// What is being worked for, by what was asked; cheap to clone.
///
/// It keeps no results: whoever asks when the work is done begins anew.
pub(crate) struct Together<K, T> {
    /// Held by those who wait alone, so that the work is dropped with the last of them. Nothing that
    /// is dropped under this lock may take it.
    under_way: Arc<Mutex<HashMap<K, WeakShared<Work<T>>>>>,
}

impl<K: Eq + Hash, T: Clone> Together<K, T> {
    /// What `work` results in, or that which is under way for an equal `key`.
    ///
    /// # Errors
    ///
    /// As the work fails, for all who wait for it.
    ///
    /// Cancel safety: dropped, the others go on; with the last of them, the work is dropped.
    pub(crate) async fn run<W>(&self, key: K, work: impl FnOnce() -> W) -> Result<T, ApiError>
    where
        W: Future<Output = Result<T, ApiError>> + Send + 'static,
    {
        self.join(key, work).await
    }

    fn join<W>(&self, key: K, work: impl FnOnce() -> W) -> Shared<Work<T>>
    where
        W: Future<Output = Result<T, ApiError>> + Send + 'static,
    {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = under_way.get(&key).and_then(unfinished) {
            return other;
        }
        under_way.retain(|_, work| unfinished(work).is_some());
        let work = work().boxed().shared();
        under_way.insert(key, work.downgrade().expect("it was not awaited yet"));
        work
    }
}

/// What is done was begun before whoever asks now could know of it.
fn unfinished<T: Clone>(work: &WeakShared<Work<T>>) -> Option<Shared<Work<T>>> {
    work.upgrade().filter(|work| work.peek().is_none())
}

impl<K, T> Clone for Together<K, T> {
    fn clone(&self) -> Self {
        Self { under_way: Arc::clone(&self.under_way) }
    }
}

impl<K, T> Default for Together<K, T> {
    fn default() -> Self {
        Self { under_way: Arc::default() }
    }
}

impl<K, T> fmt::Debug for Together<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn equal_work_is_done_once_while_it_is_under_way() {
        let together: Together<&str, usize> = Together::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let ask = |key, result: oneshot::Receiver<usize>| {
            let begun = Arc::clone(&begun);
            Box::pin(together.run(key, move || {
                begun.fetch_add(1, Ordering::Relaxed);
                async { result.await.map_err(|_| ApiError::Busy) }
            }))
        };
        let [(send, result), (_one, one), (_two, two), (_three, three), (_four, four)] =
            std::array::from_fn(|_| oneshot::channel());
        let [mut first, mut second] = [ask("x", result), ask("x", one)];
        let [mut third, mut other] = [ask("x", two), ask("y", three)];
        for waiting in [&mut first, &mut second, &mut third, &mut other] {
            assert!(waiting.now_or_never().is_none());
        }
        assert_eq!(begun.load(Ordering::Relaxed), 2, "one for each key");
        // whoever began it may go away
        drop(first);
        send.send(7).unwrap();
        assert_eq!(second.await.unwrap(), 7);
        assert!(ask("x", four).now_or_never().is_none(), "what is done is begun anew");
        assert_eq!(begun.load(Ordering::Relaxed), 3);
        assert_eq!(third.await.unwrap(), 7, "though somebody has not fetched it yet");
    }

    #[tokio::test]
    async fn work_that_all_gave_up_is_dropped() {
        let together: Together<(), ()> = Together::default();
        let (held, mut is_held) = oneshot::channel::<()>();
        let ask = |held: Option<oneshot::Sender<()>>| {
            Box::pin(together.run((), || async {
                let _held = held;
                std::future::pending().await
            }))
        };
        let [mut a, mut b] = [ask(Some(held)), ask(None)];
        assert!((&mut a).now_or_never().is_none() && (&mut b).now_or_never().is_none());
        drop(a);
        assert!(
            is_held.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Empty)
        );
        drop(b);
        assert!(is_held.await.is_err());
    }
}
