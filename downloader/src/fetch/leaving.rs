//! When a feed may leave the connections that all feeds share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::io::http::client::Client;
use tokio::time::Instant;

/// How long leaving them again is put off at first, and at most: where it did not help, it is the origin that
/// is slow, and all the others shake hands anew for nothing.
const PUT_OFF: Duration = Duration::from_secs(5);
const MOST_PUT_OFF: Duration = Duration::from_mins(5);

/// How one feed has left connections since it was last not slow.
#[derive(Debug, Default)]
pub(super) struct Leaving(Mutex<Option<Left>>);

#[derive(Clone, Copy, Debug)]
struct Left {
    at: Instant,
    put_off: Duration,
}

impl Leaving {
    /// Leaves the connections of `client`, one of which is slow, unless that was of no use lately.
    pub(super) fn leave(&self, client: &Client) {
        if self.is_due() {
            client.leave_connections();
        }
    }

    /// Something was not slow, so leaving may help again.
    pub(super) fn reset(&self) {
        *self.lock() = None;
    }

    /// Whether they may be left now; then they are taken to be.
    pub(super) fn is_due(&self) -> bool {
        let mut left = self.lock();
        let now = Instant::now();
        let put_off = match *left {
            Some(Left { at, put_off }) if now < at + put_off => return false,
            Some(Left { put_off, .. }) => (put_off * 2).min(MOST_PUT_OFF),
            None => PUT_OFF,
        };
        *left = Some(Left { at: now, put_off });
        true
    }

    fn lock(&self) -> MutexGuard<'_, Option<Left>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_does_not_help_is_done_less_and_less() {
        let leaving = Leaving::default();
        let began = Instant::now();
        let mut left = Vec::new();
        while began.elapsed() < Duration::from_mins(20) {
            if leaving.is_due() {
                left.push(began.elapsed().as_secs());
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(left, [0, 5, 15, 35, 75, 155, 315, 615, 915]);
        leaving.reset();
        assert!(leaving.is_due());
        assert!(!leaving.is_due());
        tokio::time::advance(PUT_OFF).await;
        assert!(leaving.is_due());
    }
}
