//! A recording that goes on: new segments in the hour after the week.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use common::base::time::Timestamp;

use crate::tree::{self, Tree};

/// The hour after the week, taken away again when dropped.
#[derive(Debug)]
pub struct Growing {
    folder: PathBuf,
    /// A segment to link to.
    source: PathBuf,
    next: Timestamp,
}

impl Growing {
    /// Begins the hour, without what an earlier run may have left.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made.
    pub fn begin(tree: &Tree) -> Result<Self> {
        let week = tree::week();
        let source = tree.hour_path(week.start().hour()).join(tree::name(week.start()));
        let folder = tree.hour_path(week.end().hour());
        if folder.exists() {
            fs::remove_dir_all(&folder).context("remove what was left")?;
        }
        fs::create_dir(&folder).context("begin an hour")?;
        Ok(Self { folder, source, next: week.end() })
    }

    /// Publishes the next segment as a downloader does, by a rename, and returns its name.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or the hour is over.
    pub fn publish(&mut self) -> Result<String> {
        ensure!(self.next.hour() == tree::week().end().hour(), "an hour is enough");
        let name = tree::name(self.next);
        let temp = self.folder.join(name.replace("-full-", "-temp-"));
        // a link would not be renamed over another name of the same file
        fs::copy(&self.source, &temp).context("write a segment")?;
        fs::rename(&temp, self.folder.join(&name)).context("publish a segment")?;
        self.next = self.next + tree::length();
        Ok(name)
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
