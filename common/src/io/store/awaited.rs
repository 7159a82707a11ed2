//! Whether anybody still waits for what is read.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What work can ask; work that nobody may give up is always awaited.
#[derive(Clone, Debug, Default)]
pub(super) struct Awaited {
    given_up: Arc<AtomicBool>,
}

impl Awaited {
    /// # Errors
    ///
    /// When nobody waits any more.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.given_up.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody waits for it any more"));
        }
        Ok(())
    }
}

/// Held by whoever waits.
#[derive(Debug, Default)]
pub(super) struct Waiting(Awaited);

impl Waiting {
    pub(super) fn awaited(&self) -> Awaited {
        self.0.clone()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.given_up.store(true, Ordering::Relaxed);
    }
}
