//! Somebody who watches a playlist, and what must be true of what is read.

use std::collections::HashMap;
use std::path::Path;

use common::format::hls::{self, Segment};
use common::io::store::Store;
use proptest::prelude::*;

use crate::playlist::media::MediaPlaylist;
use crate::playlist::span::Asked;
use crate::playlist::text::Text;

/// Somebody who reloads a playlist, and what was seen of it.
pub(super) struct Viewer {
    pub(super) asked: Asked,
    /// What each number was.
    seen: HashMap<u64, (String, bool)>,
    pub(super) last: Option<hls::MediaPlaylist>,
}

impl Viewer {
    pub(super) fn new(asked: Asked) -> Self {
        Self { asked, seen: HashMap::new(), last: None }
    }

    pub(super) fn reload(
        &mut self,
        store: &Store,
        playlist: &MediaPlaylist,
    ) -> Result<(), TestCaseError> {
        let whole = parsed(playlist, 0);
        let about = format!("{:?}\n{:#?}\n{whole:#?}", self.asked, self.last);
        for (number, segment) in (whole.media_sequence..).zip(&whole.segments) {
            let is = (segment.uri.clone(), segment.discontinuity);
            let was = self.seen.entry(number).or_insert_with(|| is.clone());
            prop_assert_eq!(&is, was, "number {} is another one: {}", number, &about);
            let path = store.base().join(segment.uri.trim_start_matches("/segments/"));
            prop_assert_eq!(segment.gap, !is_stored(&path), "{}: {}", number, &about);
        }
        let gap_at_front = whole.segments.len() > 1 && whole.segments[0].gap;
        prop_assert!(!gap_at_front, "{}", &about);
        if let Some(last) = &self.last {
            let end = |list: &hls::MediaPlaylist| list.media_sequence + list.segments.len() as u64;
            prop_assert!(whole.media_sequence >= last.media_sequence, "{}", &about);
            prop_assert!(end(&whole) >= end(last), "the end went away: {}", &about);
            let gone = (last.media_sequence..whole.media_sequence).zip(&last.segments);
            let marks = gone.filter(|(_, segment)| segment.discontinuity).count() as u64;
            let marks = last.discontinuity_sequence + marks;
            // what came and went between two reloads was not seen
            let is_seen = whole.media_sequence <= end(last);
            let sequence = whole.discontinuity_sequence;
            prop_assert!(sequence == marks || !is_seen && sequence >= marks, "{}", &about);
        }
        let skip = playlist.skippable();
        let update = parsed(playlist, skip);
        prop_assert_eq!(&update.segments[..], &whole.segments[skip..]);
        prop_assert!(whole.segments[..skip].iter().all(|segment| !segment.gap));
        self.last = Some(whole);
        Ok(())
    }

    pub(super) fn newest(&self) -> Option<&Segment> {
        self.last.as_ref().and_then(|last| last.segments.last())
    }
}

/// The text without its first `skip` segments, as a player reads it.
fn parsed(playlist: &MediaPlaylist, skip: usize) -> hls::MediaPlaylist {
    let pieces: String = Text::new(playlist.clone(), skip).unwrap().map(Result::unwrap).collect();
    hls::MediaPlaylist::parse(pieces.as_bytes()).unwrap()
}

/// Whether a segment's file is there and not hidden.
pub(super) fn is_stored(file: &Path) -> bool {
    file.exists() && !file.with_extension("tombstone").exists()
}
