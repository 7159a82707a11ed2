//! Making names survive a power cut.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{CWD, RenameFlags};

/// How many folders are remembered as durable: those of a few hours of very many feeds.
const REMEMBERED: usize = 4096;

/// Makes folders whose names survive a power cut.
///
/// A folder that is there already may have been made a moment ago, by another thread or by a process
/// that died before it flushed the name; so every folder's name is flushed once by each process.
#[derive(Debug, Default)]
pub(super) struct Folders {
    durable: Mutex<HashSet<PathBuf>>,
}

impl Folders {
    /// Makes `folder`, which is below `base`, and what is missing in between, and returns once all
    /// their names are on the disk. `base` itself is neither made nor flushed.
    pub(super) fn create(&self, base: &Path, folder: &Path) -> io::Result<()> {
        if folder == base || self.durable().contains(folder) && folder.is_dir() {
            return Ok(());
        }
        let parent = folder.parent().filter(|parent| parent.starts_with(base));
        let parent = parent.ok_or(io::ErrorKind::InvalidInput)?;
        self.create(base, parent)?;
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => flush_folder(parent)?,
        }
        let mut durable = self.durable();
        if durable.len() >= REMEMBERED {
            durable.clear();
        }
        durable.insert(folder.to_owned());
        Ok(())
    }

    fn durable(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Flushes the names in `folder` to the disk.
pub(super) fn flush_folder(folder: &Path) -> io::Result<()> {
    // a relative path of one component has the empty path as its parent
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

/// What became of a rename that must not replace anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renamed {
    /// The file has its new name.
    Done,
    /// The new name was there already; nothing changed.
    AlreadyThere,
}

/// Renames `from` to `to` unless `to` exists.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<Renamed> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Renamed::Done),
        Err(rustix::io::Errno::EXIST) => Ok(Renamed::AlreadyThere),
        // network file systems: a race then replaces a file by one of the same bytes
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if to.exists() => {
            Ok(Renamed::AlreadyThere)
        }
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            std::fs::rename(from, to).map(|()| Renamed::Done)
        }
        Err(errno) => Err(errno.into()),
    }
}
