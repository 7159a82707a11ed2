//! The threads that wait for the disk: so many at most, and each waited for only so long.
//!
//! A disk that hangs answers nothing, and a thread that it has does not come back before it does. So
//! nobody waits for one without end, and each kind of work has threads of its own: what the disk keeps of
//! one kind, no other kind lacks, nor anything else that may block.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use common::io::store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::Holding;
use crate::recorder::joined;

/// How long what is written is waited for while the disk stores other things: it is slow rather than stuck,
/// and to begin anew would only add to its load.
const MOST_PATIENCE: Duration = Duration::from_mins(1);

/// What is done with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Writing what is fetched.
    Segments,
    /// Writing what was held in memory.
    Landings,
    /// Writing notes.
    Notes,
    /// Reading what is stored.
    Listings,
    /// Removing what was left behind.
    Sweeps,
}

impl Work {
    const ALL: [Self; 5] =
        [Self::Segments, Self::Landings, Self::Notes, Self::Listings, Self::Sweeps];

    /// How many threads it may have: together well below the 512 that the runtime has for all that blocks.
    pub(crate) const fn most(self) -> usize {
        match self {
            // some hundred channels on a disk that takes a second for each segment
            Self::Segments => 192,
            // one at a time, and two that hang for each of some feeds
            Self::Landings => 24,
            Self::Notes => 32,
            Self::Listings => 64,
            // in no hurry, but one may take long
            Self::Sweeps => 4,
        }
    }
}

/// How many threads may still wait for the disk.
#[derive(Debug)]
pub(super) struct Threads([Arc<Semaphore>; Work::ALL.len()]);

impl Default for Threads {
    fn default() -> Self {
        Self(Work::ALL.map(|work| Arc::new(Semaphore::new(work.most()))))
    }
}

impl Threads {
    async fn one(&self, work: Work) -> OwnedSemaphorePermit {
        let semaphore = Arc::clone(&self.0[work as usize]);
        semaphore.acquire_owned().await.expect("it is never closed")
    }
}

/// How many threads hang over the work of one feed, by its kind; cheap to clone.
///
/// Where the folder of one feed hangs and the disk does not, it would have one thread after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stuck(Arc<Mutex<[Hung; Work::ALL.len()]>>);

/// Threads that hang over one kind of work.
#[derive(Clone, Copy, Debug, Default)]
struct Hung {
    count: usize,
    /// When the last one was found to.
    last: Option<Instant>,
    /// When people were last told.
    told: Option<Instant>,
}

impl Stuck {
    /// How many threads may hang over one kind of work of a feed before it asks for no more.
    pub(super) const MOST: usize = 2;
    /// How long it asks for no more then. Those may hang for good over files of theirs, while the folder is well;
    /// one more doubles the time.
    pub(super) const ASKS_ANEW_AFTER: Duration = Duration::from_mins(5);
    /// How many may hang before it asks for no more until one comes back.
    const MOST_EVER: usize = 4;

    /// Whether no further thread is to be had now.
    pub(crate) fn is_at(&self, work: Work) -> bool {
        let Hung { count, last, .. } = self.lock()[work as usize];
        let Some(beyond) = count.checked_sub(Self::MOST) else { return false };
        let pause = Self::ASKS_ANEW_AFTER * if beyond == 0 { 1 } else { 2 };
        count >= Self::MOST_EVER || last.is_some_and(|last| last.elapsed() < pause)
    }

    pub(super) fn began(&self, work: Work) {
        let now = Instant::now();
        let hung = &mut self.lock()[work as usize];
        hung.count += 1;
        hung.last = Some(now);
        let is_told = hung.told.is_some_and(|told| now < told + Self::ASKS_ANEW_AFTER);
        if hung.count == Self::MOST && !is_told {
            hung.told = Some(now);
            tracing::warn!(?work, "the disk does not answer over this feed, which waits in memory");
        }
    }

    pub(super) fn ended(&self, work: Work) {
        self.lock()[work as usize].count -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, [Hung; Work::ALL.len()]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work that nobody waited for to its end. What has begun goes on when this is dropped.
pub(crate) struct Late<T>(Pin<Box<dyn Future<Output = T> + Send>>);

impl<T: Send + 'static> Late<T> {
    /// What goes on while it is waited for.
    pub(crate) fn of(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Box::pin(work))
    }

    /// The same, whose output is what `of` makes of it.
    pub(crate) fn map<U: Send + 'static>(
        self,
        of: impl FnOnce(T) -> U + Send + 'static,
    ) -> Late<U> {
        Late::of(async move { of(self.await) })
    }
}

#[cfg(test)]
impl<T: Send + 'static> Late<T> {
    /// Work that never ends.
    pub(super) fn never() -> Self {
        Self::of(std::future::pending())
    }
}

impl<T> Future for Late<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.0.as_mut().poll(context)
    }
}

impl<T> fmt::Debug for Late<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Late").finish_non_exhaustive()
    }
}

/// How far some work is, as its thread and who waits for it tell each other.
#[derive(Debug)]
struct Progress {
    state: AtomicU8,
    work: Work,
    stuck: Stuck,
}

impl Progress {
    const LATE: u8 = 1;
    const ENDED: u8 = 2;

    fn new(work: Work, stuck: Stuck) -> Arc<Self> {
        Arc::new(Self { state: AtomicU8::new(0), work, stuck })
    }

    /// Enters a state; whether the other one was entered before.
    fn enter(&self, state: u8) -> bool {
        self.state.swap(state, Ordering::AcqRel) != 0
    }
}

/// For how long something is waited for.
#[derive(Debug)]
struct Waiting<'a> {
    holding: &'a Holding,
    work: Work,
    began: Instant,
    patience: Duration,
}

impl Waiting<'_> {
    fn ends(&self) -> Instant {
        let end = self.began + self.patience;
        if self.work != Work::Segments {
            return end;
        }
        let (worked, stopping) = {
            let state = self.holding.state();
            (state.worked, state.stopping)
        };
        if stopping.is_some() {
            return end;
        }
        end.max((worked + self.patience).min(self.began + MOST_PATIENCE))
    }

    /// The output of `future`, if it has one in time.
    async fn wait_for<F: Future + Unpin>(&self, mut future: F) -> Option<F::Output> {
        loop {
            if let Ok(output) = timeout_at(self.ends(), &mut future).await {
                return Some(output);
            }
            if Instant::now() >= self.ends() {
                return None;
            }
        }
    }
}

impl Holding {
    /// Does something with the disk, in a thread of that kind of `work`, and waits for at most `patience`;
    /// where segments are written, for at most that since the disk stored the last one, and a minute.
    ///
    /// # Errors
    ///
    /// When it is not done by then: the work goes on, unless there was no thread for it, and it was dropped.
    ///
    /// Cancel safety: when the future is dropped, what has begun runs to its end.
    ///
    /// # Panics
    ///
    /// When the work panics.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: Work,
        patience: Duration,
        store: &Store,
        run: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<T, Option<Late<T>>> {
        self.ask_for(&Stuck::default(), work, patience, store, run).await
    }

    /// As [`Holding::ask`], for the feed over whose work so many threads are `stuck`.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// Cancel safety: as there.
    ///
    /// # Panics
    ///
    /// When the work panics.
    pub(crate) async fn ask_for<T: Send + 'static>(
        &self,
        stuck: &Stuck,
        work: Work,
        patience: Duration,
        store: &Store,
        run: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<T, Option<Late<T>>> {
        let began = Instant::now();
        let waiting = Waiting { holding: self, work, began, patience };
        let permit = pin!(self.inner.threads.one(work));
        let Some(permit) = waiting.wait_for(permit).await else {
            if work == Work::Segments {
                self.state().hangs(began);
            }
            return Err(None);
        };
        let progress = Progress::new(work, stuck.clone());
        let mut running = self.begin(permit, Arc::clone(&progress), store.clone(), run);
        if let Some(done) = waiting.wait_for(&mut running).await {
            return Ok(joined(done));
        }
        if self.is_late(&progress, began) {
            return Err(Some(Late::of(async move { joined(running.await) })));
        }
        Ok(joined(running.await))
    }

    /// Whether work that nobody waits for any longer has not ended just so; then the disk hangs.
    fn is_late(&self, progress: &Progress, began: Instant) -> bool {
        // held, so that its end is told after this
        let mut state = self.state();
        let has_ended = progress.enter(Progress::LATE);
        if !has_ended {
            progress.stuck.began(progress.work);
            state.hangs(began);
        }
        !has_ended
    }

    /// As [`Holding::ask`], for what can wait as long as it takes.
    ///
    /// Cancel safety: when the future is dropped, what has begun runs to its end.
    ///
    /// # Panics
    ///
    /// When the work panics.
    pub(crate) async fn ask_patiently<T: Send + 'static>(
        &self,
        work: Work,
        store: &Store,
        run: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> T {
        let permit = self.inner.threads.one(work).await;
        let progress = Progress::new(work, Stuck::default());
        joined(self.begin(permit, progress, store.clone(), run).await)
    }

    fn begin<T: Send + 'static>(
        &self,
        permit: OwnedSemaphorePermit,
        progress: Arc<Progress>,
        store: Store,
        run: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let holding = self.clone();
        tokio::task::spawn_blocking(move || {
            let done = run(&store);
            drop(permit);
            if progress.enter(Progress::ENDED) {
                // held by whoever tells that it is late, which comes first
                let state = holding.state();
                progress.stuck.ended(progress.work);
                drop(state);
                holding.answered();
            }
            done
        })
    }
}
