//! Cuts that are exact to the picture, of which only the pictures around their edges are encoded again.
//!
//! Everything here lives on the clock of the segments: what is encoded and what is taken apart is written with their
//! stamps, and one re-timer moves all of a stretch by one shift, as it does with the segments in between, which are
//! never taken apart.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::time::Timestamp;
use crate::format::media::Unsuited;
use crate::io::ffmpeg::{Ffmpeg, FfmpegError};
use crate::io::produced::produced;
use crate::io::store::{Feed, Store};
use crate::plan::cut::Plan;

mod check;
mod edge;
mod encoder;
mod output;
mod reader;
mod run;
mod units;
mod weave;
mod window;

pub use check::{Checked, Report};

/// How long an encoder may give nothing while it is waited for: it may have to decode a long group of pictures first.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for what an encoder gives next.
///
/// Cancel safety: as `next`.
pub(super) async fn patiently<T>(next: impl Future<Output = T>) -> Result<T, SmartError> {
    tokio::time::timeout(PATIENCE, next).await.map_err(|_| SmartError::Stuck)
}

/// What encodes pictures again: ffmpeg, so many at a time; cheap to clone.
#[derive(Clone, Debug)]
pub struct Encoders {
    ffmpeg: Ffmpeg,
    /// Turns at the edges of cuts.
    edges: Arc<Semaphore>,
    /// Turns at whole cuts, whose input may need those at its edges.
    whole: Arc<Semaphore>,
}

impl Encoders {
    /// At most `at_once` of `ffmpeg` for the edges of cuts, and as many for whole cuts; at least one each.
    pub fn new(ffmpeg: Ffmpeg, at_once: usize) -> Self {
        let turns = || Arc::new(Semaphore::new(at_once.max(1)));
        Self { ffmpeg, edges: turns(), whole: turns() }
    }

    /// Waits for a turn at the edge of a cut.
    ///
    /// Cancel safety: dropped, it leaves the queue.
    async fn edge(&self) -> (Ffmpeg, OwnedSemaphorePermit) {
        self.turn(&self.edges).await
    }

    /// Waits for a turn at a whole cut.
    ///
    /// Cancel safety: dropped, it leaves the queue.
    pub(super) async fn whole(&self) -> (Ffmpeg, OwnedSemaphorePermit) {
        self.turn(&self.whole).await
    }

    async fn turn(&self, turns: &Arc<Semaphore>) -> (Ffmpeg, OwnedSemaphorePermit) {
        let turn = Arc::clone(turns).acquire_owned().await;
        (self.ffmpeg.clone(), turn.expect("the semaphore is never closed"))
    }
}

/// What becomes of the time stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeline {
    /// They stay as they come.
    Kept,
    /// They begin with zero and go on over all ranges.
    Continuous,
}

/// Why a cut cannot be made, or went wrong.
#[derive(Debug, Error)]
pub enum SmartError {
    /// A segment is none whose pictures can be told apart.
    #[error("the segment at {at} cannot be cut exactly: {why}. Ask for a rough cut")]
    Unsuited {
        /// Which one.
        at: Timestamp,
        /// Why not.
        #[source]
        why: Unsuited,
    },
    /// Other streams, pictures of another size or other sound begin inside the cut.
    #[error(
        "the format changes at about {at}, so that nothing can be copied on. Ask for a rough cut"
    )]
    Changes {
        /// Where.
        at: Timestamp,
    },
    /// Decoding can begin nowhere near.
    #[error("no picture near {at} can be decoded by itself. Ask for a rough cut")]
    NoKey {
        /// Where.
        at: Timestamp,
    },
    /// A segment is larger than what may be held in memory.
    #[error("the segment at {at} is larger than {max_bytes} bytes. Ask for a rough cut")]
    TooLarge {
        /// Which one.
        at: Timestamp,
        /// How large one may be.
        max_bytes: usize,
    },
    /// The pictures' parameters are not there.
    #[error("no parameter set tells how the pictures are coded. Ask for a rough cut")]
    NoParameters,
    /// The encoder gives more pictures than it was asked for.
    #[error("the pictures at {at} come back more than once. Ask for a rough cut")]
    TooMany {
        /// Where.
        at: Timestamp,
    },
    /// The encoder gives nothing for a long time.
    #[error("ffmpeg gave nothing for {} s", PATIENCE.as_secs())]
    Stuck,
    /// A segment cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// Pictures cannot be encoded again.
    #[error("cannot encode pictures again: {0}")]
    Encode(#[from] FfmpegError),
}

impl SmartError {
    /// Whether it is what is stored that does not allow the cut, so that trying again does not help.
    pub const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Read(_) | Self::Encode(_) | Self::Stuck)
    }
}

/// Makes the cut that `plan` says, as an MPEG transport stream, and checks it on the way.
///
/// A range begins with the picture that is shown at its start, and ends before the one that is shown at its end. Whatever
/// its length, a few segments at a time are in memory.
///
/// Cancel safety: dropped at any time, it reads no further, leaves the queue for an encoder, and kills ffmpeg.
pub fn stream(
    store: &Store,
    feed: &Feed,
    plan: Plan,
    encoders: &Encoders,
    timeline: Timeline,
) -> (impl Stream<Item = Result<Bytes, SmartError>> + Send + use<>, Arc<Checked>) {
    let checked = Arc::new(Checked::default());
    let files = reader::Files { store: store.clone(), feed: feed.clone() };
    let (encoders, told) = (encoders.clone(), Arc::clone(&checked));
    let stream = produced(move |sink| async move {
        let mut cut = run::Cut::new(files, encoders, timeline, sink);
        for range in plan.ranges {
            cut.range(range).await?;
        }
        let report = cut.finish().await;
        // where stamps are kept, they go on as they may
        if report.is_sound() || timeline == Timeline::Kept {
            tracing::debug!(?report, "made a smart cut");
        } else {
            tracing::warn!(?report, "a smart cut is not as it should be");
        }
        told.tell(report);
        Ok(())
    });
    (stream, checked)
}
