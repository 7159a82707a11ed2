//! Handing what came of a segment over to its [`Intake`], in a thread that may block; where the disk gives
//! no answer, the bytes go to memory instead, and the thread that hangs is left to itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

use common::format::segment::Completeness;
use common::io::store::notes::Why;

use super::attempt::Plan;
use super::body::{Body, End};
use super::intake::{Closed, Intake, Kept, Lost, unanswered};
use super::{Fetched, Fetcher, Means};
use crate::held::{Held, Late, Work};
use crate::planner::{Attempt, Failure, Job, Saved};

/// How much of what the disk was given and has not confirmed is kept to be moved to memory, of all fetches
/// together, in bytes: five seconds of four streams. To keep all of it would cost memory whenever many
/// segments are fetched at once.
pub(super) const MOST_SPARE: usize = 16 << 20;
/// How much the disk may have been given and not have confirmed: a second of 80 streams. If it stores nothing
/// for a moment while there is more, what comes next goes to memory at once, which is bounded.
pub(super) const MOST_UNCONFIRMED: usize = 64 << 20;
/// That moment.
pub(super) const STORES_WITHIN: Duration = Duration::from_secs(1);

/// How many times as long the disk may take over what would have to be fetched again: what is slow rather than
/// stuck would be just as slow the next time.
const NOT_AT_HAND: u32 = 3;

/// How much the disk was given and has not confirmed; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Unconfirmed(Arc<AtomicUsize>);

/// A part of it, until it is dropped by whoever writes it and whoever waits for that.
#[derive(Debug)]
pub(super) struct Part {
    bytes: usize,
    all: Unconfirmed,
}

impl Unconfirmed {
    pub(super) fn add(&self, pieces: &[Bytes]) -> Arc<Part> {
        let bytes = pieces.iter().map(Bytes::len).sum();
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Arc::new(Part { bytes, all: self.clone() })
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn is_much(&self) -> bool {
        self.bytes() > MOST_UNCONFIRMED
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The bytes of one attempt, on their way to the disk or to memory.
#[derive(Debug)]
pub(super) struct Handing<'a> {
    fetcher: &'a Fetcher,
    plan: &'a Plan<'a>,
    /// Away while something is done with it, and lost if that hangs.
    intake: Option<Intake>,
}

impl<'a> Handing<'a> {
    pub(super) fn new(fetcher: &'a Fetcher, plan: &'a Plan<'a>) -> Self {
        Self { fetcher, plan, intake: Some(fetcher.intake(plan)) }
    }

    /// Hands over the next bytes of the body, as they came.
    ///
    /// # Errors
    ///
    /// When neither the disk nor the memory has room for them, or the disk does not answer and has what
    /// came before.
    ///
    /// Cancel safety: dropped in between, nothing is left of it once the disk has answered.
    pub(super) async fn take_in(&mut self, pieces: Vec<Bytes>) -> Result<(), Failure> {
        let intake = self.intake.take().ok_or_else(unanswered)?;
        let take_in = |mut intake: Intake, pieces| {
            let taken = intake.take_in(pieces);
            (intake, taken)
        };
        let handed = self.fetcher.hand(self.plan, intake, pieces, false, take_in).await;
        let ((intake, taken), _) = handed?;
        self.intake = Some(intake);
        taken
    }

    /// Hands over the last bytes, has the whole judged, and published unless a better copy is wanted. `body`
    /// says what the attempt knows of it beside its bytes.
    ///
    /// Cancel safety: dropped in between, nothing of it is left, unless it was just being published.
    pub(super) async fn close(mut self, last: Vec<Bytes>, body: Body) -> Closed {
        let Some(intake) = self.intake.take() else {
            let failure = if let End::Disk(failure) = body.end { failure } else { unanswered() };
            return Closed::Short(Lost::nothing(failure));
        };
        let close = |intake: Intake, last| intake.close(last, body);
        let (closed, late) = match self.fetcher.hand(self.plan, intake, last, true, close).await {
            Ok((closed, late)) => (closed, late.map(|late| late.map(saved))),
            Err(failure) => return Closed::Short(Lost::nothing(failure)),
        };
        match (closed, late) {
            (Closed::Whole(Fetched::Held(mut held)), late) => {
                held.late = late;
                Closed::Whole(Fetched::Held(held))
            }
            // there was no room for it in memory, but the disk may store it yet
            (Closed::Short(short), Some(late)) if short.failure.why == Why::DiskFull => {
                Closed::Whole(self.fetcher.left_to_disk(self.plan.job, late, None))
            }
            (closed, _) => closed,
        }
    }
}

/// What was published after all by what hung over it.
fn saved(closed: Closed) -> Option<Saved> {
    match closed {
        Closed::Whole(Fetched::Done(attempt)) => attempt.saved,
        Closed::Whole(Fetched::Held(_)) | Closed::Short(_) => None,
    }
}

impl Fetcher {
    /// Does `work` with the intake and `pieces`, the last of it or not. If the disk does not answer in time and
    /// has nothing but these, it is done again with them in memory, and what hangs is returned as well.
    async fn hand<T: Send + 'static>(
        &self,
        plan: &Plan<'_>,
        mut intake: Intake,
        pieces: Vec<Bytes>,
        is_last: bool,
        work: impl FnOnce(Intake, Vec<Bytes>) -> T + Clone + Send + 'static,
    ) -> Result<(T, Option<Late<T>>), Failure> {
        let means = &self.means;
        let is_first = intake.is_empty();
        if is_first && self.is_in_vain() {
            intake.keep_in_memory(false);
        }
        if intake.is_in_memory() {
            return Ok((means.store.blocking(move |_| work(intake, pieces)).await, None));
        }
        let part = means.unconfirmed.add(&pieces);
        let is_spare = is_first && means.unconfirmed.bytes() <= MOST_SPARE;
        let spare = is_spare.then(|| pieces.clone());
        let (abandoned, again, written) = (intake.abandoned(), work.clone(), Arc::clone(&part));
        let work = move |_: &_| {
            let done = work(intake, pieces);
            drop(written);
            done
        };
        let disk = means.patience.disk;
        let patience = if spare.is_some() { disk } else { disk * NOT_AT_HAND };
        let (stuck, store) = (&self.stuck, &means.store);
        let asked = means.holding.ask_for(stuck, Work::Segments, patience, store, work);
        let late = match asked.await {
            Ok(done) => return Ok((done, None)),
            Err(late) => late,
        };
        abandoned.set();
        let pieces = spare.ok_or_else(unanswered)?;
        let mut intake = self.intake(plan);
        intake.keep_in_memory(is_last && late.is_some());
        Ok((means.store.blocking(move |_| again(intake, pieces)).await, late))
    }

    /// Whether the disk will not take a new file soon.
    fn is_in_vain(&self) -> bool {
        let Means { holding, unconfirmed, .. } = &self.means;
        holding.is_hopeless()
            || self.stuck.is_at(Work::Segments)
            || unconfirmed.is_much() && !holding.has_stored_within(STORES_WITHIN)
    }

    /// Publishes what there is of the segment of `job` that did not come whole.
    pub(super) async fn publish(&self, job: &Job, Lost { failure, kept }: Lost) -> Fetched {
        let means = &self.means;
        let Some(kept) = kept else { return Fetched::Done(Attempt::failed(failure)) };
        let (abandoned, why) = (kept.intake().abandoned(), failure.clone());
        let is_in_memory = kept.intake().is_in_memory();
        let publish = move |_: &_| Kept::publish(*kept, why);
        if is_in_memory {
            return means.store.blocking(publish).await;
        }
        let (stuck, patience) = (&self.stuck, means.patience.disk);
        let asked = means.holding.ask_for(stuck, Work::Segments, patience, &means.store, publish);
        match asked.await {
            Ok(fetched) => fetched,
            Err(Some(late)) => {
                abandoned.set();
                let late = late.map(|fetched| match fetched {
                    Fetched::Done(attempt) => attempt.saved,
                    Fetched::Held(_) => None,
                });
                self.left_to_disk(job, late, Some(failure))
            }
            Err(None) => Fetched::Done(Attempt::failed(failure)),
        }
    }

    /// What only a disk has that does not answer: the segment of `job`, or a copy of it that is no better because of
    /// `failure`.
    fn left_to_disk(
        &self,
        job: &Job,
        late: Late<Option<Saved>>,
        failure: Option<Failure>,
    ) -> Fetched {
        let whole = failure.is_none();
        let completeness = if whole { Completeness::Full } else { Completeness::Partial };
        Fetched::Held(Box::new(Held {
            pieces: Vec::new(),
            // it may never be had, and so is worth less than whatever comes
            size: 0,
            place: self.means.holding.enter_without_room(self.rank, job.start),
            target: self.target(job),
            completeness,
            failure,
            format: None,
            stop: self.means.stop.clone(),
            late: Some(late),
        }))
    }
}
