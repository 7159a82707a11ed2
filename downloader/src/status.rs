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
    feeds: Arc<Mutex<Vec<FeedStatus>>>,
}

impl Statuses {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let help = "1 for the state that the feed is in, 0 for all others";
        let gauges = metrics.gauge("feed_status", help, &["channel", "quality", "status"]);
        Self { gauges, feeds: Arc::default() }
    }

    /// The state of one feed, to be asked for once; `important` says that it should always be up.
    pub(crate) fn of(&self, feed: &Feed, important: bool) -> FeedStatus {
        let (channel, quality) = (feed.channel.as_str(), feed.quality.as_str());
        let gauge =
            |status: Status| self.gauges.with_label_values(&[channel, quality, status.token()]);
        let inner = Inner {
            name: format!("{channel} {quality}"),
            important,
            gauges: Status::ALL.map(gauge),
            told: Mutex::new(Told::new(Instant::now())),
        };
        let feed = FeedStatus(Arc::new(inner));
        feed.0.show(Status::Starting);
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
    gauges: [IntGauge; 8],
    told: Mutex<Told>,
}

impl FeedStatus {
    /// Enters a state, and logs it in the span of the caller if it is news: `detail` is a sentence for
    /// whoever has to do something about it.
    pub(crate) fn set(&self, status: Status, detail: &str) {
        let detail = clean(detail);
        let line = {
            let mut told = self.0.told();
            self.0.show(status);
            told.enter(status, &detail, self.0.important, Instant::now())
        };
        match line {
            None => tracing::debug!(status = status.token(), "{detail}"),
            Some((Severity::Normal, line)) => tracing::info!(status = status.token(), "{line}"),
            Some((Severity::Degraded, line)) => tracing::warn!(status = status.token(), "{line}"),
            Some((Severity::Act, line)) => tracing::error!(status = status.token(), "{line}"),
        }
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
    #[cfg(test)]
    pub(crate) fn get(&self) -> Status {
        self.0.told().status()
    }
}

impl Inner {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, status: Status) {
        for (gauge, of) in self.gauges.iter().zip(Status::ALL) {
            gauge.set(i64::from(of == status));
        }
    }

    fn line(&self, now: Instant) -> String {
        format!("{}: {}", self.name, self.told().describe(now))
    }
}

#[cfg(test)]
mod tests;
