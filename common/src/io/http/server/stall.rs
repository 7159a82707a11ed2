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
