//! Keeping a crowd of fetches from all running at once.
//!
//! A hundred feeds that begin together list some hundred segments, each of which takes memory while it is
//! under way: what the HTTP library reads into, and what is gathered for the disk. So the newest segment
//! of each feed goes at once, and all others a few at a time in the whole process. Nobody has a turn for
//! longer than [`LONGEST_TURN`]: a fetch that goes on after that goes on without. So at least 200 begin
//! in each second, however many of those before them drip for minutes, and nobody waits for long who asks
//! for a segment that may expire. What drips takes little memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::planner::Urgency;

/// How many fetches have a turn at a time.
const TURNS: usize = 20;
/// How long a turn lasts at most: a segment of 1.6 MB at 130 Mbit/s.
const LONGEST_TURN: Duration = Duration::from_millis(100);

/// The turns of a process; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Crowd(Arc<Semaphore>);

/// A turn, or none where none is needed.
#[derive(Debug)]
pub(super) struct Turn(Option<(OwnedSemaphorePermit, Instant)>);

impl Default for Crowd {
    fn default() -> Self {
        Self::of(TURNS)
    }
}

impl Crowd {
    /// So many turns at a time.
    pub(super) fn of(turns: usize) -> Self {
        Self(Arc::new(Semaphore::new(turns)))
    }

    /// Waits until a fetch of that `urgency` may begin, first come, first served.
    ///
    /// Cancel safety: dropped in between, the place in the queue is lost and nothing else.
    pub(super) async fn turn(&self, urgency: Urgency) -> Turn {
        if urgency == Urgency::Newest {
            return Turn(None);
        }
        let turn = Arc::clone(&self.0).acquire_owned().await.expect("it is never closed");
        Turn(Some((turn, Instant::now() + LONGEST_TURN)))
    }
}

impl Turn {
    /// Gives the turn back when it has lasted for long; never ends.
    ///
    /// Cancel safety: dropped earlier, it gives it back then.
    pub(super) async fn last<T>(self) -> T {
        if let Some((turn, until)) = self.0 {
            sleep_until(until).await;
            drop(turn);
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;
    use tokio::time::timeout;

    use super::*;

    const SHORT: Duration = Duration::from_millis(10);

    #[tokio::test(start_paused = true)]
    async fn the_newest_do_not_wait_and_others_do() {
        let crowd = Crowd::default();
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            turns.push(crowd.turn(Urgency::Backlog).await);
        }
        assert!(timeout(SHORT, crowd.turn(Urgency::Newest)).await.is_ok());
        assert!(timeout(SHORT, crowd.turn(Urgency::AtEdge)).await.is_err());
        turns.pop();
        assert!(timeout(SHORT, crowd.turn(Urgency::AtEdge)).await.is_ok(), "one has ended");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_long_goes_on_without_a_turn() {
        let crowd = Crowd::default();
        let mut slow = JoinSet::new();
        for _ in 0..TURNS {
            let turn = crowd.turn(Urgency::Backlog).await;
            slow.spawn(turn.last::<()>());
        }
        assert!(timeout(LONGEST_TURN / 2, crowd.turn(Urgency::Backlog)).await.is_err());
        assert!(timeout(LONGEST_TURN, crowd.turn(Urgency::Backlog)).await.is_ok());
        assert!(slow.try_join_next().is_none(), "they go on");
    }
}
