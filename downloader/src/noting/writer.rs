//! Writing a feed's notes beside all that it does, since a disk may take long over them or hang.

use common::io::store::Store;
use common::io::store::notes::{Note, Notes, Unwritten};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::held::{Holding, Work};
use crate::recorder::joined;

/// How many notes are kept while they cannot be written.
const MAX_PENDING: usize = 10_000;
/// How long after a refusal notes are tried again, if none come before that.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Writes the notes of one feed in the order in which they are given, never two batches at a time.
#[derive(Debug)]
pub(crate) struct Writer {
    store: Store,
    holding: Holding,
    notes: Notes,
    /// What the next batch will be.
    pending: Vec<Note>,
    /// The batch that is being written, if one is.
    writing: JoinSet<Result<(), Unwritten>>,
    /// Whether it was told that notes cannot be written.
    waits: bool,
    /// When what was refused is tried again.
    again: Option<Instant>,
}

impl Writer {
    /// A writer to `notes`, the only one.
    pub(crate) fn new(store: Store, holding: Holding, notes: Notes) -> Self {
        let (pending, writing) = (Vec::new(), JoinSet::new());
        Self { store, holding, notes, pending, writing, waits: false, again: None }
    }

    /// Takes in `notes`, and begins to write what waits, which may be older, unless that is being done.
    pub(crate) fn add(&mut self, notes: Vec<Note>) {
        self.pending.extend(notes);
        let excess = self.pending.len().saturating_sub(MAX_PENDING);
        if excess > 0 {
            tracing::error!(lost = excess, "capture notes are lost; check the disk");
            self.pending.drain(..excess);
        }
        self.begin();
    }

    fn begin(&mut self) {
        if self.pending.is_empty() || !self.writing.is_empty() {
            return;
        }
        let (store, holding, notes) =
            (self.store.clone(), self.holding.clone(), self.notes.clone());
        self.again = None;
        let batch = std::mem::take(&mut self.pending);
        let write = async move {
            holding.ask_patiently(Work::Notes, &store, move |_| notes.append(batch)).await
        };
        self.writing.spawn(write);
    }

    /// Waits until a batch is written or refused, and begins the next one if it is written; what is refused
    /// is tried again after a while. Returns at once, with `false`, when there is nothing to write.
    ///
    /// Cancel safety: nothing is lost when the future is dropped.
    pub(crate) async fn written(&mut self) -> bool {
        if let Some(again) = self.again {
            tokio::time::sleep_until(again).await;
            self.begin();
        }
        self.batch_written().await
    }

    async fn batch_written(&mut self) -> bool {
        let Some(written) = self.writing.join_next().await else { return false };
        match joined(written) {
            Ok(()) => {
                if std::mem::take(&mut self.waits) {
                    tracing::info!("capture notes are written again");
                }
                self.begin();
            }
            Err(unwritten) => self.refused(unwritten),
        }
        true
    }

    /// Keeps what the disk refused.
    fn refused(&mut self, Unwritten { error, mut notes, lost }: Unwritten) {
        if lost > 0 {
            tracing::warn!(lost, "capture notes are lost: {error}");
        }
        if !notes.is_empty() && !std::mem::replace(&mut self.waits, true) {
            tracing::warn!("capture notes cannot be written and are kept for now: {error}");
        }
        notes.append(&mut self.pending);
        self.pending = notes;
        self.again = (!self.pending.is_empty()).then(|| Instant::now() + TRIED_AGAIN_AFTER);
    }

    /// Waits until all that was taken in is written, or refused once more. A disk that hangs is waited
    /// for as long as the service lets a stop take.
    ///
    /// Cancel safety: dropped in between, the batch under way is written all the same, and what comes
    /// after it is lost.
    pub(crate) async fn finish(&mut self) {
        while self.batch_written().await {}
        self.begin();
        while self.batch_written().await {}
        if !self.pending.is_empty() {
            let lost = self.pending.len();
            tracing::error!(lost, "capture notes are lost, since the disk does not take them");
        }
    }
}

#[cfg(test)]
mod tests;
