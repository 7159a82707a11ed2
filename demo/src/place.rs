//! The folder that holds everything of one demo, and only that.
//!
//! A marker file says that the folder is a demo's. Without it nothing is deleted, and with it only
//! the folders that a demo makes: whatever else lies there stays. The marker is locked for as long
//! as the demo lives, so that two of them never share a folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The marker file.
const MARKER: &str = ".wubloader-demo";
const MARKER_TEXT: &str = "This folder was made by Wubloader's demo. At its next start it replaces \
                           the folders that it makes here, and nothing else.\n";

/// The folders that a demo makes.
const FOLDERS: [&str; 6] = ["store", "videos", "origin", "postgres", "log", "run"];
/// The folder that a database whose making was interrupted leaves.
const UNFINISHED: &str = ".unfinished-cluster";

/// The folder of this demo, fresh.
#[derive(Debug)]
pub(crate) struct Place {
    root: PathBuf,
    /// Its lock ends with it.
    _marker: File,
}

/// A folder that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum PlaceError {
    /// It is not the demo's, and not empty.
    #[error(
        "{} is not empty and was not made by the demo, so nothing in it is replaced; give another \
         folder with --data",
        .0.display()
    )]
    NotOurs(PathBuf),
    /// Another demo is in there.
    #[error(
        "another demo is running in {}; stop it, or give another folder with --data",
        .0.display()
    )]
    InUse(PathBuf),
    /// The file system refused something.
    #[error("cannot {action} {}; give another folder with --data", path.display())]
    Io {
        /// A verb phrase.
        action: &'static str,
        /// What it was about.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Place {
    /// Makes `root` a demo's folder, without anything that an earlier demo left.
    ///
    /// # Errors
    ///
    /// When the folder is somebody else's, in use, or not writable.
    pub(crate) fn make(root: &Path) -> Result<Self, PlaceError> {
        fs::create_dir_all(root).map_err(failed("create", root))?;
        let root = root.canonicalize().map_err(failed("look at", root))?;
        let marker_path = root.join(MARKER);
        if !marker_path.exists() {
            let mut entries = fs::read_dir(&root).map_err(failed("read", &root))?;
            if entries.next().is_some() {
                return Err(PlaceError::NotOurs(root));
            }
            fs::write(&marker_path, MARKER_TEXT).map_err(failed("create", &marker_path))?;
        }
        let marker = File::open(&marker_path).map_err(failed("open", &marker_path))?;
        match marker.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PlaceError::InUse(root)),
            Err(TryLockError::Error(error)) => return Err(failed("lock", &marker_path)(error)),
        }
        for name in FOLDERS.iter().chain([&UNFINISHED]) {
            remove(&root.join(name))?;
        }
        for name in FOLDERS.iter().filter(|name| **name != "postgres") {
            let folder = root.join(name);
            fs::create_dir(&folder).map_err(failed("create", &folder))?;
        }
        Ok(Self { root, _marker: marker })
    }

    /// The whole folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where PostgreSQL's cluster is to be.
    pub(crate) fn postgres(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// Where the origin's encoder writes.
    pub(crate) fn origin(&self) -> PathBuf {
        self.root.join("origin")
    }

    /// Where cutters put finished videos.
    pub(crate) fn videos(&self) -> PathBuf {
        self.root.join("videos")
    }

    /// The folder below `log`, `run` or `store` that belongs to `owner`, made if it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub(crate) fn folder(&self, kind: Kind, owner: &str) -> Result<PathBuf, PlaceError> {
        let folder = self.root.join(kind.name()).join(owner);
        fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        Ok(folder)
    }
}

/// What a folder of one owner is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What its programs say.
    Log,
    /// The pids of its programs.
    Run,
    /// A node's segment store.
    Store,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Run => "run",
            Self::Store => "store",
        }
    }
}

fn remove(folder: &Path) -> Result<(), PlaceError> {
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("remove", folder)(error)),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PlaceError {
    let path = path.to_owned();
    move |source| PlaceError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_demo_made_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("data");
        let first = Place::make(&root).unwrap();
        let old = first.folder(Kind::Store, "node-a").unwrap().join("old.ts");
        fs::write(&old, "").unwrap();
        fs::write(root.join("mine.txt"), "").unwrap();
        drop(first);

        let second = Place::make(&root).unwrap();
        assert!(!old.exists());
        assert!(root.join("mine.txt").exists());
        assert!(second.videos().is_dir());
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let theirs = root.path().join("store");
        fs::create_dir(&theirs).unwrap();
        let error = Place::make(root.path()).unwrap_err();
        assert!(matches!(error, PlaceError::NotOurs(_)), "{error}");
        assert!(theirs.exists());
        assert!(!root.path().join(MARKER).exists());
    }

    #[test]
    fn two_demos_do_not_share_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let first = Place::make(root.path()).unwrap();
        let error = Place::make(root.path()).unwrap_err();
        assert!(matches!(error, PlaceError::InUse(_)), "{error}");
        drop(first);
        Place::make(root.path()).unwrap();
    }
}
