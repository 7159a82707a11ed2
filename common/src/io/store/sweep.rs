//! Removing what dead processes left half-written.

use std::io;
use std::time::Duration;

use super::{Feed, Store};
use crate::base::time::Timestamp;
use crate::format::segment::{SegmentName, Tail};

/// How old a temp file must be before it is nobody's.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);

impl Store {
    /// Removes the temp files of `feed` that were last written more than a day before `now`;
    /// returns how many.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read. A file that cannot be removed is left for the next sweep.
    pub fn sweep_temp_files(&self, feed: &Feed, now: Timestamp) -> io::Result<usize> {
        let mut removed = 0;
        for hour in self.hours(feed)? {
            let folder = self.hour_path(feed, hour);
            for name in self.file_names(feed, hour)? {
                let is_temp = name
                    .parse()
                    .is_ok_and(|name: SegmentName| matches!(name.tail(), Tail::Temp(_)));
                let path = folder.join(&name);
                if is_temp && is_abandoned(&path, now) && std::fs::remove_file(&path).is_ok() {
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }
}

fn is_abandoned(path: &std::path::Path, now: Timestamp) -> bool {
    let modified = std::fs::metadata(path).and_then(|file| file.modified());
    let Ok(modified) = modified else { return false };
    let written =
        Timestamp::from_naive(chrono::DateTime::<chrono::Utc>::from(modified).naive_utc());
    now.saturating_since(written) > ABANDONED_AFTER
}
