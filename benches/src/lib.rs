//! What the benchmarks share: a recording of a week, a restreamer that serves it, somebody who asks,
//! and how figures are told.
//!
//! Every figure is told as minimum, median and maximum, beside the target and beside what limits it,
//! measured in the same run. Nothing here fails because something is slow: a person judges.

pub mod child;
pub mod client;
pub mod figures;
pub mod growing;
pub mod limit;
pub mod live;
pub mod media;
pub mod process;
pub mod restreamer;
pub mod tree;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use common::base::time::TimeRange;
use common::io::store::{Feed, Store};
use common::plan::select::{Selection, best_segments};

/// Where everything is kept that the benchmarks make: below the workspace's `target`.
pub fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("this crate lies in a folder of the workspace").join("target/bench")
}

/// A folder below [`folder`], empty and gone when dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An empty folder of that name on the disk of the workspace.
///
/// # Errors
///
/// When it cannot be made, or what an earlier run left cannot be removed.
pub fn scratch(name: &str) -> io::Result<Scratch> {
    scratch_in(&folder(), name)
}

/// An empty folder of that name in `parent`.
///
/// # Errors
///
/// As [`scratch`].
pub fn scratch_in(parent: &Path, name: &str) -> io::Result<Scratch> {
    let path = parent.join(name);
    if path.exists() {
        fs::remove_dir_all(&path)?;
    }
    fs::create_dir_all(&path)?;
    Ok(Scratch(path))
}

/// Selects the best segments of `range`, as every part of the project does.
///
/// # Errors
///
/// When a folder cannot be read.
pub fn select(store: &Store, feed: &Feed, range: TimeRange) -> io::Result<Selection> {
    Ok(best_segments(&store.hours_of(feed, &[range])?, range))
}
