//! The place of one segment among those that are held, and its turn to try the disk.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::service::CancellationToken;
use tokio::time::Instant;

use super::room::{Answer, Claim};
use super::turns::Turn;
use super::{Holding, State, given_up};
use crate::planner::{Failure, Saved};

/// How often it is asked whether it is still useless to try the disk, though nothing has happened.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// A segment's place in a [`Holding`]; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(super) holding: Holding,
    claim: Claim,
    pub(super) given_up: CancellationToken,
    /// Whether it is not to be counted when there is no room for it.
    is_counted: AtomicBool,
}

impl Place {
    pub(super) fn new(holding: Holding, claim: Claim, given_up: CancellationToken) -> Self {
        Self { holding, claim, given_up, is_counted: AtomicBool::new(false) }
    }

    /// The same, for a segment that may be stored even if there is no room for it here.
    pub(crate) fn of_a_spare(self) -> Self {
        self.is_counted.store(true, Ordering::Relaxed);
        self
    }

    /// Takes room for `bytes` more.
    ///
    /// # Errors
    ///
    /// When the segment is to be given up.
    pub(crate) fn grow(&self, bytes: u64) -> Result<(), Failure> {
        let mut state = self.holding.state();
        let answer = state.room.grow(self.claim, bytes);
        self.holding.show(&state);
        let Answer::Granted(victims) = answer else {
            self.given_up.cancel();
            if !self.is_counted.swap(true, Ordering::Relaxed) {
                self.count(&mut state);
            }
            return Err(given_up());
        };
        for victim in victims {
            if let Some(token) = state.given_up.get(&victim) {
                token.cancel();
            }
        }
        Ok(())
    }

    /// Gives its room back.
    pub(super) fn leave_room(&self) {
        let mut state = self.holding.state();
        state.room.leave(self.claim);
        self.holding.show(&state);
    }

    /// It waits no more.
    pub(super) fn gave_up(&self) {
        self.count(&mut self.holding.state());
    }

    fn count(&self, state: &mut State) {
        self.holding.inner.metrics.given_up.inc();
        state.telling.gave_up();
    }

    /// Gives up its turn until it waits for one again.
    pub(super) fn pass_over(&self) {
        if self.holding.state().turns.leave(self.claim.age()) {
            self.holding.inner.turned.notify_waiters();
        }
    }

    /// Waits for the turn to try the disk, and takes it; gives way while it is `useless` to try. Once
    /// `stop` is cancelled, it tries all the same, and without a pause.
    ///
    /// Cancel safety: a turn that came is given back when it is dropped.
    pub(super) async fn turn(&self, stop: &CancellationToken, useless: impl Fn() -> bool) -> Try {
        let holding = &self.holding;
        loop {
            let mut turned = std::pin::pin!(holding.inner.turned.notified());
            turned.as_mut().enable();
            let stopping = stop.is_cancelled();
            let turn = if stopping || !useless() {
                self.ask_for_turn(stopping)
            } else {
                self.pass_over();
                Turn::At(Instant::now() + ASK_EVERY)
            };
            let pause = async {
                match turn {
                    Turn::Now => {}
                    Turn::At(at) => tokio::time::sleep_until(at).await,
                    Turn::Later => std::future::pending().await,
                }
            };
            if turn == Turn::Now {
                let (holding, claim) = (holding.clone(), self.claim);
                return Try { holding, claim, is_over: AtomicBool::new(false) };
            }
            tokio::select! {
                biased;
                () = stop.cancelled(), if !stopping => {}
                () = turned => {}
                () = pause => {}
            }
        }
    }

    fn ask_for_turn(&self, hurried: bool) -> Turn {
        let turns = &mut self.holding.state().turns;
        turns.wait(self.claim.age());
        turns.take(self.claim.age(), Instant::now(), hurried)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.holding.state();
        state.room.leave(self.claim);
        state.given_up.remove(&self.claim);
        state.turns.leave(self.claim.age());
        self.holding.show(&state);
        state.tell_if_over();
        drop(state);
        self.holding.inner.turned.notify_waiters();
    }
}

/// The only try of the disk for the time being; the next may begin once it is over.
#[derive(Debug)]
pub(super) struct Try {
    holding: Holding,
    claim: Claim,
    is_over: AtomicBool,
}

impl Try {
    /// Ends with what came of it.
    pub(super) fn end(&self, result: &io::Result<Saved>) {
        match result {
            Ok(_) => self.holding.disk_works(),
            Err(error) => self.holding.state().refused(error),
        }
        self.over(result.is_ok());
    }

    /// Ends, if it did not before.
    pub(super) fn over(&self, stored: bool) {
        if self.is_over.swap(true, Ordering::AcqRel) {
            return;
        }
        self.holding.state().turns.tried(self.claim.age(), stored, Instant::now());
        self.holding.inner.turned.notify_waiters();
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        self.over(false);
    }
}
