//! The base folder, and whether it is still the one that was opened.
//!
//! A folder on a disk that was unmounted does not vanish: the empty mount point takes its place.
//! Taken for the store, it would look like a node that holds nothing, and what is recorded would be
//! written where nobody looks for it. So the folder is known by its device and inode.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A base folder that cannot be used.
#[derive(Debug, Error)]
#[error("cannot use the base folder {}: {problem}", path.display())]
pub struct OpenError {
    path: PathBuf,
    problem: &'static str,
    #[source]
    source: io::Error,
}

/// What a service is going to do with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read.
    Read,
    /// Read and publish.
    Write,
}

/// The base folder of a store.
#[derive(Debug)]
pub(super) struct Base {
    path: PathBuf,
    identity: Identity,
}

/// Which folder it is, whatever its path leads to later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(folder: &Metadata) -> Self {
        Self { device: folder.dev(), inode: folder.ino() }
    }
}

impl Base {
    pub(super) fn open(path: PathBuf, access: Access) -> Result<Self, OpenError> {
        match identify(&path, access) {
            Ok(identity) => Ok(Self { path, identity }),
            Err((problem, source)) => Err(OpenError { path, problem, source }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to the folder that was opened.
    ///
    /// # Errors
    ///
    /// When it leads nowhere or elsewhere; the message says what to do.
    pub(super) fn check(&self) -> io::Result<()> {
        let shown = self.path.display();
        let folder = std::fs::metadata(&self.path).map_err(|error| {
            let problem =
                format!("the base folder {shown} is gone, is its disk mounted? ({error})");
            io::Error::new(error.kind(), problem)
        })?;
        if Identity::of(&folder) == self.identity {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "the base folder {shown} is another one than at the start, is its disk mounted? \
             (if it was replaced on purpose, restart)"
        )))
    }
}

/// The identity of a folder that can be used, or what is wrong with it.
fn identify(path: &Path, access: Access) -> Result<Identity, (&'static str, io::Error)> {
    let readable = std::fs::read_dir(path).and_then(|_| std::fs::metadata(path));
    let folder = readable.map_err(|error| {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => {
                "it does not exist; create it, or give another with --base-dir"
            }
            io::ErrorKind::NotADirectory => "it is no folder; give a folder with --base-dir",
            _ => "it cannot be read; check its owner and mode",
        };
        (problem, error)
    })?;
    if access == Access::Write {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK)
            .map_err(|errno| ("it cannot be written to; check its owner and mode", errno.into()))?;
    }
    Ok(Identity::of(&folder))
}
