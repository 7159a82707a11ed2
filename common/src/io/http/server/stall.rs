//! Telling a client that pauses from one that is slow.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// A time-out that begins when something is waited for, and ends with every progress.
#[derive(Debug)]
pub(super) struct Stall {
    within: Duration,
    /// Kept from one wait to the next, as making one costs more.
    sleep: Option<Pin<Box<Sleep>>>,
    is_waiting: bool,
}

impl Stall {
    pub(super) const fn new(within: Duration) -> Self {
        Self { within, sleep: None, is_waiting: false }
    }

    /// To be called when there was progress.
    pub(super) const fn progressed(&mut self) {
        self.is_waiting = false;
    }

    /// To be polled while there is none; ready when that has lasted for too long.
    pub(super) fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let sleep = match &mut self.sleep {
            Some(sleep) if self.is_waiting => sleep,
            Some(sleep) => {
                sleep.as_mut().reset(Instant::now() + self.within);
                sleep
            }
            none => none.insert(Box::pin(tokio::time::sleep(self.within))),
        };
        self.is_waiting = true;
        sleep.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const WITHIN: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn whoever_makes_progress_may_be_slow() {
        let mut stall = Stall::new(WITHIN);
        for _ in 0..5 {
            let waiting = poll_fn(|context| stall.poll_waiting(context));
            tokio::time::timeout(WITHIN * 2 / 3, waiting).await.unwrap_err();
            stall.progressed();
        }
        let begun = Instant::now();
        poll_fn(|context| stall.poll_waiting(context)).await;
        assert_eq!(begun.elapsed().as_secs(), WITHIN.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn asking_again_does_not_begin_anew() {
        let mut stall = Stall::new(WITHIN);
        let begun = Instant::now();
        for _ in 0..3 {
            let waiting = poll_fn(|context| stall.poll_waiting(context));
            if tokio::time::timeout(WITHIN * 2 / 3, waiting).await.is_ok() {
                break;
            }
        }
        assert_eq!(begun.elapsed().as_secs(), WITHIN.as_secs());
    }
}
