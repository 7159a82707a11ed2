//! Following one media playlist: load it, tell what it says, wait until the next segment is due.

use std::sync::Arc;
use std::time::Duration;

use common::format::hls::{MediaPlaylist, PlaylistError};
use common::io::http::client::Client;
use common::io::store::notes::Why;
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use crate::fetch::either;
use crate::metrics::{FeedMetrics, Reloaded};
use crate::planner::without_query;
use crate::provider::{
    Breaks, LoadError, ResolveError, Rules, SOFT_TIMEOUT, Seen, advertisements, load,
};
use crate::rhythm::{self, Reload, Rhythm};
use crate::roster::WorkerId;
use crate::status::Status;

mod tip;

pub(crate) use tip::Tip;

/// How many loads in a row may fail before another address is asked for.
const SPARE_FAILURES: u32 = 1;
/// How long to wait after the first failure; longer after each further one, up to two target durations and
/// [`LONGEST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(8);
/// After so long without a list an address is given up.
const LONGEST_FAILURE: Duration = Duration::from_mins(5);
/// A list without news for three target durations is stale, but never before this.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(5);

/// What a worker tells.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) worker: WorkerId,
    pub(crate) what: What,
}

/// What happened to a worker.
#[derive(Debug)]
pub(crate) enum What {
    /// It loaded its list.
    Loaded {
        list: Box<MediaPlaylist>,
        /// Where it came from, after redirects.
        base: Arc<Url>,
        /// Which of its segments are advertisements.
        advertisements: Vec<bool>,
        /// Whether it differs from the one before.
        news: bool,
    },
    /// It is in trouble, and goes on while it can.
    Failing {
        /// The state that the feed is in if nothing else records it.
        status: Status,
        /// For people.
        message: String,
        /// Why what is published from now on may be missed, if it may be for this.
        why: Option<Why>,
    },
}

/// Why a worker ended. The channel is looked for again, whatever it was.
#[derive(Debug)]
pub(crate) enum End {
    /// Nobody listens any more.
    Stopped,
    /// The list says that nothing will be added to it.
    Ended,
    /// It can no longer be loaded; the state is what that says of the channel.
    Failed(Status, LoadError),
}

/// A worker that is to follow one address.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) client: Client,
    pub(crate) url: Url,
    pub(crate) rules: Rules,
    pub(crate) metrics: FeedMetrics,
    pub(crate) reports: mpsc::Sender<Report>,
    /// Ends the wait after a failure, or for an answer that is slow to come.
    pub(crate) tip: Arc<Tip>,
}

impl Worker {
    /// Follows the media playlist while that goes.
    ///
    /// Cancel safety: dropping the future ends the worker.
    pub(crate) async fn follow(self) -> End {
        let _running = self.metrics.worker();
        let mut first = self.tip.take(None);
        let began = first.as_ref().map_or_else(Instant::now, |seen| seen.asked_at);
        let mut course = Course::new(self.rules.reload, began);
        loop {
            // what a look found since the last load, or else what there is now
            let loaded = match first.take().or_else(|| self.tip.take(course.loaded_at())) {
                Some(seen) => Ok(seen),
                None => self.load(&course).await,
            };
            let next = match loaded {
                Ok(seen) => match self.loaded(&mut course, seen).await {
                    Ok(next) => next,
                    Err(end) => return end,
                },
                Err(error) => {
                    self.metrics.reloaded(Reloaded::Failed);
                    if is_final(&error) || course.has_failed_for_long(Instant::now()) {
                        return End::Failed(course.status(&error, &self.rules), error);
                    }
                    let retry = course.failed();
                    let message = format!("cannot load the media playlist ({error})");
                    let status = course.status(&error, &self.rules);
                    let why = Some(ResolveError::from(&error).why());
                    if course.failures > SPARE_FAILURES
                        && self.tell_failing(status, message, why).await.is_err()
                    {
                        return End::Stopped;
                    }
                    Instant::now() + retry
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = self.tip.given(), if course.failures > 0 => {}
            }
        }
    }

    /// Loads the list, which the server may hold back until it has what it is asked for. When it is slower, tells so
    /// and tries again beside it, on a connection of its own.
    async fn load(&self, course: &Course) -> Result<Seen, LoadError> {
        let mut url = self.url.clone();
        if let Some(number) = course.blocks_for {
            url.query_pairs_mut().append_pair("_HLS_msn", &number.to_string());
        }
        let first = load(&self.client, &url);
        let patience = SOFT_TIMEOUT + course.held_back_for();
        let slow = async {
            tokio::time::sleep(patience).await;
            let seconds = patience.as_secs();
            let message = format!("the media playlist takes longer than {seconds} s to load");
            // where nobody listens any more, the list itself cannot be told either
            let _ = self.tell_failing(Status::Failing, message, Some(Why::TimeOut)).await;
            // whatever comes next must not meet the same connection
            self.client.leave_connections();
        };
        let fresh = self.client.on_fresh_connections();
        // what there is by now, rather than wait again; and anew once somebody else was answered
        let again = |()| async {
            loop {
                tokio::select! {
                    loaded = load(&fresh, &self.url) => return loaded,
                    () = self.tip.given() => {
                        if let Some(seen) = self.tip.take(course.loaded_at()) {
                            return Ok(seen);
                        }
                    }
                }
            }
        };
        either(first, slow, again, || true, |_, last| last).await
    }

    /// Tells of a list; returns when to load it again.
    async fn loaded(
        &self,
        course: &mut Course,
        Seen { list, base, asked_at }: Seen,
    ) -> Result<Instant, End> {
        let (news, stale_for) = course.take_in(&list, Instant::now());
        self.metrics.reloaded(if news { Reloaded::News } else { Reloaded::Same });
        let next = course.next(&list, news, asked_at);
        let ended = list.end_list;
        let (advertisements, breaks) = advertisements(&list, self.rules.marks, &course.breaks);
        course.breaks = breaks;
        let what = What::Loaded { list, base: Arc::new(base), advertisements, news };
        self.tell(what).await.map_err(|Stopped| End::Stopped)?;
        if ended {
            return Err(End::Ended);
        }
        if let Some(patience) = stale_for {
            let seconds = patience.as_secs();
            let message = format!("the media playlist brought nothing new for {seconds} s");
            let told = self.tell_failing(Status::Failing, message, None).await;
            told.map_err(|Stopped| End::Stopped)?;
        }
        Ok(next)
    }

    async fn tell_failing(
        &self,
        status: Status,
        message: String,
        why: Option<Why>,
    ) -> Result<(), Stopped> {
        self.tell(What::Failing { status, message, why }).await
    }

    async fn tell(&self, what: What) -> Result<(), Stopped> {
        self.reports.send(Report { worker: self.id, what }).await.map_err(|_| Stopped)
    }
}

/// Nobody listens any more.
struct Stopped;

/// How the loads of one worker went so far. Pure.
#[derive(Debug)]
struct Course {
    rhythm: Rhythm,
    failures: u32,
    target_duration: Duration,
    last_list: Instant,
    last_news: Instant,
    /// What the newest list was.
    shown: Option<Fingerprint>,
    /// What it said of advertisements that go on.
    breaks: Breaks,
    /// The number to ask the server for, which holds back its answer until it has it.
    blocks_for: Option<u64>,
}

/// What makes a list different from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fingerprint {
    first: u64,
    end: u64,
    last_uri: Option<String>,
    end_list: bool,
}

impl Course {
    fn new(reload: Reload, now: Instant) -> Self {
        Self {
            rhythm: Rhythm::new(reload, now),
            failures: 0,
            target_duration: LONGEST_RETRY,
            last_list: now,
            last_news: now,
            shown: None,
            breaks: Breaks::default(),
            blocks_for: None,
        }
    }

    /// When the newest list was there, if there was any.
    fn loaded_at(&self) -> Option<Instant> {
        self.shown.as_ref().map(|_| self.last_list)
    }

    /// Takes in a list: whether it brought news, and for how long there was none if that is too long.
    fn take_in(&mut self, list: &MediaPlaylist, now: Instant) -> (bool, Option<Duration>) {
        let shown = Fingerprint {
            first: list.media_sequence,
            end: rhythm::next_number(list),
            last_uri: list.segments.last().map(|segment| without_query(&segment.uri).to_owned()),
            end_list: list.end_list,
        };
        let news = self.shown.as_ref() != Some(&shown);
        self.shown = Some(shown);
        (self.failures, self.last_list) = (0, now);
        if news {
            self.last_news = now;
        }
        self.target_duration = rhythm::target_duration(list);
        let patience = (self.target_duration * 3).max(SHORTEST_PATIENCE);
        let stale = now.saturating_duration_since(self.last_news) > patience;
        (news, stale.then_some(patience))
    }

    /// When to load again.
    fn next(&mut self, list: &MediaPlaylist, news: bool, began: Instant) -> Instant {
        let next = self.rhythm.next(list, news, began);
        // one that answers without what was asked for does not do what it says
        let keeps_word = self.blocks_for.is_none_or(|asked| rhythm::next_number(list) > asked);
        let can_block = list.can_block_reload && !list.end_list && !list.segments.is_empty();
        let blocks = can_block && news && keeps_word;
        self.blocks_for = blocks.then(|| rhythm::next_number(list));
        // a server that holds nothing back must not set the pace
        if blocks { began + rhythm::SHORTEST } else { next }
    }

    /// How long the server may hold back the next list.
    fn held_back_for(&self) -> Duration {
        self.blocks_for.map_or(Duration::ZERO, |_| self.target_duration)
    }

    /// Takes in a failure; returns how long to wait.
    fn failed(&mut self) -> Duration {
        self.failures += 1;
        self.blocks_for = None;
        let longest = LONGEST_RETRY.min(self.target_duration * 2);
        (FIRST_RETRY * 2_u32.saturating_pow(self.failures - 1)).min(longest)
    }

    /// The state of a feed whose list cannot be loaded: as long as it never was, what the error says of the
    /// channel; afterwards, and where a status alone does not say that it is offline, a look has to tell.
    fn status(&self, error: &LoadError, rules: &Rules) -> Status {
        match (&self.shown, ResolveError::from(error).status()) {
            (None, Status::Offline) if !rules.missing_is_offline => Status::Failing,
            (None, status) => status,
            (Some(_), _) => Status::Failing,
        }
    }

    fn has_failed_for_long(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_list) > LONGEST_FAILURE
    }
}

/// Whether loading from the same address again is useless.
fn is_final(error: &LoadError) -> bool {
    match error {
        LoadError::Status(status) => matches!(status, 401 | 403 | 404 | 410 | 451),
        LoadError::Playlist(error) => matches!(error, PlaylistError::WrongKind { .. }),
        LoadError::Http(_) | LoadError::Slow => false,
    }
}

#[cfg(test)]
mod tests;
