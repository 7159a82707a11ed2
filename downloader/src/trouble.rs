//! Telling people of trouble: one line when it begins, one when it is over, and a reminder now and
//! then in between, however often it is met.

use std::time::Duration;

use tokio::time::Instant;

/// How often trouble that goes on is told again.
const REMINDER: Duration = Duration::from_mins(10);

/// How a feed is doing, as far as people were told.
#[derive(Debug, Default)]
pub(crate) enum Trouble {
    /// Nothing was told yet.
    #[default]
    Untold,
    /// It records.
    None,
    /// It does not, and that was told then.
    Present { message: String, told: Instant },
}

/// How much a trouble asks of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Nothing.
    Normal,
    /// To look at it some time.
    Degraded,
    /// To act: video is being lost.
    Failing,
}

impl Trouble {
    /// Tells of trouble, unless it was told just so a short while ago.
    pub(crate) fn met(&mut self, severity: Severity, message: &str) {
        if !self.is_worth_telling(message, Instant::now()) {
            tracing::debug!("{message}");
            return;
        }
        match severity {
            Severity::Normal => tracing::info!("{message}"),
            Severity::Degraded => tracing::warn!("{message}"),
            Severity::Failing => tracing::error!("{message}"),
        }
    }

    /// Tells that the feed records, unless that is known.
    pub(crate) fn over(&mut self) {
        match std::mem::replace(self, Self::None) {
            Self::None => {}
            Self::Untold => tracing::info!("records"),
            Self::Present { .. } => tracing::info!("records again"),
        }
    }

    fn is_worth_telling(&mut self, message: &str, now: Instant) -> bool {
        if let Self::Present { message: present, told } = self
            && present == message
            && now.saturating_duration_since(*told) < REMINDER
        {
            return false;
        }
        *self = Self::Present { message: message.to_owned(), told: now };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_once_in_a_while() {
        let mut trouble = Trouble::default();
        let began = Instant::now();
        let mut tell = |message, minutes| {
            trouble.is_worth_telling(message, began + Duration::from_mins(minutes))
        };
        assert!(tell("offline", 0));
        assert!(!tell("offline", 9));
        assert!(tell("offline", 10));
        assert!(tell("refused", 11));
        assert!(tell("offline", 12), "it is news again");
        trouble.over();
        assert!(trouble.is_worth_telling("offline", began), "it was over in between");
    }
}
