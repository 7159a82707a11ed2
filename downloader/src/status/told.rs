//! What was told of one feed, and what is worth telling next. Pure: the time is handed in.

use std::time::Duration;

use tokio::time::Instant;

use super::Status;

/// How often a state that lasts is told again.
const REMINDER: Duration = Duration::from_mins(10);
/// How often at most it is told that a state has another reason.
const REASONS: Duration = Duration::from_mins(1);
/// How long trouble may last that often passes by itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// How much a state asks of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Nothing.
    Normal,
    /// To look at it some time.
    Degraded,
    /// To act: video is being lost and will be until somebody does.
    Act,
}

/// The state of a feed, and what was told of it.
#[derive(Debug)]
pub(super) struct Told {
    status: Status,
    detail: String,
    /// When it began.
    since: Instant,
    /// What was last told of it, how gravely, and when.
    last: Option<(String, Severity, Instant)>,
    /// What was last mentioned beside it, and when.
    mentioned: Option<(String, Instant)>,
}

impl Told {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            status: Status::Starting,
            detail: String::new(),
            since: now,
            last: None,
            mentioned: None,
        }
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> Status {
        self.status
    }

    /// Enters a state; returns what is to be told, if anything.
    pub(super) fn enter(
        &mut self,
        status: Status,
        detail: &str,
        important: bool,
        now: Instant,
    ) -> Option<(Severity, String)> {
        let before = self.status;
        if status != before {
            self.status = status;
            self.since = now;
        }
        detail.clone_into(&mut self.detail);
        let severity = self.severity(important, now);
        let line = match (status, before) {
            (Status::Starting, _) | (Status::Up, Status::Up) => return None,
            (Status::Up, Status::Starting) => "records".to_owned(),
            (Status::Up, _) => "records again".to_owned(),
            _ => detail.to_owned(),
        };
        let is_news = status != before || self.is_worth_repeating(&line, severity, now);
        is_news.then(|| {
            self.last = Some((line.clone(), severity, now));
            (severity, line)
        })
    }

    /// Whether something that is no state is worth telling; if so, it counts as told.
    pub(super) fn mention(&mut self, message: &str, now: Instant) -> bool {
        let known = self.mentioned.as_ref().is_some_and(|(mentioned, when)| {
            mentioned == message && now.saturating_duration_since(*when) < REMINDER
        });
        if !known {
            self.mentioned = Some((message.to_owned(), now));
        }
        !known
    }

    /// Whether something has to be told again of a state that is known.
    fn is_worth_repeating(&self, line: &str, severity: Severity, now: Instant) -> bool {
        let Some((last, told_as, when)) = &self.last else { return true };
        let ago = now.saturating_duration_since(*when);
        severity > *told_as || ago >= REMINDER || (last != line && ago >= REASONS)
    }

    fn severity(&self, important: bool, now: Instant) -> Severity {
        match self.status {
            Status::Offline if important => Severity::Degraded,
            Status::Starting | Status::Up | Status::Offline | Status::AdsOnly => Severity::Normal,
            Status::Unreachable => Severity::Degraded,
            // qualities appear some time after the stream, and a disk may be full for a moment
            Status::Failing if self.lasts(now) < PATIENCE => Severity::Degraded,
            Status::Refused | Status::Changed | Status::Failing => Severity::Act,
        }
    }

    /// Whether somebody should look at it.
    pub(super) fn needs_somebody(&self, important: bool, now: Instant) -> bool {
        let is_up = self.status == Status::Up;
        self.severity(important, now) == Severity::Act
            || (important && !is_up && self.lasts(now) >= PATIENCE)
    }

    /// The state in words.
    pub(super) fn describe(&self, now: Instant) -> String {
        let token = self.status.token();
        match (self.status, self.detail.as_str()) {
            (Status::Up, _) => token.to_owned(),
            (_, "") => format!("{token} for {} s", self.lasts(now).as_secs()),
            (_, detail) => format!("{token} for {} s: {detail}", self.lasts(now).as_secs()),
        }
    }

    fn lasts(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}
