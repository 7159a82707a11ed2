//! Fetching one segment: from its address to a published file, or to a reason why not.
//!
//! Everything about an attempt is bounded: waiting for headers, pauses, the whole, the size
//! ([`Patience`]). One that is slow gets a second one beside it, over a connection of its own, and the
//! first to bring the segment whole wins ([`race`]). The body goes to a temp file while it arrives, or to
//! memory where the disk refuses ([`intake`]) or does not answer ([`handing`]); how it ended and what it
//! looks like decide the name under which it is published ([`body`]).
//!
//! When the downloader stops, an attempt has [`STOP_GRACE`] to end; what has arrived by then is kept
//! as partial, since the segment may be gone before we are back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::format::folder::FolderName;
use common::io::http::client::Client;
use common::io::store::notes::Why;
use common::io::store::{Feed, Store};
use common::service::CancellationToken;
use tokio::sync::{Semaphore, watch};

mod aside;
mod attempt;
mod body;
mod cache;
mod cipher;
mod crowd;
mod gathered;
mod handing;
mod intake;
mod leaving;
mod pair;
mod patience;
mod race;
mod request;

use aside::{Asides, Asking};
use attempt::Plan;
pub(crate) use cipher::undecipherable;
use crowd::Crowd;
use gathered::Gathering;
use handing::{STORES_WITHIN, Unconfirmed};
use intake::Lost;
pub(crate) use pair::either;
use pair::{MAX_SECOND_ATTEMPTS, Permits};
pub(crate) use patience::Patience;
use race::GivenUp;
use request::locate;

use crate::disk::Stored;
use crate::held::{Held, Holding, Stuck, Target};
use crate::planner::{Attempt, Failure, Job, Retry};
use crate::provider::Rules;

/// The largest segment that is taken, in bytes.
const MAX_SEGMENT_BYTES: u64 = 256 << 20;

/// How long an attempt may go on after the downloader was asked to stop.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(1);

/// What the fetchers of all feeds share; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) holding: Holding,
    pub(crate) stored: Stored,
    pub(crate) stop: CancellationToken,
    pub(crate) patience: Patience,
    /// The largest segment that is taken, in bytes.
    largest: u64,
    gathering: Gathering,
    crowd: Crowd,
    unconfirmed: Unconfirmed,
    second_attempts: Arc<Semaphore>,
    /// What allows the attempts of those channels whose feeds share them.
    of_channels: Arc<Mutex<HashMap<FolderName, Arc<Semaphore>>>>,
}

impl Means {
    pub(crate) fn new(
        client: Client,
        store: Store,
        holding: Holding,
        stored: Stored,
        stop: CancellationToken,
    ) -> Self {
        let second_attempts = Arc::new(Semaphore::new(MAX_SECOND_ATTEMPTS));
        Self {
            client,
            store,
            holding,
            stored,
            stop,
            patience: Patience::default(),
            largest: MAX_SEGMENT_BYTES,
            gathering: Gathering::default(),
            crowd: Crowd::default(),
            unconfirmed: Unconfirmed::default(),
            second_attempts,
            of_channels: Arc::default(),
        }
    }

    /// What allows the attempts of `feed`: that of its whole channel where the rules have one.
    fn allowed(&self, feed: &Feed, rules: &Rules) -> Arc<Semaphore> {
        let Some(most) = rules.max_channel_fetches else {
            return Arc::new(Semaphore::new(rules.max_fetches));
        };
        let mut of_channels = self.of_channels.lock().unwrap_or_else(PoisonError::into_inner);
        let of_channel = of_channels.entry(feed.channel.clone());
        Arc::clone(of_channel.or_insert_with(|| Arc::new(Semaphore::new(most))))
    }

    /// How many bytes are in memory because the disk has not confirmed them, though it does confirm what it is
    /// given. While it does not, whatever is begun in pieces will have to be fetched again.
    fn in_memory(&self) -> usize {
        let confirms = self.holding.has_stored_within(STORES_WITHIN);
        if confirms { self.unconfirmed.bytes() } else { 0 }
    }

    /// Waits until what is under way has to end, because the downloader stops.
    async fn cut_off(&self) {
        self.stop.cancelled().await;
        // from now on all has to end in time
        self.holding.stopping();
        tokio::time::sleep(self.patience.stop).await;
    }
}

/// Where else a segment is listed, as the job that goes by that list, once that is known.
pub(crate) type Elsewhere = watch::Receiver<Option<Arc<Job>>>;

/// What became of a fetch.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// It is over.
    Done(Attempt),
    /// It was received and judged, and waits for the disk.
    Held(Box<Held>),
}

/// Fetches the segments of one feed.
#[derive(Debug)]
pub(crate) struct Fetcher {
    means: Means,
    feed: Feed,
    /// How many qualities are better than this one.
    rank: usize,
    permits: Permits,
    asides: Asides,
    given_up: GivenUp,
    /// What hangs over the feed.
    stuck: Stuck,
}

impl Fetcher {
    /// A fetcher for `feed`, the `rank`th best of the qualities (0 is the best) of its channel, that has
    /// no more attempts under way than the `rules` allow.
    pub(crate) fn new(means: Means, feed: Feed, rank: usize, rules: &Rules) -> Self {
        let allowed = means.allowed(&feed, rules);
        let permits = Permits::new(allowed, Arc::clone(&means.second_attempts));
        let (asides, given_up) = (Asides::default(), GivenUp::default());
        Self { means, feed, rank, permits, asides, given_up, stuck: Stuck::default() }
    }

    /// Fetches the segment of `job` once, or twice side by side, and publishes what came of it. Once it is
    /// listed `elsewhere`, the second attempt goes there, and silence is not borne for as long as otherwise.
    ///
    /// Cancel safety: dropped before its end, nothing is left of it, unless it was just being published.
    pub(crate) async fn fetch(&self, job: &Job, elsewhere: &Elsewhere) -> Fetched {
        let fetched = match self.prepare(job).await {
            // two attempts at once are a large future, which most of the time is not needed
            Ok(plan) => Box::pin(self.attempts(&plan, elsewhere)).await,
            Err(failure) => Err(Lost::nothing(failure)),
        };
        let lost = match fetched {
            Ok(fetched) => return fetched,
            Err(lost) => lost,
        };
        if lost.failure.why == Why::Damaged {
            self.asides.forget_keys(job);
            if let Some(there) = elsewhere.borrow().as_deref() {
                self.asides.forget_keys(there);
            }
        }
        self.publish(job, lost).await
    }

    /// Gets what the segment needs beside its own bytes, unless the downloader stops meanwhile.
    async fn prepare<'a>(&self, job: &'a Job) -> Result<Plan<'a>, Failure> {
        tokio::select! {
            biased;
            () = self.means.cut_off() => Err(stopped()),
            prepared = self.prepare_at_leisure(job) => prepared,
        }
    }

    async fn prepare_at_leisure<'a>(&self, job: &'a Job) -> Result<Plan<'a>, Failure> {
        let url = locate(&job.base, &job.segment.uri)?;
        let asking = Asking { means: &self.means, permits: &self.permits };
        let front = self.asides.section(asking, job).await?;
        let decryption = self.asides.decryption(asking, job).await?;
        Ok(Plan { job, url, front, decryption })
    }

    fn target(&self, job: &Job) -> Target {
        Target {
            store: self.means.store.clone(),
            feed: self.feed.clone(),
            start: job.start,
            duration: job.duration,
            stored: self.means.stored.clone(),
            stuck: self.stuck.clone(),
        }
    }
}

fn too_slow() -> Failure {
    Failure { why: Why::TimeOut, detail: "too slow".to_owned(), retry: Retry::Later }
}

fn gone() -> Failure {
    let detail = "another segment is at its address".to_owned();
    Failure { why: Why::Expired, detail, retry: Retry::WhileListed }
}

fn stopped() -> Failure {
    let detail = "the downloader was stopped".to_owned();
    Failure { why: Why::Stopped, detail, retry: Retry::Never }
}

#[cfg(test)]
mod tests;
