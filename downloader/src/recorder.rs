//! Carrying out what the planner decides, for one feed: fetches, notes, metrics.
//!
//! A recorder outlives the addresses that its feed is followed at, so that fetches go on, and what is
//! known stays known, while a new address is looked for. It owns every fetch that it starts. Whoever
//! drives it waits for [`Recorder::next`] and hands the outcome back to [`Recorder::done`].

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use common::base::time::{Clock, Hour, Timestamp};
use common::format::segment::Completeness;
use common::io::store::notes::{Notes, Why};
use common::io::store::{Feed, Store};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};
use tracing::Instrument;
use url::Url;

use crate::Shared;
use crate::fetch::{Fetched, Fetcher};
use crate::formats::Formats;
use crate::held::{Held, Holding, Late, Work};
use crate::known::{Known, MAX_HOURS};
use crate::metrics::FeedMetrics;
use crate::noting;
use crate::planner::{
    self, Attempt, Event, Failure, Job, Now, Planner, Retry, Saved, SegmentId, Shown, SourceId,
    Urgency,
};
use crate::provider::Rules;
use crate::recall::{Recall, recall};
use crate::status::{FeedStatus, Status};

/// How long a feed waits at its start for what was recorded before: the disk may have been at rest, and be
/// asked for it by all feeds at once.
const RECALLED_WITHIN: Duration = Duration::from_secs(20);

/// Records one feed.
#[derive(Debug)]
pub(crate) struct Recorder {
    feed: Feed,
    store: Store,
    holding: Holding,
    /// How long the disk may take over an answer.
    patience: Duration,
    clock: Arc<dyn Clock>,
    max_fetches: usize,
    fetcher: Arc<Fetcher>,
    planner: Planner,
    known: Known,
    /// What reads what is stored, and hangs.
    reading: Option<Late<()>>,
    /// What reads what was recorded before, where that takes long.
    recalling: Option<Recalling>,
    formats: Formats,
    notes: noting::Writer,
    fetches: JoinSet<(Job, Fetched)>,
    /// Tells the fetch of a segment where else it is listed.
    elsewhere: HashMap<SegmentId, watch::Sender<Option<Arc<Job>>>>,
    /// Segments that wait for the disk.
    landings: JoinSet<Done>,
    metrics: FeedMetrics,
    status: FeedStatus,
}

/// A fetch that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    job: Job,
    attempt: Attempt,
    /// Whether only a copy landed, while a better one is asked for.
    is_copy: bool,
}

/// What a list told beside its segments.
#[derive(Debug)]
pub(crate) struct Observed {
    /// Whether its clock jumps.
    pub(crate) is_doubted: bool,
    /// Why its newest segment may not be decrypted, if it may not.
    pub(crate) locked: Option<String>,
}

/// What the end of a fetch tells of the source whose list it went by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A segment is stored as good as it will be.
    Good(SourceId),
    /// One of the newest did not come whole at the first attempt.
    Poor(SourceId, String),
    /// Nothing.
    Neutral,
}

impl Outcome {
    fn of(job: &Job, attempt: &Attempt) -> Self {
        let whole = attempt.saved.filter(|saved| saved.completeness != Completeness::Partial);
        let ours = |why| matches!(why, Why::DiskFull | Why::Stopped);
        match &attempt.failure {
            None if whole.is_some() => Self::Good(attempt.elsewhere.unwrap_or(job.source)),
            Some(failure)
                if job.attempt == 1 && job.urgency <= Urgency::AtEdge && !ours(failure.why) =>
            {
                Self::Poor(job.source, failure.detail.clone())
            }
            _ => Self::Neutral,
        }
    }
}

impl Recorder {
    /// A recorder for `feed`, the `rank`th best quality (0 is the best) of its channel, that knows what was
    /// recorded last.
    pub(crate) async fn open(
        shared: &Shared,
        feed: Feed,
        rank: usize,
        rules: &Rules,
        status: FeedStatus,
    ) -> Self {
        let store = shared.store.clone();
        let notes = Notes::new(store.clone(), shared.node.clone(), feed.clone());
        let means = shared.means.clone();
        let (holding, patience) = (means.holding.clone(), means.patience.disk);
        let mut recalling = Some(Recalling::begin(&holding, &store, &feed, &notes, None));
        let recalled = timeout(RECALLED_WITHIN, late(&mut recalling)).await.ok().flatten();
        if recalled.is_some() {
            recalling = None;
        } else {
            tracing::warn!(
                "the disk is slow to tell what was recorded before; recording begins without it"
            );
        }
        let recalled = recalled.map(read).unwrap_or_default();
        Self {
            fetcher: Arc::new(Fetcher::new(means, feed.clone(), rank, rules)),
            notes: noting::Writer::new(store.clone(), holding.clone(), notes),
            metrics: shared.downloader_metrics.of(&feed),
            feed,
            store,
            holding,
            patience,
            clock: Arc::clone(&shared.clock),
            max_fetches: rules.max_fetches,
            planner: Planner::new(rules.trust, &recalled),
            known: Known::default(),
            reading: None,
            recalling,
            formats: Formats::default(),
            fetches: JoinSet::new(),
            elsewhere: HashMap::new(),
            landings: JoinSet::new(),
            status,
        }
    }

    /// The metrics of the feed.
    pub(crate) fn metrics(&self) -> &FeedMetrics {
        &self.metrics
    }

    /// Says why segments may be missed from now until the next list.
    pub(crate) fn interrupted(&mut self, why: Why) {
        self.planner.interrupted(why, self.clock.now());
    }

    /// Begins to follow the feed at another address beside those that are open.
    pub(crate) fn open_source(&mut self, address: &Url) -> SourceId {
        self.planner.open(address)
    }

    /// Ends a source.
    pub(crate) fn close(&mut self, source: SourceId) {
        let events = self.planner.close(source);
        self.tell(events);
    }

    /// Takes in a list of `source`.
    pub(crate) async fn observe(&mut self, source: SourceId, shown: &Shown<'_>) -> Observed {
        let now = self.now();
        let mut events = self.planner.observe(source, shown, now);
        self.read_fresh_hours().await;
        events.extend(self.planner.admit(&self.known, now));
        let is_doubted = events.iter().any(|event| matches!(event, Event::Doubted { .. }));
        self.tell(events);
        Observed { is_doubted, locked: shown.list.segments.last().and_then(planner::locked) }
    }

    /// Waits for a segment to be stored, or not.
    ///
    /// Cancel safety: nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Done {
        loop {
            tokio::select! {
                biased;
                Some(landed) = self.landings.join_next() => return joined(landed),
                Some(fetched) = self.fetches.join_next() => match joined(fetched) {
                    (job, Fetched::Done(attempt)) => {
                        return Done { job, attempt, is_copy: false };
                    }
                    (job, Fetched::Held(held)) => {
                        if let Some(done) = self.hold(job, held) {
                            return done;
                        }
                    }
                },
                true = self.notes.written() => {}
                Some(recalled) = late(&mut self.recalling) => self.recalled(recalled),
                else => std::future::pending().await,
            }
        }
    }

    /// Takes in what was recorded before, late.
    fn recalled(&mut self, recalled: io::Result<Recall>) {
        let Some(Recalling { notes, before, .. }) = self.recalling.take() else { return };
        let first = self.planner.first();
        if first.is_some() && before.is_none() {
            // it may be all of what this process has recorded meanwhile
            let (holding, store) = (&self.holding, &self.store);
            self.recalling = Some(Recalling::begin(holding, store, &self.feed, &notes, first));
            return;
        }
        let events = self.planner.recalled(&read(recalled));
        self.tell(events);
    }

    /// Lets a segment wait for the disk while others are fetched. Where a better copy is wanted, the job
    /// ends at once, since that may be gone by the time the disk takes this one.
    fn hold(&mut self, job: Job, mut held: Box<Held>) -> Option<Done> {
        let failure = held.failure.take();
        let is_copy = failure.is_some();
        if is_copy {
            self.planner.copy_held(job.id, held.completeness, held.size);
        } else {
            self.planner.held(job.id);
        }
        let waits = job.clone();
        let land = async move {
            let attempt = held.land().await;
            Done { job: waits, attempt, is_copy }
        };
        self.landings.spawn(land.in_current_span());
        let attempt = Attempt::failed(failure?);
        Some(Done { job, attempt, is_copy: false })
    }

    /// When a segment becomes due that is not yet.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.planner.next_due(Instant::now())
    }

    /// Waits for the fetches under way, which end soon once the downloader stops, and notes why what
    /// was listed and is not saved is missing.
    pub(crate) async fn finish(&mut self) {
        while !self.fetches.is_empty() || !self.landings.is_empty() {
            let done = self.next().await;
            self.done(done);
        }
        let events = self.planner.stop(self.now());
        self.tell(events);
        self.notes.finish().await;
    }

    fn now(&self) -> Now {
        Now { wall: self.clock.now(), instant: Instant::now() }
    }

    /// Begins the fetches that are due.
    pub(crate) fn start_due(&mut self) {
        // one is left for a second attempt beside one that is slow
        let first_attempts = self.max_fetches.saturating_sub(1).max(1);
        let jobs = self.planner.due(Instant::now(), first_attempts);
        for job in jobs {
            let fetcher = Arc::clone(&self.fetcher);
            let (tell, elsewhere) = watch::channel(None);
            self.elsewhere.insert(job.id, tell);
            let fetch = async move {
                let outcome = fetcher.fetch(&job, &elsewhere).await;
                (job, outcome)
            };
            self.fetches.spawn(fetch.in_current_span());
        }
    }

    /// Takes in how a fetch ended; says what that tells of the address.
    pub(crate) fn done(&mut self, Done { job, attempt, is_copy }: Done) -> Outcome {
        let delivered =
            attempt.saved.is_some_and(|saved| saved.completeness != Completeness::Partial);
        let outcome = if is_copy { Outcome::Neutral } else { Outcome::of(&job, &attempt) };
        if let Some(failure) = &attempt.failure {
            self.failed(&job, failure);
        }
        let mut events = Vec::new();
        if let Some(saved) = attempt.saved {
            self.saved(&job, saved);
            if let Some(format) = attempt.format.clone().filter(|_| delivered) {
                let end = job.start + job.duration.delta();
                events = self.formats.stored(job.start, end, format);
            }
        }
        if is_copy {
            self.planner.copy_landed(job.id, attempt.saved);
        } else {
            self.elsewhere.remove(&job.id);
            events.extend(self.planner.finish(job.id, attempt, Instant::now()));
        }
        self.tell(events);
        outcome
    }

    fn failed(&mut self, job: &Job, failure: &Failure) {
        let detail = &failure.detail;
        tracing::debug!(start = %job.start, attempt = job.attempt, detail, "an attempt failed");
        // what is tried again at once may still be had
        if failure.why == Why::DiskFull && !matches!(failure.retry, Retry::After(_)) {
            let message = format!("a segment is given up: {detail}; make room, or mend the disk");
            self.status.set(Status::Failing, &message);
        }
    }

    fn saved(&mut self, job: &Job, saved: Saved) {
        let Job { start, duration, .. } = *job;
        tracing::debug!(%start, completeness = saved.completeness.token(), "saved a segment");
        if saved.is_new {
            self.metrics.saved(saved.completeness, start, duration, saved.size);
            self.metrics.published_after(job.listed.elapsed());
        }
        if saved.completeness == Completeness::Full {
            self.known.insert(start, duration);
        }
    }

    /// Reads what the store has of the hours that the planner asks about. While the disk does not answer,
    /// they stay unread: fetching again what is there costs only time.
    async fn read_fresh_hours(&mut self) {
        let fresh = self.planner.fresh_hours().into_iter().rev().take(MAX_HOURS);
        let hours: Vec<_> = fresh.filter(|hour| !self.known.has_read(*hour)).collect();
        if hours.is_empty() || self.holding.hangs() {
            return;
        }
        // never two at a time
        if let Some(reading) = &mut self.reading
            && timeout(Duration::ZERO, reading).await.is_err()
        {
            return;
        }
        self.reading = None;
        let feed = self.feed.clone();
        let read = move |store: &Store| {
            let read = |hour| (hour, store.file_names(&feed, hour));
            hours.into_iter().map(read).collect::<Vec<_>>()
        };
        match self.holding.ask(Work::Listings, self.patience, &self.store, read).await {
            Ok(read) => read.into_iter().for_each(|(hour, names)| self.take_in(hour, names)),
            Err(late) => self.reading = late.map(|late| late.map(drop)),
        }
    }

    fn take_in(&mut self, hour: Hour, names: io::Result<Vec<String>>) {
        match names {
            Ok(names) => self.known.read(hour, &names),
            Err(error) => tracing::warn!(%hour, "cannot tell what is stored: {error}"),
        }
    }

    /// Logs, counts and notes down what happened.
    fn tell(&mut self, events: Vec<Event>) {
        let learned = self.clock.now();
        for event in &events {
            match event {
                Event::Missed { why, .. } => self.metrics.missed(*why),
                Event::Skew { by, source } => self.metrics.skewed(*by, source.0),
                Event::Advertisement => self.metrics.advertisement(),
                Event::Renumbered => tracing::info!("the publisher numbers its segments anew"),
                Event::Elsewhere { id } => {
                    if let Some((fetch, job)) =
                        self.elsewhere.get(id).zip(self.planner.elsewhere(*id))
                    {
                        fetch.send_replace(Some(Arc::new(job)));
                    }
                }
                Event::Discontinuity { .. } | Event::Doubted { .. } => {}
            }
        }
        let notes = noting::notes(events, learned);
        noting::log(&notes);
        self.notes.add(notes);
    }
}

/// Reads what was recorded before, however long that takes.
#[derive(Debug)]
struct Recalling {
    reading: Late<io::Result<Recall>>,
    notes: Notes,
    /// Before when, if not before now.
    before: Option<Timestamp>,
}

impl Recalling {
    fn begin(
        holding: &Holding,
        store: &Store,
        feed: &Feed,
        notes: &Notes,
        before: Option<Timestamp>,
    ) -> Self {
        let (holding, store, feed) = (holding.clone(), store.clone(), feed.clone());
        let (of_thread, notes) = (notes.clone(), notes.clone());
        let reading = Late::of(async move {
            let recall = move |store: &Store| recall(store, &feed, &of_thread, before);
            holding.ask_patiently(Work::Listings, &store, recall).await
        });
        Self { reading, notes, before }
    }
}

/// What was recorded before, as far as it can be told.
fn read(recalled: io::Result<Recall>) -> Recall {
    recalled.unwrap_or_else(|error| {
        tracing::warn!("cannot tell what was recorded before: {error}");
        Recall::default()
    })
}

/// What was read, once it is; none at once, if nothing is being read.
async fn late(recalling: &mut Option<Recalling>) -> Option<io::Result<Recall>> {
    match recalling {
        Some(recalling) => Some((&mut recalling.reading).await),
        None => None,
    }
}

/// The output of a task that nobody stopped.
pub(crate) fn joined<T>(output: Result<T, JoinError>) -> T {
    // a bug of ours: the service ends, and begins anew in a clean state
    output.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests;
