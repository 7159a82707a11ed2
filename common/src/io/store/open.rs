//! Opening what is stored: the one way to the bytes of a file below the base folder.
//!
//! Whoever can put a file into the store can put anything under its name: a link that leads out, a
//! pipe that nobody writes to, a device. So the kernel itself is asked to keep within the base folder
//! while it walks a path (`openat2` with `RESOLVE_BENEATH`), and nothing can be exchanged between a
//! check and its use; opening waits for nobody; and only a regular file is handed out. The kernel takes
//! no absolute link, not even one that leads back inside, and older kernels do not know the call; then
//! the path that the links lead to is found first.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use thiserror::Error;

use super::{Feed, Store};
use crate::base::time::Hour;

/// What is given up for an answer at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing is read from a disk: what the kernel does not know by heart is an error of the kind
    /// [`io::ErrorKind::WouldBlock`].
    Never,
    /// It may take as long as the disk takes.
    ForDisk,
}

/// Why a stored file is not opened.
#[derive(Debug, Error)]
pub enum Unopened {
    /// There is nothing of that name, or no longer.
    #[error("there is no such file")]
    Nothing,
    /// A link on the way leads out of the base folder.
    #[error("it leads out of the base folder")]
    Outside,
    /// It is a folder, a pipe, a socket or a device.
    #[error("it is no regular file")]
    NoFile,
    /// The disk or the system refuses, or would have to be waited for.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

impl Unopened {
    /// What was opened; `None` where there is nothing, or nothing that may be read.
    ///
    /// # Errors
    ///
    /// When the disk or the system refuses.
    pub fn found<T>(opened: Result<T, Self>) -> io::Result<Option<T>> {
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(Self::Failed(error)) => Err(error),
            Err(Self::Nothing | Self::Outside | Self::NoFile) => Ok(None),
        }
    }

    /// Whether this process is short of something: it says nothing about the file.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self, Self::Failed(error) if super::Trouble::of(error).is_ours())
    }
}

impl From<Unopened> for io::Error {
    fn from(unopened: Unopened) -> Self {
        let kind = match unopened {
            Unopened::Nothing => io::ErrorKind::NotFound,
            Unopened::Outside => io::ErrorKind::PermissionDenied,
            Unopened::NoFile => io::ErrorKind::InvalidInput,
            Unopened::Failed(error) => return error,
        };
        Self::new(kind, unopened)
    }
}

impl From<Errno> for Unopened {
    fn from(errno: Errno) -> Self {
        let error = io::Error::from(errno);
        match errno {
            _ if names_nothing(&error) => Self::Nothing,
            // a socket cannot be opened
            Errno::NXIO => Self::NoFile,
            _ => Self::Failed(error),
        }
    }
}

/// Whether `error` only means that there is nothing of that name; a path may be too long although
/// each of its names is not.
pub fn names_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

/// How often a path is walked anew after a folder on it was moved away underway.
const TRIES: usize = 8;

impl Store {
    /// Opens the regular file that `path`, relative to the base folder, leads to.
    ///
    /// # Errors
    ///
    /// When there is none, or none that may be read; see [`Unopened`].
    pub fn open_file(&self, path: &Path, wait: Wait) -> Result<File, Unopened> {
        self.beneath(wait)?.open_file(path)
    }

    /// Opens the segment or chat batch of this name of an hour. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// As [`Store::open_file`].
    pub fn open_in_hour(&self, feed: &Feed, hour: Hour, name: &str) -> Result<File, Unopened> {
        self.open_file(&hour_folder(feed, hour).join(name), Wait::ForDisk)
    }

    /// Whether `path`, relative to the base folder, leads to anything below that.
    ///
    /// # Errors
    ///
    /// When the disk cannot tell, or would have to and must not be waited for.
    pub fn is_there(&self, path: &Path, wait: Wait) -> io::Result<bool> {
        let opened = self.beneath(wait).and_then(|base| base.open(path, OFlags::PATH));
        Ok(Unopened::found(opened)?.is_some())
    }

    /// The base folder, opened for many files to be opened one after the other.
    pub(super) fn beneath(&self, wait: Wait) -> Result<Beneath<'_>, Unopened> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let base = match openat2(CWD, self.base(), flags, Mode::empty(), wait.resolving()) {
            Err(errno) if is_unknown(errno) && wait == Wait::ForDisk => {
                openat(CWD, self.base(), flags, Mode::empty())
            }
            Err(errno) if is_unknown(errno) => return Err(would_block()),
            opened => opened,
        };
        Ok(Beneath { path: self.base(), base: base?, wait })
    }
}

/// The folder of an hour, relative to the base folder.
pub(super) fn hour_folder(feed: &Feed, hour: Hour) -> PathBuf {
    let Feed { channel, quality } = feed;
    [channel.as_str(), quality.as_str(), &hour.to_string()].iter().collect()
}

impl Wait {
    fn resolving(self) -> ResolveFlags {
        match self {
            Self::Never => ResolveFlags::CACHED,
            Self::ForDisk => ResolveFlags::empty(),
        }
    }
}

/// Whether a kernel, or a sandbox, does not know the call or a flag of it.
fn is_unknown(errno: Errno) -> bool {
    matches!(errno, Errno::NOSYS | Errno::INVAL | Errno::PERM)
}

fn would_block() -> Unopened {
    Unopened::Failed(io::ErrorKind::WouldBlock.into())
}

/// What opens files below the base folder.
pub(super) struct Beneath<'a> {
    path: &'a Path,
    base: OwnedFd,
    wait: Wait,
}

impl Beneath<'_> {
    /// See [`Store::open_file`].
    pub(super) fn open_file(&self, path: &Path) -> Result<File, Unopened> {
        // opening a pipe must not wait for a writer
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(self.open(path, flags)?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(Unopened::NoFile) }
    }

    fn open(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Unopened> {
        let flags = flags | OFlags::CLOEXEC;
        let trouble = match self.walk(path, flags) {
            // a link that leads out or is absolute
            Err(errno) if errno == Errno::XDEV || is_unknown(errno) => errno,
            walked => return Ok(walked?),
        };
        if self.wait == Wait::Never {
            return Err(would_block());
        }
        let path = self.resolved(path)?;
        if is_unknown(trouble) {
            // no link is left on it, unless somebody has put one there in between
            let flags = flags | OFlags::NOFOLLOW;
            return Ok(openat(&self.base, &path, flags, Mode::empty())?);
        }
        match self.walk(&path, flags) {
            Err(Errno::XDEV) => Err(Unopened::Outside),
            walked => Ok(walked?),
        }
    }

    /// Opens `path` without ever leaving the base folder.
    fn walk(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let tries = if self.wait == Wait::Never { 1 } else { TRIES };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | self.wait.resolving();
        let base = self.base.as_fd();
        let mut walks = (0..tries).map(|_| openat2(base, path, flags, Mode::empty(), resolve));
        walks.find(|opened| !matches!(opened, Err(Errno::AGAIN))).unwrap_or(Err(Errno::AGAIN))
    }

    /// What `path` leads to once all links are followed, relative to the base folder.
    fn resolved(&self, path: &Path) -> Result<PathBuf, Unopened> {
        let base = self.path.canonicalize()?;
        let found = match base.join(path).canonicalize() {
            Err(error) => return Err(Errno::from_io_error(&error).map_or(error.into(), Into::into)),
            Ok(found) => found,
        };
        found.strip_prefix(&base).map(Path::to_owned).map_err(|_| Unopened::Outside)
    }
}

#[cfg(test)]
mod tests;
