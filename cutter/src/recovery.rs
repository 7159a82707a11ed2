//! When to settle what was left in between.

use std::time::Duration;

use tokio::time::Instant;

/// How often it is tried again as long as something is left.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// How long after an error of the database something that was asked for may still be carried out
/// there: its server gives up on a statement after 30 s.
const UNSURE_FOR: Duration = Duration::from_mins(1);

/// Whether anything is left in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing.
    Nothing,
    /// The rows say why, and it may pass.
    Some,
}

/// Knows when the next recovery is due.
#[derive(Debug)]
pub(crate) struct Recovery {
    at: Option<Instant>,
    unsure_until: Option<Instant>,
}

impl Recovery {
    /// Due at once, as at every start.
    pub(crate) fn at_start(now: Instant) -> Self {
        Self { at: Some(now), unsure_until: None }
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| at <= now)
    }

    /// The database did not answer: what was asked for may have been done, or may yet be.
    pub(crate) fn answer_was_lost(&mut self, now: Instant) {
        self.at = Some(now);
        self.unsure_until = Some(now + UNSURE_FOR);
    }

    /// It is not known whether a video is published.
    pub(crate) fn video_is_unsettled(&mut self, now: Instant) {
        self.at = Some(now + AGAIN_AFTER);
    }

    /// A recovery was carried out.
    pub(crate) fn done(&mut self, left: Left, now: Instant) {
        self.unsure_until = self.unsure_until.filter(|until| *until > now);
        let again = left == Left::Some || self.unsure_until.is_some();
        self.at = again.then(|| now + AGAIN_AFTER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_due_at_start_and_then_only_for_a_reason() {
        let start = Instant::now();
        let mut recovery = Recovery::at_start(start);
        assert!(recovery.is_due(start));
        recovery.done(Left::Nothing, start);
        assert!(!recovery.is_due(start + Duration::from_hours(1)));
        recovery.video_is_unsettled(start);
        assert!(!recovery.is_due(start) && recovery.is_due(start + AGAIN_AFTER));
    }

    #[test]
    fn is_tried_again_while_something_is_left() {
        let start = Instant::now();
        let mut recovery = Recovery::at_start(start);
        recovery.done(Left::Some, start);
        assert!(!recovery.is_due(start) && recovery.is_due(start + AGAIN_AFTER));
        recovery.done(Left::Nothing, start + AGAIN_AFTER);
        assert!(!recovery.is_due(start + Duration::from_hours(1)));
    }

    /// A claim whose answer was lost may be carried out after the first recovery.
    #[test]
    fn after_a_lost_answer_the_last_one_comes_when_nothing_can_come_any_more() {
        let start = Instant::now();
        let mut recovery = Recovery::at_start(start);
        recovery.done(Left::Nothing, start);
        recovery.answer_was_lost(start);
        let mut last = None;
        let mut now = start;
        while now < start + Duration::from_mins(5) {
            if recovery.is_due(now) {
                recovery.done(Left::Nothing, now);
                last = Some(now);
            }
            now += Duration::from_secs(1);
        }
        let last = last.unwrap() - start;
        assert!((UNSURE_FOR..UNSURE_FOR + AGAIN_AFTER).contains(&last), "{last:?}");
    }
}
