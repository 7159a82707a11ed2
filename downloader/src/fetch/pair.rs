//! Two attempts at one thing: the second begins beside the first when that is slow.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::leaving::Leaving;
use crate::planner::{Failure, Retry};
use common::io::store::notes::Why;

/// How many second attempts there may be in the whole process. When everything is slow, because the
/// processor, the disk or the network is, a second attempt at everything would double the load: these
/// are a second attempt each for the feeds of a few channels, and a few per cent on top for a hundred.
pub(crate) const MAX_SECOND_ATTEMPTS: usize = 8;
/// How many of them one feed may have, so that others can have some while one drips for minutes.
const MAX_SECOND_OF_FEED: usize = 2;
/// How often a second attempt that is not allowed yet is asked for again.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What allows an attempt.
pub(super) type Permit = OwnedSemaphorePermit;

/// What allows a second attempt: the feed's, its second ones', and those of all feeds.
pub(super) type SecondPermits = [Permit; 3];

/// What attempts may be under way.
#[derive(Debug)]
pub(super) struct Permits {
    /// Of one feed, or of all feeds of its channel.
    feed: Arc<Semaphore>,
    /// Second ones, of one feed.
    second_of_feed: Arc<Semaphore>,
    /// Second ones, of all feeds.
    second: Arc<Semaphore>,
    /// How the feed leaves connections that are slow.
    pub(super) leaving: Leaving,
}

impl Permits {
    pub(super) fn new(feed: Arc<Semaphore>, second: Arc<Semaphore>) -> Self {
        Self {
            feed,
            second_of_feed: Arc::new(Semaphore::new(MAX_SECOND_OF_FEED)),
            second,
            leaving: Leaving::default(),
        }
    }

    /// Waits until a first attempt is allowed.
    pub(super) async fn first(&self) -> Permit {
        Arc::clone(&self.feed).acquire_owned().await.expect("it is never closed")
    }

    /// Waits until a second attempt is allowed, which first attempts go before: it does not queue.
    pub(super) async fn second(&self) -> SecondPermits {
        loop {
            let permits = [&self.feed, &self.second_of_feed, &self.second]
                .map(|permits| Arc::clone(permits).try_acquire_owned());
            if let [Ok(of_feed), Ok(second_of_feed), Ok(of_all)] = permits {
                return [of_feed, second_of_feed, of_all];
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

/// Runs `first` and, once `slow` is over, `second` with what that gave; whichever is done first wins
/// and the other is dropped. When both fail, `both` says with what. When the second fails, the first is
/// waited for only if that `is_worth_it`.
///
/// Cancel safety: that of the attempts.
pub(crate) async fn either<T, E, P, S: Future<Output = Result<T, E>>>(
    first: impl Future<Output = Result<T, E>>,
    slow: impl Future<Output = P>,
    second: impl FnOnce(P) -> S,
    is_worth_it: impl FnOnce() -> bool,
    both: impl FnOnce(E, E) -> E,
) -> Result<T, E> {
    let mut first = pin!(first);
    let go = tokio::select! {
        biased;
        done = &mut first => return done,
        go = slow => go,
    };
    let mut second = pin!(second(go));
    let (failed, other) = tokio::select! {
        biased;
        done = &mut first => match done {
            Ok(won) => return Ok(won),
            Err(failed) => (failed, second.await),
        },
        done = &mut second => match done {
            Ok(won) => return Ok(won),
            Err(failed) if is_worth_it() => (failed, first.await),
            Err(failed) => return Err(failed),
        },
    };
    other.map_err(|error| both(failed, error))
}

/// The failure that says more of why a segment is missing: what the server said of it before what became
/// of its bytes, and that before silence.
pub(super) fn more_telling(one: Failure, other: Failure) -> Failure {
    let rank = |failure: &Failure| match (failure.why, failure.retry) {
        // ours, and so nothing that the other attempt could have met differently
        (Why::DiskFull | Why::Stopped, _) => 4,
        (_, Retry::Never | Retry::WhileListed | Retry::After(_)) => 3,
        (Why::Damaged | Why::Truncated, _) => 2,
        (Why::TimeOut, _) => 0,
        _ => 1,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(why: Why, retry: Retry) -> Failure {
        Failure { why, detail: String::new(), retry }
    }

    #[test]
    fn what_the_server_said_tells_more_than_silence() {
        let ordered = [
            failure(Why::TimeOut, Retry::Later),
            failure(Why::Expired, Retry::Later),
            failure(Why::Truncated, Retry::Later),
            failure(Why::Expired, Retry::WhileListed),
            failure(Why::Stopped, Retry::Never),
        ];
        for pair in ordered.windows(2) {
            let [less, more] = pair else { unreachable!("windows of two") };
            assert_eq!(more_telling(less.clone(), more.clone()), *more);
            assert_eq!(more_telling(more.clone(), less.clone()), *more);
        }
        let asked = failure(Why::Expired, Retry::After(Duration::from_secs(9)));
        assert_eq!(more_telling(ordered[0].clone(), asked.clone()), asked);
    }

    #[tokio::test(start_paused = true)]
    async fn first_attempts_go_before_second_ones() {
        let second = Arc::new(Semaphore::new(1));
        let permits = Permits::new(Arc::new(Semaphore::new(2)), Arc::clone(&second));
        let first = permits.first().await;
        let both = permits.second().await;
        let none = tokio::time::timeout(ASK_EVERY * 5, permits.second()).await;
        assert!(none.is_err(), "neither the feed nor the process has one to spare");
        drop(first);
        assert!(tokio::time::timeout(ASK_EVERY * 5, permits.second()).await.is_err());
        assert_eq!(second.available_permits(), 0, "what a refused one had taken is given back");
        drop(both);
        assert!(tokio::time::timeout(ASK_EVERY * 5, permits.second()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_feed_leaves_second_attempts_to_the_others() {
        let second = Arc::new(Semaphore::new(MAX_SECOND_ATTEMPTS));
        let of = |count| Arc::new(Semaphore::new(count));
        let dripping = Permits::new(of(MAX_SECOND_ATTEMPTS * 2), Arc::clone(&second));
        let mut taken = Vec::new();
        while let Ok(permits) = tokio::time::timeout(ASK_EVERY * 5, dripping.second()).await {
            taken.push(permits);
        }
        assert_eq!(taken.len(), MAX_SECOND_OF_FEED);
        let other = Permits::new(of(MAX_SECOND_ATTEMPTS), Arc::clone(&second));
        assert!(tokio::time::timeout(ASK_EVERY * 5, other.second()).await.is_ok());
        taken.pop();
        assert!(tokio::time::timeout(ASK_EVERY * 5, dripping.second()).await.is_ok());
    }

    #[tokio::test]
    async fn the_one_that_is_done_first_wins_whichever_it_is() {
        let never = std::future::pending::<Result<u8, u8>>;
        let now = || std::future::ready(());
        let sum = |one: u8, other: u8| one + other;
        assert_eq!(either(async { Ok(1) }, now(), |()| never(), || true, sum).await, Ok(1));
        assert_eq!(either(never(), now(), |()| async { Ok(2) }, || true, sum).await, Ok(2));
        let late = |done: Result<u8, u8>| async move {
            tokio::task::yield_now().await;
            done
        };
        assert_eq!(either(late(Err(1)), now(), |()| late(Ok(2)), || true, sum).await, Ok(2));
        assert_eq!(either(late(Ok(1)), now(), |()| late(Err(2)), || true, sum).await, Ok(1));
        assert_eq!(either(late(Err(1)), now(), |()| late(Err(2)), || true, sum).await, Err(3));
        let silent = either(never(), now(), |()| async { Err(2) }, || false, sum).await;
        assert_eq!(silent, Err(2), "what has said nothing yet is not waited for");
        let alone =
            either(async { Err(1) }, std::future::pending(), |()| never(), || true, sum).await;
        assert_eq!(alone, Err(1), "an attempt that is not slow is not doubled");
    }
}
