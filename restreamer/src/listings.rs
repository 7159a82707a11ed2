//! The listings of hours as they are sent, made again only when their folders changed.
//!
//! Other nodes ask for the same few hours again and again.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use common::base::time::Hour;
use common::io::store::{Feed, Stamp, Store};
use common::plan::listing::{FolderKind, visible_names};

use crate::recent::Recent;

/// How much memory the listings may take, in bytes: a hundred hours of segments of two seconds.
const MEMORY_BYTES: usize = 16 << 20;

/// What a listing takes besides its text, about.
const ENTRY_BYTES: usize = 256;

/// What is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HourFolder {
    pub(crate) feed: Feed,
    pub(crate) hour: Hour,
    /// Whether the names of tombstones are listed too.
    pub(crate) tombstones: bool,
}

/// The listings asked for lately; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listings {
    kept: Arc<Mutex<Recent<HourFolder, Kept>>>,
}

#[derive(Clone, Debug)]
struct Kept {
    stamp: Stamp,
    json: Bytes,
}

impl Listings {
    /// The names in `folder` that other nodes may see, as a JSON list. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub(crate) fn get(&self, store: &Store, folder: &HourFolder) -> io::Result<Bytes> {
        if let Some(stamp) = store.stamp(&folder.feed, folder.hour)
            && let Some(json) = self.find(folder, stamp)
        {
            return Ok(json);
        }
        let (names, stamp) = store.stamped_file_names(&folder.feed, folder.hour)?;
        let kind = FolderKind::of(folder.feed.quality.as_str());
        let json = serde_json::to_vec(&visible_names(&names, kind, folder.tombstones))?;
        let json = Bytes::from(json);
        if let Some(stamp) = stamp {
            let mut kept = self.kept();
            kept.put(folder.clone(), Kept { stamp, json: json.clone() });
            kept.make_room(MEMORY_BYTES, |kept| kept.json.len() + ENTRY_BYTES);
        }
        Ok(json)
    }

    fn find(&self, folder: &HourFolder, stamp: Stamp) -> Option<Bytes> {
        let mut kept = self.kept();
        kept.get(folder).filter(|kept| kept.stamp == stamp).map(|kept| kept.json.clone())
    }

    fn kept(&self) -> MutexGuard<'_, Recent<HourFolder, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use common::io::store::Access;

    use super::*;

    #[test]
    fn a_listing_is_made_again_when_its_folder_changed() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Read).unwrap();
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let path = store.hour_path(&feed, hour);
        let folder = |tombstones| HourFolder { feed: feed.clone(), hour, tombstones };
        let listings = Listings::default();
        let get = |tombstones| listings.get(&store, &folder(tombstones)).unwrap();
        assert_eq!(get(false), "[]");
        std::fs::create_dir_all(&path).unwrap();
        for name in ["a.ts", "b.ts", "b.tombstone"] {
            std::fs::write(path.join(name), b"").unwrap();
        }
        assert_eq!(
            (&*get(false), &*get(true)),
            (&br#"["a.ts"]"#[..], &br#"["a.ts","b.tombstone"]"#[..])
        );
        for number in 0..100 {
            std::fs::write(path.join(format!("c{number:02}.ts")), b"").unwrap();
            let listed: Vec<String> = serde_json::from_slice(&get(false)).unwrap();
            assert_eq!(listed.len(), number + 2, "however quick");
        }
        let long_ago =
            std::time::UNIX_EPOCH + std::time::Duration::from_nanos(1_700_000_000_000_000_001);
        std::fs::File::open(&path).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(get(false).as_ptr(), get(false).as_ptr(), "kept while nothing changes");
        assert_ne!(get(false), get(true));
    }
}
