//! One quality of a channel, recorded for ever: its workers, its recorder, and the looks for another
//! address in between.

use std::sync::Arc;

use common::io::store::Feed;
use common::io::store::notes::Why;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Shared;
use crate::channel::{Found, Resolver};
use crate::planner::{Shown, SourceId};
use crate::provider::{ResolveError, Rules, Seen};
use crate::recorder::{Done, Outcome, Recorder, joined};
use crate::roster::{self, Roster, WorkerId};
use crate::status::{FeedStatus, Status};
use crate::worker::{End, Report, Tip, What, Worker};

/// How many reports may wait; a worker waits with them.
const MAX_REPORTS: usize = 4;

/// Records one quality of a channel.
pub(crate) struct FeedRecorder {
    shared: Arc<Shared>,
    resolver: Arc<Resolver>,
    rules: Rules,
    quality: String,
    status: FeedStatus,
    recorder: Recorder,
    roster: Roster,
    workers: Workers,
    looks: JoinSet<Result<Found, ResolveError>>,
    /// Whether the publisher shows nothing but advertisements.
    in_break: bool,
    /// Whether it was told that the sound is elsewhere.
    told_of_sound: bool,
}

/// The workers as tasks.
struct Workers {
    tasks: JoinSet<(WorkerId, End)>,
    handles: Vec<Handle>,
    sender: mpsc::Sender<Report>,
    reports: mpsc::Receiver<Report>,
}

/// What a worker is reached by.
struct Handle {
    id: WorkerId,
    task: tokio::task::AbortHandle,
    tip: Arc<Tip>,
}

/// What happens next.
enum Next {
    Stop,
    Report(Report),
    WorkerEnded(WorkerId, End),
    Found(Result<Found, ResolveError>),
    Done(Box<Done>),
    Time,
}

impl FeedRecorder {
    /// Prepares to record `feed`, the `rank`th best quality (0 is the best) of a channel that is
    /// `important` or not.
    pub(crate) async fn open(
        shared: &Arc<Shared>,
        resolver: &Arc<Resolver>,
        feed: Feed,
        rank: usize,
        important: bool,
    ) -> Self {
        let rules = resolver.rules();
        let status = shared.statuses.of(&feed, important);
        Self {
            shared: Arc::clone(shared),
            resolver: Arc::clone(resolver),
            rules,
            quality: feed.quality.to_string(),
            status: status.clone(),
            recorder: Recorder::open(shared, feed, rank, &rules, status).await,
            roster: Roster::new(important, rules.lifetime, Instant::now()),
            workers: Workers::new(),
            looks: JoinSet::new(),
            in_break: false,
            told_of_sound: false,
        }
    }

    /// Records until the downloader stops.
    pub(crate) async fn run(mut self) {
        loop {
            if self.roster.looks(Instant::now(), &mut rand::rng()) {
                let resolver = Arc::clone(&self.resolver);
                self.looks.spawn(async move { resolver.resolve().await });
            }
            self.recorder.start_due();
            match self.next().await {
                Next::Stop => break,
                Next::Report(report) => self.reported(report).await,
                Next::WorkerEnded(id, end) => self.ended(id, end),
                Next::Found(found) => self.found(found),
                Next::Done(done) => self.done(*done),
                Next::Time => {}
            }
        }
        self.workers.tasks.shutdown().await;
        self.recorder.finish().await;
    }

    /// Waits for what happens next.
    ///
    /// Cancel safety: nothing is lost when the future is dropped.
    async fn next(&mut self) -> Next {
        let stop = self.shared.stop.clone();
        let time = earlier(self.recorder.next_due(), self.roster.wakes());
        let Workers { tasks, reports, .. } = &mut self.workers;
        tokio::select! {
            biased;
            () = stop.cancelled() => Next::Stop,
            done = self.recorder.next() => Next::Done(Box::new(done)),
            Some(report) = reports.recv() => Next::Report(report),
            Some(ended) = tasks.join_next() => match ended {
                // one that was stopped
                Err(error) if error.is_cancelled() => Next::Time,
                ended => {
                    let (id, end) = joined(ended);
                    Next::WorkerEnded(id, end)
                }
            },
            Some(found) = self.looks.join_next() => Next::Found(joined(found)),
            () = until(time) => Next::Time,
        }
    }

    async fn reported(&mut self, Report { worker, what }: Report) {
        // what a worker said that was stopped since then comes too late
        let Some(source) = self.roster.source_of(worker) else { return };
        match what {
            What::Loaded { list, base, advertisements, news } => {
                if news {
                    self.roster.brought_news(worker);
                }
                let shown = Shown { list: &list, base: &base, advertisements: &advertisements };
                let observed = self.recorder.observe(source, &shown).await;
                if observed.is_doubted {
                    self.roster.doubts(source);
                    tracing::warn!("the publisher's clock jumped; looks for another address");
                }
                if let Some(problem) = observed.locked {
                    let message = format!("cannot record: {problem}");
                    self.trouble(Some(worker), Status::Failing, &message);
                }
                self.in_break = advertisements.last() == Some(&true) && self.roster.count() == 1;
                if self.in_break {
                    let message = "the publisher shows advertisements, which are not recorded";
                    self.status.set(Status::AdsOnly, message);
                }
            }
            What::Failing { status, message, why } => {
                let is_new = self.roster.fails(worker);
                if let Some(why) = why {
                    self.interrupted(why);
                }
                let message = format!("{message}; looks for the channel anew");
                if is_new || self.roster.records_beside(Some(worker)) {
                    self.trouble(Some(worker), status, &message);
                } else {
                    // a look may have told more since
                    self.status.remind(status, &message);
                }
            }
        }
    }

    /// Enters a state, unless a worker other than the one that met it, if one did, records on.
    fn trouble(&self, worker: Option<WorkerId>, status: Status, message: &str) {
        if self.roster.records_beside(worker) {
            self.status.mention(&format!("records on at another address, but {message}"));
        } else {
            self.status.set(status, message);
        }
    }

    fn ended(&mut self, id: WorkerId, end: End) {
        let Some(source) = self.roster.ended(id, Instant::now()) else { return };
        self.workers.forget(id);
        match end {
            End::Stopped => {}
            End::Ended => {
                self.interrupted(Why::Offline);
                let message = "the stream has ended; waits for it to begin again";
                self.trouble(None, Status::Offline, message);
            }
            End::Failed(status, error) => {
                // that an address is gone says nothing of the channel, unless it never was another
                let told = if status == Status::Failing {
                    error.to_string()
                } else {
                    let error = ResolveError::from(error);
                    self.interrupted(error.why());
                    error.to_string()
                };
                let message =
                    format!("the media playlist cannot be loaded: {told}; looks for it anew");
                self.trouble(None, status, &message);
            }
        }
        self.recorder.close(source);
    }

    /// Nothing records from now on, for this reason, unless another worker does.
    fn interrupted(&mut self, why: Why) {
        if !self.roster.records_beside(None) {
            self.recorder.interrupted(why);
        }
    }

    /// Takes in how a fetch ended.
    fn done(&mut self, done: Done) {
        match self.recorder.done(done) {
            Outcome::Good(source) => {
                self.delivered(source);
                if self.roster.records_beside(None) && !self.in_break {
                    self.status.set(Status::Up, "");
                }
            }
            Outcome::Poor(source, problem) => {
                if self.roster.failed_to_deliver(source) {
                    let message = format!(
                        "no segment that the playlist lists comes whole ({problem}); looks for \
                         another address"
                    );
                    self.trouble(None, Status::Failing, &message);
                }
            }
            Outcome::Neutral => {}
        }
    }

    /// A segment of `source` is stored: those that it replaces stop.
    fn delivered(&mut self, source: SourceId) {
        for (worker, replaced) in self.roster.delivered(source) {
            self.workers.stop(worker);
            self.recorder.close(replaced);
        }
    }

    fn found(&mut self, found: Result<Found, ResolveError>) {
        let now = Instant::now();
        let Found { offer, seen } = match found {
            Ok(found) => found,
            Err(error) => {
                self.roster.not_found(now, &mut rand::rng());
                return self.not_found(&error);
            }
        };
        let chosen = match offer.choose(&self.quality) {
            Ok(chosen) => chosen,
            Err(error) => {
                self.roster.not_found(now, &mut rand::rng());
                let message = format!("cannot record: {error}");
                self.status.looked(Status::Failing, &message);
                return self.trouble(None, Status::Failing, &message);
            }
        };
        self.status.looked(Status::Up, "");
        offer.warnings().iter().for_each(|warning| self.status.mention(warning));
        if chosen.lacks_sound && !self.told_of_sound {
            self.told_of_sound = true;
            let message = "records pictures without sound: the sound is a rendition of its own, \
                which is not recorded; choose another quality if there is one that has both";
            tracing::warn!("{message}");
        }
        match self.roster.found(&chosen.url, now) {
            roster::Found::Known(worker) => self.workers.tip(worker, seen),
            roster::Found::Fresh { replaced } => {
                if let Some((worker, source)) = replaced {
                    self.workers.stop(worker);
                    self.recorder.close(source);
                }
                self.begin(&chosen.url, seen, now);
            }
        }
    }

    fn begin(&mut self, url: &url::Url, seen: Option<Seen>, now: Instant) {
        let source = self.recorder.open_source(url);
        let id = self.roster.begin(url.clone(), source, now, &mut rand::rng());
        let host = url.host_str().unwrap_or_default();
        tracing::debug!(host, worker = id.0, "follows a media playlist");
        self.workers.start(Worker {
            id,
            client: self.shared.client.clone(),
            url: url.clone(),
            rules: self.rules,
            metrics: self.recorder.metrics().clone(),
            reports: self.workers.sender.clone(),
            tip: Arc::new(Tip::with(seen)),
        });
    }

    fn not_found(&mut self, error: &ResolveError) {
        self.status.looked(error.status(), &error.to_string());
        // one that still records at the address that it has knows better
        if self.roster.records_beside(None) {
            let message = "records on, but finds no other address to go on with";
            return self.status.mention(&format!("{message}: {error}"));
        }
        self.interrupted(error.why());
        self.status.set(error.status(), &format!("cannot record: {error}"));
    }
}

impl Workers {
    fn new() -> Self {
        let (sender, reports) = mpsc::channel(MAX_REPORTS);
        Self { tasks: JoinSet::new(), handles: Vec::new(), sender, reports }
    }

    fn start(&mut self, worker: Worker) {
        let (id, tip) = (worker.id, Arc::clone(&worker.tip));
        let task = self.tasks.spawn(async move { (id, worker.follow().await) });
        self.handles.push(Handle { id, task, tip });
    }

    fn stop(&mut self, id: WorkerId) {
        for handle in self.handles.extract_if(.., |handle| handle.id == id) {
            handle.task.abort();
        }
    }

    /// Tells a worker, which may wait after a failure, that its address is good.
    fn tip(&self, id: WorkerId, seen: Option<Seen>) {
        if let Some(handle) = self.handles.iter().find(|handle| handle.id == id) {
            handle.tip.give(seen);
        }
    }

    fn forget(&mut self, id: WorkerId) {
        self.handles.retain(|handle| handle.id != id);
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_that_is_known_gets_the_list_which_a_look_found() {
        let mut workers = Workers::new();
        let tips = [0, 1].map(|id| {
            let (id, tip) = (WorkerId(id), Arc::new(Tip::default()));
            let task = workers.tasks.spawn(std::future::pending());
            workers.handles.push(Handle { id, task, tip: Arc::clone(&tip) });
            tip
        });
        let base = "http://host/".parse().unwrap();
        let seen = Seen { list: Box::default(), base, asked_at: Instant::now() };
        workers.tip(WorkerId(1), Some(seen.clone()));
        assert_eq!(tips.map(|tip| tip.take(None)), [None, Some(seen)]);
    }
}
