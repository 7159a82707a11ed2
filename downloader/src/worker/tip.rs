//! What a look at the channel tells the worker that follows the address which it found.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::provider::Seen;

/// That a worker's address was found to be good, and the list that the look found there, if it loaded one: it may
/// be the only list that ever shows a segment.
#[derive(Debug, Default)]
pub(crate) struct Tip {
    given: Notify,
    seen: Mutex<Option<Seen>>,
}

impl Tip {
    /// What a worker begins with.
    pub(crate) fn with(seen: Option<Seen>) -> Self {
        Self { given: Notify::new(), seen: Mutex::new(seen) }
    }

    /// Gives another, instead of what was not taken yet.
    pub(crate) fn give(&self, seen: Option<Seen>) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        self.given.notify_one();
    }

    /// Returns when another was given that nobody waited for yet.
    ///
    /// Cancel safety: nothing is lost when the future is dropped.
    pub(super) async fn given(&self) {
        self.given.notified().await;
    }

    /// Takes the list, which is of no use if it was asked for before the worker's own, which was there at `newest`.
    pub(crate) fn take(&self, newest: Option<Instant>) -> Option<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        seen.filter(|seen| newest.is_none_or(|newest| newest <= seen.asked_at))
    }
}
