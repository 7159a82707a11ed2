//! How each feed is doing: what people were told of it, in the log, in a metric and in `/healthz`.
//!
//! «Offline» and «we are broken» ask for different people, so they are different states everywhere. A
//! state is told when it begins and now and then while it lasts, however often it is met.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::io::store::Feed;
use common::metrics::Metrics;
use common::service::Parts;
use prometheus::{IntGauge, IntGaugeVec};
use tokio::time::Instant;

mod told;

use crate::foreign::clean;
use told::{Severity, Told};

/// How a feed is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing is known yet.
    Starting,
    /// It is recorded.
    Up,
    /// There is no stream.
    Offline,
    /// We may not see it.
    Refused,
    /// The answers make no sense to us: what we ask, or how, may be out of date.
    Changed,
    /// There are no answers.
    Unreachable,
    /// There is nothing but advertisements.
    AdsOnly,
    /// It was found, but nothing can be recorded.
    Failing,
}

impl Status {
    const ALL: [Self; 8] = [
        Self::Starting,
        Self::Up,
        Self::Offline,
        Self::Refused,
        Self::Changed,
        Self::Unreachable,
        Self::AdsOnly,
        Self::Failing,
    ];

    /// The word for it.
    pub(crate) const fn token(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Offline => "offline",
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::Unreachable => "unreachable",
            Self::AdsOnly => "ads-only",
            Self::Failing => "failing",
        }
    }
}

/// The states of all feeds; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Statuses {
    gauges: IntGaugeVec,
    lookups: IntGaugeVec,
    feeds: Arc<Mutex<Vec<FeedStatus>>>,
}

impl Statuses {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let help = "1 for the state that the feed is in, 0 for all others";
        let gauges = metrics.gauge("feed_status", help, &["channel", "quality", "status"]);
        let help = "1 for what the last look for an address came to (up: found), 0 for all others";
        let lookups = metrics.gauge("feed_lookup_status", help, &["channel", "quality", "status"]);
        Self { gauges, lookups, feeds: Arc::default() }
    }

    /// The state of one feed, to be asked for once; `important` says that it should always be up.
    pub(crate) fn of(&self, feed: &Feed, important: bool) -> FeedStatus {
        let (channel, quality) = (feed.channel.as_str(), feed.quality.as_str());
        let of = |gauges: &IntGaugeVec| {
            Status::ALL.map(|status| gauges.with_label_values(&[channel, quality, status.token()]))
        };
        let inner = Inner {
            name: format!("{channel} {quality}"),
            important,
            gauges: of(&self.gauges),
            lookups: of(&self.lookups),
            told: Mutex::new(Told::new(Instant::now())),
        };
        let feed = FeedStatus(Arc::new(inner));
        show(&feed.0.gauges, Status::Starting);
        show(&feed.0.lookups, Status::Starting);
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(feed.clone());
        feed
    }

    /// A line for each feed.
    pub(crate) fn report(&self) -> Parts {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        feeds.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        let now = Instant::now();
        let degraded = feeds.iter().any(|feed| feed.0.told().needs_somebody(feed.0.important, now));
        Parts { degraded, lines: feeds.iter().map(|feed| feed.0.line(now)).collect() }
    }
}

/// The state of one feed; cheap to clone, and clones are the same state.
#[derive(Clone, Debug)]
pub(crate) struct FeedStatus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// For people.
    name: String,
    important: bool,
    gauges: [IntGauge; Status::ALL.len()],
    lookups: [IntGauge; Status::ALL.len()],
    told: Mutex<Told>,
}

impl FeedStatus {
    /// Enters a state, and logs it in the span of the caller if it is news: `detail` is a sentence for
    /// whoever has to do something about it.
    pub(crate) fn set(&self, status: Status, detail: &str) {
        let detail = clean(detail);
        let line = {
            let mut told = self.0.told();
            show(&self.0.gauges, status);
            told.enter(status, &detail, self.0.important, Instant::now())
        };
        match line {
            None => tracing::debug!(status = status.token(), "{detail}"),
            Some((Severity::Normal, line)) => tracing::info!(status = status.token(), "{line}"),
            Some((Severity::Degraded, line)) => tracing::warn!(status = status.token(), "{line}"),
            Some((Severity::Act, line)) => tracing::error!(status = status.token(), "{line}"),
        }
    }

    /// Enters a state again if it is the one that the feed is in: what lasts is told now and then.
    pub(crate) fn remind(&self, status: Status, detail: &str) {
        if self.get() == status {
            self.set(status, detail);
        }
    }

    /// Takes in what a look for an address came to, where [`Status::Up`] stands for one that was found:
    /// while the feed is still recorded at the address that it has, this says that it will not be.
    pub(crate) fn looked(&self, status: Status, detail: &str) {
        show(&self.0.lookups, status);
        self.0.told().looked(status, &clean(detail));
    }

    /// Warns of what is not a state yet but may become one, unless that was said just so a short while ago.
    pub(crate) fn mention(&self, message: &str) {
        let message = clean(message);
        if self.0.told().mention(&message, Instant::now()) {
            tracing::warn!("{message}");
        } else {
            tracing::debug!("{message}");
        }
    }

    /// The state that it is in.
    pub(crate) fn get(&self) -> Status {
        self.0.told().status()
    }
}

impl Inner {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, now: Instant) -> String {
        format!("{}: {}", self.name, self.told().describe(now))
    }
}

fn show(gauges: &[IntGauge], status: Status) {
    for (gauge, of) in gauges.iter().zip(Status::ALL) {
        gauge.set(i64::from(of == status));
    }
}

#[cfg(test)]
mod tests;
