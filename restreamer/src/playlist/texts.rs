//! Texts of playlists that several readers ask for at a time: each is written once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use common::format::hls::WriteError;
use tokio::sync::OnceCell;

use super::media::MediaPlaylist;
use super::text::Text;
use crate::answers::Answers;
use crate::recent::Recent;

/// Longer texts are written for each reader as it takes them: those of some twelve hours and more.
const MAX_SEGMENTS: usize = 25_000;

/// How much memory the texts may take, in bytes.
const MEMORY_BYTES: usize = 16 << 20;

/// What a text takes at least, as it is counted: so many are never kept that to look through them
/// takes longer than to write one.
const ENTRY_BYTES: usize = 64 << 10;

/// What tells texts apart: the digest of the playlist, and how many segments are left out.
type Key = (u64, usize);

/// The texts asked for lately; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    answers: Answers,
    kept: Arc<Mutex<Recent<Key, Arc<OnceCell<Bytes>>>>>,
}

/// Why there is no text.
enum NoText {
    /// Too much is held already.
    NoRoom,
    Bad(WriteError),
}

impl Texts {
    /// None yet; what is asked for is held by `answers`.
    pub(crate) fn new(answers: Answers) -> Self {
        Self { answers, kept: Arc::default() }
    }

    /// The text of `playlist`, whose digest is given, without its first `skip` segments: from memory if
    /// somebody asked for it, or waiting until whoever asked first has it. `None` where it is too long
    /// to be kept, or there is no room for it while readers take others.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    ///
    /// Cancel safety: dropped, another reader that waits writes it.
    pub(crate) async fn get(
        &self,
        playlist: &MediaPlaylist,
        digest: u64,
        skip: usize,
    ) -> Result<Option<Bytes>, WriteError> {
        if playlist.len() - skip > MAX_SEGMENTS {
            return Ok(None);
        }
        let cell = self.cell((digest, skip));
        let text = cell
            .get_or_try_init(|| async {
                let playlist = playlist.clone();
                let written = tokio::task::spawn_blocking(move || written(playlist, skip)).await;
                let written =
                    written.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
                let text = written.map_err(NoText::Bad)?;
                self.answers.hold(text.into_bytes()).map_err(|_| NoText::NoRoom)
            })
            .await
            .cloned();
        self.make_room();
        match text {
            Ok(text) => Ok(Some(text)),
            Err(NoText::NoRoom) => Ok(None),
            Err(NoText::Bad(error)) => Err(error),
        }
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<Bytes>> {
        let mut kept = self.kept();
        if let Some(cell) = kept.get(&key) {
            return Arc::clone(cell);
        }
        let cell = Arc::default();
        kept.put(key, Arc::clone(&cell));
        cell
    }

    /// Forgets what was asked for least lately.
    fn make_room(&self) {
        let size = |text: &Arc<OnceCell<Bytes>>| text.get().map_or(0, Bytes::len) + ENTRY_BYTES;
        self.kept().make_room(MEMORY_BYTES, size);
    }

    fn kept(&self) -> MutexGuard<'_, Recent<Key, Arc<OnceCell<Bytes>>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn written(playlist: MediaPlaylist, skip: usize) -> Result<String, WriteError> {
    Text::new(playlist, skip)?.collect()
}

#[cfg(test)]
mod tests {
    use common::metrics::Metrics;

    use super::super::text::tests::{TS, parts, playlist};
    use super::*;

    fn texts() -> Texts {
        Texts::new(Answers::new(&Metrics::empty()))
    }

    #[tokio::test]
    async fn a_text_is_written_once_and_told_apart() {
        let texts = texts();
        let playlist = playlist(parts(0, &[TS, TS]));
        let first = texts.get(&playlist, 1, 0).await.unwrap().unwrap();
        let again = texts.get(&playlist, 1, 0).await.unwrap().unwrap();
        assert_eq!(first.as_ptr(), again.as_ptr());
        let other = texts.get(&playlist, 2, 0).await.unwrap().unwrap();
        assert_ne!(first.as_ptr(), other.as_ptr());
        assert_eq!(first, other);
    }

    #[tokio::test]
    async fn few_texts_are_kept() {
        let texts = texts();
        let playlist = playlist(parts(0, &[TS]));
        let most = (MEMORY_BYTES / ENTRY_BYTES) as u64;
        let first = texts.get(&playlist, 0, 0).await.unwrap().unwrap();
        for digest in 1..most {
            texts.get(&playlist, digest, 0).await.unwrap().unwrap();
        }
        let again = texts.get(&playlist, 1, 0).await.unwrap().unwrap();
        texts.get(&playlist, most, 0).await.unwrap().unwrap();
        texts.get(&playlist, most + 1, 0).await.unwrap().unwrap();
        assert_eq!(texts.get(&playlist, 1, 0).await.unwrap().unwrap().as_ptr(), again.as_ptr());
        let anew = texts.get(&playlist, 0, 0).await.unwrap().unwrap();
        assert_ne!(anew.as_ptr(), first.as_ptr(), "the coldest went");
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_is_not_kept_and_may_have_room_later() {
        let texts = texts();
        let playlist = playlist(parts(0, &[TS]));
        let mut taken = Vec::new();
        while let Ok(piece) = texts.answers.hold(vec![0; 64 << 20]) {
            taken.push(piece);
        }
        assert_eq!(texts.get(&playlist, 0, 0).await.unwrap(), None);
        taken.clear();
        assert!(texts.get(&playlist, 0, 0).await.unwrap().is_some());
    }
}
