//! A segment that waits in memory until the disk takes it.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::format::media::examiner::Format;
use common::format::segment::Completeness;
use common::io::store::Store;
use common::service::CancellationToken;
use tokio::time::Instant;

use super::place::{Place, Try};
use super::{Holding, Late, Stuck, Target, Work, disk_full, given_up};
use crate::planner::{Attempt, Failure, Retry, Saved};

/// How long a try of the disk is waited for before it is another's turn: what one file hangs at may not
/// keep the others from a disk that works.
pub(super) const TRIED_FOR: Duration = Duration::from_mins(1);

/// How long a disk that hangs is waited for once the downloader stops: what is lost then can still be told of
/// before a stop may take no longer.
pub(super) const LAST_WAIT: Duration = Duration::from_secs(8);
/// How long it is waited for at most then, however little it still stores.
pub(super) const LONGEST_LAST_WAIT: Duration = Duration::from_secs(16);
/// How often it is asked whether it still stores something.
pub(super) const ASK_EVERY: Duration = Duration::from_millis(250);
/// How long a try is waited for then before it is another's turn.
pub(super) const LAST_TRIED_FOR: Duration = Duration::from_secs(1);

/// A segment that was received and judged, and waits for the disk.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) pieces: Vec<Bytes>,
    /// How many bytes wait here.
    pub(crate) size: u64,
    pub(crate) place: Place,
    pub(crate) target: Target,
    pub(crate) completeness: Completeness,
    /// Why a better copy is wanted, if one is.
    pub(crate) failure: Option<Failure>,
    pub(crate) format: Option<Format>,
    pub(crate) stop: CancellationToken,
    /// What writes it and hangs.
    pub(crate) late: Option<Late<Option<Saved>>>,
}

impl Held {
    /// Waits until it is stored or given up. When the downloader stops, it is tried once more; a disk that
    /// stores nothing any more is waited for for some seconds then.
    ///
    /// Cancel safety: dropped in between, the segment is given up, unless a try is under way, which
    /// goes on to its end.
    pub(crate) async fn land(self) -> Attempt {
        let (holding, stop) = (self.place.holding.clone(), self.stop.clone());
        tokio::select! {
            biased;
            attempt = self.land_in_turn() => attempt,
            () = is_in_vain(&holding, &stop) => {
                let detail = "the disk did not answer before the stop".to_owned();
                Attempt::failed(disk_full(detail, Retry::Never))
            }
        }
    }

    async fn land_in_turn(mut self) -> Attempt {
        loop {
            let is_written = self.late.is_some();
            let turn = tokio::select! {
                biased;
                () = self.place.given_up.cancelled() => return self.give_up().await,
                saved = ended(&mut self.late) => {
                    if let Some(saved) = saved {
                        return self.landed(saved);
                    }
                    self.late = None;
                    continue;
                }
                turn = turn(&self.place, &self.stop, &self.target.stuck, is_written) => turn,
            };
            let is_last = self.stop.is_cancelled();
            match self.store_once(turn).await {
                Ok(saved) => return self.landed(saved),
                Err(error) if is_last => {
                    let detail = format!("the disk did not take it before the stop: {error}");
                    return Attempt::failed(disk_full(detail, Retry::Never));
                }
                Err(_) => {}
            }
        }
    }

    /// Leaves the memory to others. What hangs over the segment may store it all the same.
    async fn give_up(mut self) -> Attempt {
        let late = self.late.take();
        let Self { pieces, place, failure, format, .. } = self;
        drop(pieces);
        place.leave_room();
        let saved = if let Some(late) = late { late.await } else { None };
        if saved.is_none() {
            place.gave_up();
            return Attempt::failed(given_up());
        }
        Attempt { saved, failure, format, elsewhere: None }
    }

    fn landed(self, saved: Saved) -> Attempt {
        Attempt { saved: Some(saved), failure: self.failure, format: self.format, elsewhere: None }
    }

    async fn store_once(&mut self, turn: Try) -> io::Result<Saved> {
        let (pieces, target) = (self.pieces.clone(), self.target.clone());
        let completeness = self.completeness;
        let turn = Arc::new(turn);
        let of_thread = Arc::clone(&turn);
        let store = move |_: &Store| {
            let result = target.begin().and_then(|mut draft| {
                draft.append(&pieces)?;
                let published = draft.publish(completeness).map_err(|refused| refused.error)?;
                Ok(target.saved(completeness, &published))
            });
            of_thread.end(&result);
            result
        };
        let holding = &self.place.holding;
        // whatever hangs over this very segment has put it there
        let is_ours = self.late.is_some();
        let saved = move |saved: Saved| Saved { is_new: saved.is_new || is_ours, ..saved };
        let Target { stuck, store: of, .. } = &self.target;
        let mut asked = pin!(holding.ask_for(stuck, Work::Landings, TRIED_FOR, of, store));
        let stopping = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_TRIED_FOR).await;
        };
        let asked = tokio::select! {
            biased;
            asked = &mut asked => asked,
            () = stopping => {
                // it may take as long as there is time, but not the time of the others
                self.place.pass_over();
                turn.over(false);
                asked.await
            }
        };
        match asked {
            Ok(result) => result.map(saved),
            Err(late) => {
                if let Some(late) = late {
                    self.late = Some(late.map(move |result| result.ok().map(saved)));
                    // it is in no hurry now, and those that are need not wait for it
                    self.place.pass_over();
                }
                turn.over(false);
                Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer"))
            }
        }
    }
}

/// Waits until the downloader has stopped for a while and the disk stores nothing any more.
async fn is_in_vain(holding: &Holding, stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep_until(holding.stopping() + LAST_WAIT).await;
    let end = holding.stopping() + LONGEST_LAST_WAIT;
    while holding.has_stored_within(LAST_WAIT) && Instant::now() < end {
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// What writes it and hung, once that has ended.
async fn ended(late: &mut Option<Late<Option<Saved>>>) -> Option<Saved> {
    match late {
        Some(late) => late.await,
        None => std::future::pending().await,
    }
}

/// Waits for the turn to try the disk. What `is_written` already by what hangs is about to be there once the
/// disk answers, and to write it beside that makes a disk that is slow slower.
async fn turn(place: &Place, stop: &CancellationToken, stuck: &Stuck, is_written: bool) -> Try {
    let holding = &place.holding;
    if is_written {
        holding.answers(stop).await;
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TRIED_FOR) => {}
        }
    }
    place.turn(stop, || stuck.is_at(Work::Landings)).await
}
