//! Making names survive a power cut.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags};

/// Creates `folder` and what is missing above it, and flushes every folder that gained a name.
pub(super) fn create_folders(folder: &Path) -> io::Result<()> {
    match std::fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(parent) = folder.parent() else {
                return Err(error);
            };
            create_folders(parent)?;
            match std::fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Err(error) => return Err(error),
    }
    folder.parent().map_or(Ok(()), flush_folder)
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
