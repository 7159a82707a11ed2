//! Handing what came of a segment over to its [`Intake`], in a thread that may block; where the disk gives
//! no answer, the bytes go to memory instead, and the thread that hangs is left to itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::attempt::Plan;
use super::body::{Body, End};
use super::intake::{Closed, Intake, Kept, Lost, unanswered};
use super::{Fetched, Fetcher};
use crate::held::{Late, Work};
use crate::planner::{Attempt, Failure, Saved};

/// How much is kept, by all fetches together, of what the disk was given and has not confirmed, in bytes:
/// five seconds of some 8 streams. What is beyond it is fetched again if the disk does not answer.
const MOST_SPARE: usize = 32 << 20;

/// How many times as long the disk may take over what would have to be fetched again: what is slow rather than
/// stuck would be just as slow the next time.
const NOT_AT_HAND: u32 = 3;

/// How much of that is kept; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Spares(Arc<AtomicUsize>);

/// What the disk was given and has not confirmed. The bytes are shared with whoever writes them.
#[derive(Debug)]
struct Spare {
    pieces: Vec<Bytes>,
    bytes: usize,
    all: Spares,
}

impl Spares {
    /// Keeps all that came for a segment, if there is room.
    fn keep(&self, pieces: &[Bytes]) -> Option<Spare> {
        let bytes = pieces.iter().map(Bytes::len).sum();
        let mut spare = Spare { pieces: Vec::new(), bytes, all: self.clone() };
        let all = self.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        (all <= MOST_SPARE).then(|| {
            spare.pieces = pieces.to_vec();
            spare
        })
    }
}

impl Spare {
    fn take(mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.pieces)
    }
}

impl Drop for Spare {
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
        let ((intake, taken), _) = self.fetcher.hand(self.plan, intake, pieces, take_in).await?;
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
        match self.fetcher.hand(self.plan, intake, last, close).await {
            Ok((mut closed, late)) => {
                if let Closed::Whole(Fetched::Held(held)) = &mut closed {
                    held.late = late.map(|late| late.map(saved));
                }
                closed
            }
            Err(failure) => Closed::Short(Lost::nothing(failure)),
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
    /// Does `work` with the intake and `pieces`. If the disk does not answer in time and has nothing but these,
    /// it is done again with them in memory, and what hangs is returned as well.
    async fn hand<T: Send + 'static>(
        &self,
        plan: &Plan<'_>,
        mut intake: Intake,
        pieces: Vec<Bytes>,
        work: impl FnOnce(Intake, Vec<Bytes>) -> T + Clone + Send + 'static,
    ) -> Result<(T, Option<Late<T>>), Failure> {
        let means = &self.means;
        let is_first = intake.is_empty();
        if is_first && means.holding.is_hopeless() {
            intake.keep_in_memory();
        }
        if intake.is_in_memory() {
            return Ok((means.store.blocking(move |_| work(intake, pieces)).await, None));
        }
        let spare = if is_first { means.spares.keep(&pieces) } else { None };
        let (abandoned, again) = (intake.abandoned(), work.clone());
        let work = move |_: &_| work(intake, pieces);
        let disk = means.patience.disk;
        let patience = if spare.is_some() { disk } else { disk * NOT_AT_HAND };
        let asked = means.holding.ask(Work::Segments, patience, &means.store, work);
        let late = match asked.await {
            Ok(done) => return Ok((done, None)),
            Err(late) => late,
        };
        abandoned.set();
        let pieces = spare.ok_or_else(unanswered)?.take();
        let mut intake = self.intake(plan);
        intake.keep_in_memory();
        Ok((means.store.blocking(move |_| again(intake, pieces)).await, late))
    }

    /// Publishes what there is of a segment that did not come whole.
    pub(super) async fn publish(&self, Lost { failure, kept }: Lost) -> Fetched {
        let means = &self.means;
        let Some(kept) = kept else { return Fetched::Done(Attempt::failed(failure)) };
        let (abandoned, why) = (kept.intake().abandoned(), failure.clone());
        let is_in_memory = kept.intake().is_in_memory();
        let publish = move |_: &_| Kept::publish(*kept, failure);
        if is_in_memory {
            return means.store.blocking(publish).await;
        }
        let asked = means.holding.ask(Work::Segments, means.patience.disk, &means.store, publish);
        asked.await.unwrap_or_else(|_| {
            abandoned.set();
            Fetched::Done(Attempt::failed(why))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_may_be() {
        let all = Spares::default();
        let half = [Bytes::from(vec![0; MOST_SPARE / 4]), Bytes::from(vec![0; MOST_SPARE / 4])];
        let (one, other) = (all.keep(&half).unwrap(), all.keep(&half));
        assert!(other.is_some());
        assert!(all.keep(&half[..1]).is_none());
        assert_eq!(one.take(), half);
        assert!(all.keep(&half).is_some(), "there is room again");
        drop(other);
        assert_eq!(all.0.load(Ordering::Relaxed), 0);
    }
}
