//! Finding a file that a request names.
//!
//! The kernel itself is asked to keep within the base folder while it walks a path (`openat2` with
//! `RESOLVE_BENEATH`), so nothing can be exchanged between a check and its use. It takes no absolute
//! link, not even one that leads back inside, and older kernels do not know it; then the path that the
//! links lead to is found first.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use common::format::folder::FolderName;
use common::io::store::Store;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// What is given up for an answer at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Nothing is read from a disk: what the kernel does not know by heart is an error of the kind
    /// [`io::ErrorKind::WouldBlock`].
    Never,
    /// It may take as long as the disk takes.
    ForDisk,
}

/// How often a path is walked anew after a folder on it was moved away underway.
const TRIES: usize = 8;

/// Opens the file that `names` lead to below the base folder, whatever kind of file it is; `None` when
/// there is nothing, or a link on the way leads out of it.
///
/// # Errors
///
/// When the disk cannot tell, or would have to and must not be waited for.
pub(crate) fn open(store: &Store, names: &[FolderName], wait: Wait) -> io::Result<Option<File>> {
    // opening a pipe must not wait for a writer
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    Ok(open_within(store, &relative(names), flags, wait)?.map(File::from))
}

/// Whether `names` lead to anything below the base folder.
///
/// # Errors
///
/// When the disk cannot tell, or would have to and must not be waited for.
pub(crate) fn exists(store: &Store, names: &[FolderName], wait: Wait) -> io::Result<bool> {
    Ok(open_within(store, &relative(names), OFlags::PATH, wait)?.is_some())
}

fn relative(names: &[FolderName]) -> PathBuf {
    names.iter().map(FolderName::as_str).collect()
}

fn open_within(
    store: &Store,
    path: &Path,
    flags: OFlags,
    wait: Wait,
) -> io::Result<Option<OwnedFd>> {
    match open_beneath(store, path, flags | OFlags::CLOEXEC, wait) {
        // an absolute link; or a kernel, or a sandbox, that does not know the call or a flag of it
        Err(Errno::XDEV | Errno::NOSYS | Errno::INVAL | Errno::PERM) => match wait {
            Wait::Never => Err(io::ErrorKind::WouldBlock.into()),
            Wait::ForDisk => open_resolved(store, path, flags | OFlags::CLOEXEC),
        },
        opened => found(opened),
    }
}

/// Opens `path` below the base folder without ever leaving that.
fn open_beneath(store: &Store, path: &Path, flags: OFlags, wait: Wait) -> Result<OwnedFd, Errno> {
    let (as_known, tries) = match wait {
        Wait::Never => (ResolveFlags::CACHED, 1),
        Wait::ForDisk => (ResolveFlags::empty(), TRIES),
    };
    let base_flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let base = openat2(CWD, store.base(), base_flags, Mode::empty(), as_known)?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | as_known;
    let mut walks = (0..tries).map(|_| openat2(&base, path, flags, Mode::empty(), resolve));
    walks.find(|opened| !matches!(opened, Err(Errno::AGAIN))).unwrap_or(Err(Errno::AGAIN))
}

/// Opens what `path` below the base folder leads to once all links are followed, if that is within.
fn open_resolved(store: &Store, path: &Path, flags: OFlags) -> io::Result<Option<OwnedFd>> {
    let base = store.base().canonicalize()?;
    let Some(path) = resolve_within(&base, &base.join(path))? else {
        return Ok(None);
    };
    // no link is left on it, unless somebody has put one there in between
    let flags = flags | OFlags::NOFOLLOW;
    found(openat(CWD, path, flags, Mode::empty()))
}

fn found(opened: Result<OwnedFd, Errno>) -> io::Result<Option<OwnedFd>> {
    match opened {
        Ok(file) => Ok(Some(file)),
        // a socket cannot be opened
        Err(Errno::NXIO) => Ok(None),
        Err(errno) => match io::Error::from(errno) {
            error if names_nothing(&error) => Ok(None),
            error => Err(error),
        },
    }
}

/// What `names` lead to below the base folder; `None` when there is nothing, or a link on the way
/// leads out of it.
///
/// # Errors
///
/// When the disk cannot tell.
pub(crate) fn resolve(store: &Store, names: &[FolderName]) -> io::Result<Option<PathBuf>> {
    let base = store.base().canonicalize()?;
    resolve_within(&base, &base.join(relative(names)))
}

/// Where `path` leads, if that is in `base`, which must be canonical.
///
/// # Errors
///
/// When the disk cannot tell.
pub(crate) fn resolve_within(base: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    match path.canonicalize() {
        Ok(path) => Ok(path.starts_with(base).then_some(path)),
        Err(error) if names_nothing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether `error` only means that there is nothing of that name; a path may be too long although
/// each of its names is not.
pub(crate) fn names_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use common::io::store::Access;

    use super::*;

    #[test]
    fn waiting_or_not_the_same_file_is_found() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("a")).unwrap();
        std::fs::write(base.path().join("a/b"), b"text").unwrap();
        let store = Store::open(base.path(), Access::Read).unwrap();
        let names = ["a", "b"].map(|name| name.parse().unwrap());
        for wait in [Wait::ForDisk, Wait::Never] {
            let mut text = String::new();
            open(&store, &names, wait).unwrap().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "text", "{wait:?}");
            assert!(exists(&store, &names, wait).unwrap());
        }
        let nothing = [names[0].clone(), "c".parse().unwrap()];
        assert!(open(&store, &nothing, Wait::ForDisk).unwrap().is_none());
        assert!(!exists(&store, &nothing, Wait::ForDisk).unwrap());
    }

    #[test]
    fn without_waiting_nothing_is_looked_up() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Read).unwrap();
        let error = open(&store, &["never-seen".parse().unwrap()], Wait::Never).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn no_way_of_opening_leaves_the_base_folder() {
        let [base, outside] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        std::fs::write(outside.path().join("secret"), b"").unwrap();
        let store = Store::open(base.path(), Access::Read).unwrap();
        let up = format!("../{}", outside.path().file_name().unwrap().to_str().unwrap());
        std::os::unix::fs::symlink(outside.path(), base.path().join("absolute")).unwrap();
        std::os::unix::fs::symlink(up, base.path().join("relative")).unwrap();
        for link in ["absolute", "relative"] {
            let path = Path::new(link).join("secret");
            assert!(base.path().join(&path).exists());
            let beneath = open_beneath(&store, &path, OFlags::RDONLY, Wait::ForDisk);
            assert_eq!(beneath.unwrap_err(), Errno::XDEV);
            assert!(open_resolved(&store, &path, OFlags::RDONLY).unwrap().is_none());
        }
    }
}
