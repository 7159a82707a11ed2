//! When people are told that the disk takes no segments, and that it does again. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How often trouble that goes on is told again.
const REMINDER: Duration = Duration::from_mins(10);
/// How soon after trouble was told new trouble is told.
const NEW_AFTER: Duration = Duration::from_mins(1);

/// What people were told.
#[derive(Debug, Default)]
pub(super) struct Telling {
    told: Option<Instant>,
    /// Whether the last thing that was told is that there is trouble.
    open: bool,
    given_up: u64,
}

impl Telling {
    /// The disk refused; whether that is to be told.
    pub(super) fn refused(&mut self, now: Instant) -> bool {
        let quiet = if self.open { REMINDER } else { NEW_AFTER };
        let tell = self.told.is_none_or(|told| now.saturating_duration_since(told) >= quiet);
        if tell {
            (self.told, self.open) = (Some(now), true);
        }
        tell
    }

    /// A segment was given up.
    pub(super) fn gave_up(&mut self) {
        self.given_up += 1;
    }

    /// How many were given up since the disk took all that there was.
    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Nothing waits any more; how many segments were given up, if all that is to be told.
    pub(super) fn over(&mut self) -> Option<u64> {
        let given_up = std::mem::take(&mut self.given_up);
        std::mem::take(&mut self.open).then_some(given_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_once_and_so_is_its_end() {
        let (mut telling, began) = (Telling::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(telling.over(), None, "nothing was told");
        assert!(telling.refused(at(0)));
        assert!(!telling.refused(at(599)));
        assert!(telling.refused(at(600)), "a reminder");
        telling.gave_up();
        assert_eq!(telling.over(), Some(1));
        assert_eq!(telling.over(), None);
        assert!(!telling.refused(at(659)), "a disk that comes and goes is told once a minute");
        assert_eq!(telling.over(), None, "nor is its end");
        assert!(telling.refused(at(660)));
        assert_eq!(telling.over(), Some(0));
    }
}
