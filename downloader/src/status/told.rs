//! What was told of one feed, and what is worth telling next. Pure: the time is handed in.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::Status;

/// How often a state that lasts is told again.
const REMINDER: Duration = Duration::from_mins(10);
/// How often at most it is told that a state has another reason.
const REASONS: Duration = Duration::from_mins(1);
/// How long trouble may last that often passes by itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is told of a feed that is recorded.
const RECORDS: &str = "records";
const RECORDS_AGAIN: &str = "records again";

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

/// How often a state may be told within [`REASONS`], each time for another reason.
const MOST_LATELY: usize = 3;

/// A line in the log.
#[derive(Debug)]
struct Telling {
    status: Status,
    line: String,
    severity: Severity,
    when: Instant,
}

/// The state of a feed, and what was told of it.
#[derive(Debug)]
pub(super) struct Told {
    status: Status,
    detail: String,
    /// When it began.
    since: Instant,
    /// When each state that was left began and ended.
    past: [Option<(Instant, Instant)>; Status::ALL.len()],
    /// What was told within [`REASONS`], and the last before that.
    tellings: VecDeque<Telling>,
    /// What the last look for an address came to.
    look: (Status, String),
    /// What was last mentioned beside it, and when.
    mentioned: Option<(String, Instant)>,
}

impl Told {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            status: Status::Starting,
            detail: String::new(),
            since: now,
            past: Default::default(),
            tellings: VecDeque::new(),
            look: (Status::Starting, String::new()),
            mentioned: None,
        }
    }

    pub(super) fn status(&self) -> Status {
        self.status
    }

    /// Enters a state; returns what is to be told, if anything. One that was left a moment ago goes on, so that
    /// what comes and goes counts as trouble that lasts, and is not told each time.
    pub(super) fn enter(
        &mut self,
        status: Status,
        detail: &str,
        important: bool,
        now: Instant,
    ) -> Option<(Severity, String)> {
        let before = self.status;
        if status != before {
            self.past[before as usize] = Some((self.since, now));
            self.status = status;
            self.since = match self.past[status as usize] {
                Some((since, left)) if now.saturating_duration_since(left) < PATIENCE => since,
                _ => now,
            };
        }
        detail.clone_into(&mut self.detail);
        let severity = self.severity(important, now);
        let line = match (status, before) {
            (Status::Starting, _) => return None,
            (Status::Up, _) if self.tellings.is_empty() => RECORDS.to_owned(),
            (Status::Up, _) => RECORDS_AGAIN.to_owned(),
            _ => detail.to_owned(),
        };
        while self.tellings.len() > 1
            && now.saturating_duration_since(self.tellings[0].when) >= REASONS
        {
            self.tellings.pop_front();
        }
        self.is_news(status != before, &line, severity, now).then(|| {
            let told = Telling { status, line: line.clone(), severity, when: now };
            self.tellings.push_back(told);
            (severity, line)
        })
    }

    /// The last look for an address ended so.
    pub(super) fn looked(&mut self, status: Status, detail: &str) {
        self.look = (status, detail.to_owned());
    }

    /// Whether something that is no state is worth telling; if so, it counts as told.
    pub(super) fn mention(&mut self, message: &str, now: Instant) -> bool {
        let known = self.mentioned.as_ref().is_some_and(|(mentioned, when)| {
            let patience = if mentioned == message { REMINDER } else { REASONS };
            now.saturating_duration_since(*when) < patience
        });
        if !known {
            self.mentioned = Some((message.to_owned(), now));
        }
        !known
    }

    /// Whether the state that it is in now is worth telling.
    fn is_news(&self, is_another: bool, line: &str, severity: Severity, now: Instant) -> bool {
        if self.status == Status::Up {
            return self.tellings.back().is_none_or(|last| last.status != Status::Up);
        }
        let is_lately = |told: &&Telling| now.saturating_duration_since(told.when) < REASONS;
        let lately = self.tellings.iter().filter(is_lately);
        let lately: Vec<_> = lately.filter(|told| told.status == self.status).collect();
        let Some(told_as) = lately.iter().map(|told| told.severity).max() else {
            return is_another || self.is_worth_repeating(line, severity, now);
        };
        // it comes and goes for one reason, or has another reason each time that it is met
        let is_the_same = !is_another || lately.iter().any(|told| told.line == line);
        severity > told_as || (!is_the_same && lately.len() < MOST_LATELY)
    }

    /// Whether something has to be told again of a state that is known.
    fn is_worth_repeating(&self, line: &str, severity: Severity, now: Instant) -> bool {
        let Some(last) = self.tellings.back() else { return true };
        let ago = now.saturating_duration_since(last.when);
        severity > last.severity || ago >= REMINDER || (last.line != line && ago >= REASONS)
    }

    fn severity(&self, important: bool, now: Instant) -> Severity {
        match self.status {
            Status::Offline if important => Severity::Degraded,
            Status::Starting | Status::Up | Status::Offline | Status::AdsOnly => Severity::Normal,
            Status::Unreachable => Severity::Degraded,
            // addresses expire, qualities appear some time after the stream, and an error page or a full disk
            // may be gone in a moment
            Status::Refused | Status::Changed | Status::Failing if self.lasts(now) < PATIENCE => {
                Severity::Degraded
            }
            Status::Refused | Status::Changed | Status::Failing => Severity::Act,
        }
    }

    /// Whether somebody should look at it.
    pub(super) fn needs_somebody(&self, important: bool, now: Instant) -> bool {
        let is_up = self.status == Status::Up;
        self.severity(important, now) == Severity::Act
            || (important && !is_up && self.lasts(now) >= PATIENCE)
            // it records for as long as the address holds that it has
            || matches!(self.look.0, Status::Refused | Status::Changed)
    }

    /// The state in words.
    pub(super) fn describe(&self, now: Instant) -> String {
        let token = self.status.token();
        match (self.status, self.detail.as_str()) {
            (Status::Up, _) => match &self.look {
                (Status::Starting | Status::Up, _) => token.to_owned(),
                (found, why) => format!("{token}, but no other address ({}): {why}", found.token()),
            },
            (_, "") => format!("{token} for {} s", self.lasts(now).as_secs()),
            (_, detail) => format!("{token} for {} s: {detail}", self.lasts(now).as_secs()),
        }
    }

    fn lasts(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}
