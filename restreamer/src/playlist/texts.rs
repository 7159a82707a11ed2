//! Texts of playlists that several readers ask for at a time: each is written once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use common::format::hls::WriteError;
use tokio::sync::OnceCell;

use super::media::MediaPlaylist;
use super::text::Text;

/// Longer texts are written for each reader as it takes them: those of some twelve hours and more.
const MAX_SEGMENTS: usize = 25_000;

/// How much memory the texts may take, in bytes.
const MEMORY_BYTES: usize = 16 << 20;

/// What tells texts apart: the digest of the playlist, and how many segments are left out.
type Key = (u64, usize);

/// The texts asked for lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    /// The one asked for last at the end.
    kept: Arc<Mutex<VecDeque<Kept>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    key: Key,
    text: Arc<OnceCell<Bytes>>,
}

impl Kept {
    fn bytes(&self) -> usize {
        self.text.get().map_or(0, Bytes::len)
    }
}

impl Texts {
    /// The text of `playlist`, whose digest is given, without its first `skip` segments: from memory if
    /// somebody asked for it, or waiting until whoever asked first has it. `None` where it is too long
    /// to be kept.
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
                written.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
            })
            .await?
            .clone();
        self.make_room();
        Ok(Some(text))
    }

    fn cell(&self, key: Key) -> Arc<OnceCell<Bytes>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|kept| kept.key == key);
        let found = at.and_then(|at| kept.remove(at));
        let found = found.unwrap_or_else(|| Kept { key, text: Arc::default() });
        let cell = Arc::clone(&found.text);
        kept.push_back(found);
        cell
    }

    /// Forgets what was asked for least lately.
    fn make_room(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes: usize = kept.iter().map(Kept::bytes).sum();
        while bytes > MEMORY_BYTES || kept.len() > MOST {
            let Some(coldest) = kept.pop_front() else { return };
            bytes -= coldest.bytes();
        }
    }
}

/// How many texts are kept at most, however short.
const MOST: usize = 256;

fn written(playlist: MediaPlaylist, skip: usize) -> Result<Bytes, WriteError> {
    let pieces: Result<String, WriteError> = Text::new(playlist, skip)?.collect();
    pieces.map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::{TS, parts, playlist};
    use super::*;

    #[tokio::test]
    async fn a_text_is_written_once_and_told_apart() {
        let texts = Texts::default();
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
        let texts = Texts::default();
        let playlist = playlist(parts(0, &[TS]));
        for digest in 0..2 * MOST as u64 {
            texts.get(&playlist, digest, 0).await.unwrap().unwrap();
        }
        assert_eq!(texts.kept.lock().unwrap().len(), MOST);
        assert_eq!(texts.kept.lock().unwrap()[0].key, (MOST as u64, 0), "the coldest went");
    }
}
