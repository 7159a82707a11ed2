//! Answers that lie in memory until their readers took them.
//!
//! How long a reader takes is its own affair, so what is held for all of them together is weighed, and
//! nobody holds the right to work meanwhile.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use common::metrics::Metrics;
use futures_util::stream;
use prometheus::{IntCounter, IntGauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::error::ApiError;

/// How much memory all of them may take: four of the largest chats, or hundreds as they are.
const MEMORY_BYTES: usize = 256 << 20;

/// How long one may be held: the largest chat comes at less than two megabits a second then.
const MAX_SENDING: Duration = Duration::from_mins(5);

/// How much of an answer is held, and given back, at a time.
pub(crate) const PIECE_BYTES: usize = 64 << 10;

/// Room for answers; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// A permit for each byte.
    room: Arc<Semaphore>,
    held: IntGauge,
    refused: IntCounter,
}

impl Answers {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let held = metrics.gauge("answers_held_bytes", "Answers held until they are taken", &[]);
        let refused =
            metrics.counter("answers_refused", "Answers that there was no room to hold", &[]);
        Self {
            room: Arc::new(Semaphore::new(MEMORY_BYTES)),
            held: held.with_label_values::<&str>(&[]),
            refused: refused.with_label_values::<&str>(&[]),
        }
    }

    /// Holds `piece` until the last copy of what is returned is dropped.
    ///
    /// # Errors
    ///
    /// When too much is held already.
    pub(crate) fn hold(&self, mut piece: Vec<u8>) -> Result<Bytes, ApiError> {
        piece.shrink_to_fit();
        let permits = u32::try_from(piece.capacity()).map_err(|_| ApiError::Busy);
        let room = permits.and_then(|permits| {
            self.room.clone().try_acquire_many_owned(permits).map_err(|_| ApiError::Busy)
        });
        let room = room.inspect_err(|_| self.refused.inc())?;
        self.held.add(length(&room));
        Ok(Bytes::from_owner(Held { piece, room, weight: self.held.clone() }))
    }

    /// Holds `answer` so that what was taken of it is given back.
    ///
    /// # Errors
    ///
    /// When too much is held already.
    pub(crate) fn hold_all(&self, answer: &[u8]) -> Result<Vec<Bytes>, ApiError> {
        answer.chunks(PIECE_BYTES).map(|piece| self.hold(piece.to_vec())).collect()
    }
}

/// A body of `pieces`, each dropped when it was taken. A reader that takes too long does not get all.
pub(crate) fn body(pieces: Vec<Bytes>) -> Body {
    let deadline = Instant::now() + MAX_SENDING;
    let pieces = pieces
        .into_iter()
        .map(move |piece| if Instant::now() < deadline { Ok(piece) } else { Err(too_slow()) });
    Body::from_stream(stream::iter(pieces))
}

fn too_slow() -> io::Error {
    tracing::debug!("an answer broke off: it was taken too slowly");
    io::Error::new(io::ErrorKind::TimedOut, "it is taken too slowly")
}

/// A piece of an answer, and its room.
struct Held {
    piece: Vec<u8>,
    room: OwnedSemaphorePermit,
    weight: IntGauge,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.piece
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.weight.sub(length(&self.room));
    }
}

fn length(room: &OwnedSemaphorePermit) -> i64 {
    i64::try_from(room.num_permits()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    fn answers() -> Answers {
        Answers::new(&Metrics::empty())
    }

    #[test]
    fn what_is_held_is_weighed_until_its_last_copy_is_dropped() {
        let answers = answers();
        let half = answers.hold(vec![0; MEMORY_BYTES / 2]).unwrap();
        let copy = half.clone();
        let rest = answers.hold(vec![0; MEMORY_BYTES / 2]).unwrap();
        let refused = || matches!(answers.hold(vec![0]), Err(ApiError::Busy));
        assert!(refused());
        drop(half);
        assert!(refused(), "the copy is there");
        drop((copy, rest));
        assert_eq!(answers.hold_all(&vec![0; 3 * PIECE_BYTES / 2]).unwrap().len(), 2);
        assert_eq!((answers.held.get(), answers.refused.get()), (0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_taken_is_given_back_and_slow_readers_do_not_get_all() {
        let answers = answers();
        let held = || usize::try_from(answers.held.get()).unwrap();
        let mut taken =
            body(answers.hold_all(&vec![0; 3 * PIECE_BYTES]).unwrap()).into_data_stream();
        assert_eq!(held(), 3 * PIECE_BYTES);
        assert_eq!(taken.next().await.unwrap().unwrap().len(), PIECE_BYTES);
        assert_eq!(held(), 2 * PIECE_BYTES);
        tokio::time::advance(MAX_SENDING).await;
        assert!(taken.next().await.unwrap().is_err());
        drop(taken);
        assert_eq!(held(), 0);
    }
}
