//! Carrying out what the planner decides, for one feed: fetches, notes, metrics.
//!
//! A recorder outlives the addresses that its feed is followed at, so that fetches go on, and what is
//! known stays known, while a new address is looked for. It owns every fetch that it starts.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use common::base::time::{Clock, Timestamp};
use common::format::hls::MediaPlaylist;
use common::format::segment::Completeness;
use common::io::store::notes::{Note, Notes, Why};
use common::io::store::{Feed, Store};
use common::plan::listing::Segment;
use common::service::CancellationToken;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use url::Url;

use crate::Shared;
use crate::fetch::Fetcher;
use crate::known::{Known, MAX_HOURS};
use crate::metrics::FeedMetrics;
use crate::noting;
use crate::planner::{Attempt, Event, Job, Now, Planner};
use crate::trouble::{Severity, Trouble};

/// How many fetches of one feed may be under way.
const MAX_FETCHES: usize = 8;
/// How many notes are kept while they cannot be written.
const MAX_PENDING_NOTES: usize = 10_000;

/// Records one feed.
#[derive(Debug)]
pub(crate) struct Recorder {
    feed: Feed,
    store: Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    fetcher: Arc<Fetcher>,
    planner: Planner,
    known: Known,
    notes: Notes,
    pending_notes: Vec<Note>,
    fetches: JoinSet<(Job, Attempt)>,
    metrics: FeedMetrics,
    trouble: Trouble,
}

impl Recorder {
    /// A recorder for `feed` that knows where the store ends.
    pub(crate) async fn open(shared: &Shared, feed: Feed) -> Self {
        let store = shared.store.clone();
        let last_end = {
            let feed = feed.clone();
            store.blocking(move |store| last_end(store, &feed)).await
        };
        let last_end = last_end.unwrap_or_else(|error| {
            tracing::warn!("cannot tell where the recording ended before: {error}");
            None
        });
        let (client, stop) = (shared.client.clone(), shared.stop.clone());
        Self {
            fetcher: Arc::new(Fetcher::new(client, store.clone(), feed.clone(), stop.clone())),
            notes: Notes::new(store.clone(), shared.node.clone(), feed.clone()),
            metrics: shared.downloader_metrics.of(&feed),
            feed,
            store,
            clock: Arc::clone(&shared.clock),
            stop,
            planner: Planner::default(),
            known: Known::new(last_end),
            pending_notes: Vec::new(),
            fetches: JoinSet::new(),
            trouble: Trouble::default(),
        }
    }

    /// What people were told of this feed.
    pub(crate) fn trouble(&mut self) -> &mut Trouble {
        &mut self.trouble
    }

    /// Says why segments may have been missed until the next list.
    pub(crate) fn interrupted(&mut self, why: Why) {
        self.planner.interrupted(why);
    }

    /// Takes in a list that came from `base`; returns whether it brought news.
    pub(crate) async fn take_in(&mut self, list: &MediaPlaylist, base: Url) -> bool {
        let now = self.now();
        let (changed, events) = self.planner.observe(list, &Arc::new(base), now);
        self.tell(events).await;
        self.read_fresh_hours().await;
        let events = self.planner.admit(&self.known, now);
        self.tell(events).await;
        self.start_due();
        changed
    }

    /// Fetches what is due until `other` has ended or the downloader stops, when it returns `None`.
    ///
    /// Cancel safety: fetches go on when the future is dropped.
    pub(crate) async fn work_while<T>(&mut self, other: impl Future<Output = T>) -> Option<T> {
        let mut other = pin!(other);
        let stop = self.stop.clone();
        loop {
            self.start_due();
            let next_due = self.planner.next_due(Instant::now());
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                Some(joined) = self.fetches.join_next() => self.finished(joined).await,
                output = &mut other => return Some(output),
                () = until(next_due) => {}
            }
        }
    }

    /// Waits for the fetches under way, which end soon once the downloader stops, and notes why what
    /// was listed and is not saved is missing.
    pub(crate) async fn finish(&mut self) {
        while let Some(joined) = self.fetches.join_next().await {
            self.finished(joined).await;
        }
        let events = self.planner.stop();
        self.tell(events).await;
    }

    fn now(&self) -> Now {
        Now { wall: self.clock.now(), instant: Instant::now() }
    }

    /// Begins the fetches that are due.
    fn start_due(&mut self) {
        let jobs = self.planner.due(Instant::now(), MAX_FETCHES);
        for job in jobs {
            let fetcher = Arc::clone(&self.fetcher);
            self.fetches.spawn(async move {
                let attempt = fetcher.fetch(&job).await;
                (job, attempt)
            });
        }
    }

    async fn finished(&mut self, joined: Result<(Job, Attempt), JoinError>) {
        let (job, attempt) = match joined {
            Ok(finished) => finished,
            // a bug of ours: the service ends, and begins anew in a clean state
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let (start, duration) = (job.start, job.duration);
        if let Some(failure) = &attempt.failure {
            let detail = &failure.detail;
            tracing::debug!(%start, attempt = job.attempt, detail, "an attempt failed");
            if failure.why == Why::DiskFull {
                let message = format!("what comes {detail}; make room, or mend the disk");
                self.trouble.met(Severity::Failing, &message);
            }
        }
        if let Some(saved) = attempt.saved {
            tracing::debug!(%start, completeness = saved.completeness.token(), "saved a segment");
            self.trouble.over();
            if saved.is_new {
                self.metrics.saved(saved.completeness, start, duration, saved.size);
            }
            if saved.completeness == Completeness::Full {
                self.known.insert(start, duration);
            }
        }
        let event = self.planner.finish(job.id, attempt, Instant::now());
        self.tell(event.into_iter().collect()).await;
    }

    /// Reads what the store has of the hours that the planner asks about.
    async fn read_fresh_hours(&mut self) {
        for hour in self.planner.fresh_hours().into_iter().rev().take(MAX_HOURS) {
            if self.known.has_read(hour) {
                continue;
            }
            let feed = self.feed.clone();
            match self.store.blocking(move |store| store.file_names(&feed, hour)).await {
                Ok(names) => self.known.read(hour, &names),
                // fetching again what is there costs only time
                Err(error) => tracing::warn!(%hour, "cannot tell what is stored: {error}"),
            }
        }
    }

    /// Logs, counts and notes down what happened.
    async fn tell(&mut self, events: Vec<Event>) {
        let learned = self.clock.now();
        for event in &events {
            match event {
                Event::Missed { why, .. } => self.metrics.missed(*why),
                Event::Skew { by } => self.metrics.skewed(*by),
                Event::Renumbered => tracing::info!("the publisher numbers its segments anew"),
                Event::Discontinuity { .. } => {}
            }
        }
        let notes = noting::notes(events, learned);
        noting::log(&notes);
        self.pending_notes.extend(notes);
        self.write_notes().await;
    }

    async fn write_notes(&mut self) {
        if self.pending_notes.is_empty() {
            return;
        }
        let (notes, batch) = (self.notes.clone(), std::mem::take(&mut self.pending_notes));
        let (written, batch) = self.store.blocking(move |_| (notes.append(&batch), batch)).await;
        match written {
            Ok(()) => {}
            // nothing would change by trying again
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                tracing::warn!("capture notes are lost: {error}");
            }
            Err(error) if batch.len() < MAX_PENDING_NOTES => {
                tracing::warn!("capture notes cannot be written and are kept for now: {error}");
                self.pending_notes = batch;
            }
            Err(error) => tracing::error!("capture notes are lost; check the disk: {error}"),
        }
    }
}

/// The end of the newest segment in the store, of whatever completeness.
fn last_end(store: &Store, feed: &Feed) -> io::Result<Option<Timestamp>> {
    for hour in store.hours(feed)?.into_iter().rev() {
        let listing = store.hour(feed, hour)?;
        if let Some(end) = listing.segments().map(Segment::end).max() {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
