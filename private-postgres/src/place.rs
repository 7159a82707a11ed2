//! Where a cluster's data and its socket lie.
//!
//! The wish is the caller's data folder for both. Two things forbid it: a socket's path holds at
//! most 107 bytes and no comma, and the server's account may be unable to enter a folder above it (a clone
//! below `/root`). Then a private folder below the system's temporary one takes the socket or the
//! whole cluster, and is removed at the end.
//!
//! A private folder is locked (flock) by its owner for as long as the owner lives. So a folder
//! that can be locked is a killed run's, and the next start removes it.

use std::env;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::Error;
use crate::account::{Account, caller_uid};
use crate::child;

/// The name that PostgreSQL gives its socket, by its port.
pub(crate) const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// The longest path of a socket: `sun_path` has 108 bytes, one of them for the final NUL.
const MAX_SOCKET_PATH: usize = 107;
/// How private folders are called.
const PREFIX: &str = "wubloader-pg-";
/// How long the server of a killed run gets to end by itself before its folder is left alone.
const LEFTOVER_GRACE: Duration = Duration::from_secs(5);

/// The folders of one cluster; temporary ones are removed on drop.
#[derive(Debug)]
pub(crate) struct Place {
    /// The cluster's files.
    pub(crate) data: PathBuf,
    /// The folder of the socket, mode 0700.
    pub(crate) socket: PathBuf,
    _private: Option<PrivateFolder>,
}

impl Place {
    /// Chooses the folders for a cluster that the caller would like to have in `data`.
    ///
    /// # Errors
    ///
    /// When a folder cannot be made, or none suits.
    pub(crate) fn choose(data: Option<&Path>, account: Option<Account>) -> Result<Self, Error> {
        sweep(account);
        if let Some(data) = data
            && reachable(data, account)?
        {
            if fits(data) {
                return Ok(Self { data: data.to_owned(), socket: data.to_owned(), _private: None });
            }
            let private = PrivateFolder::make(account)?;
            return Ok(Self {
                data: data.to_owned(),
                socket: private.path().to_owned(),
                _private: Some(private),
            });
        }
        let private = PrivateFolder::make(account)?;
        Ok(Self {
            data: private.path().join("data"),
            socket: private.path().to_owned(),
            _private: Some(private),
        })
    }
}

/// Makes the folders above `data` and says whether `account` can pass through them.
fn reachable(data: &Path, account: Option<Account>) -> Result<bool, Error> {
    let above = data.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(above).map_err(Error::io("create", above))?;
    Ok(child::may(account, "-x", above))
}

/// Whether a socket can be in `folder`: the path is short enough, and holds nothing that means
/// something in the lists of folders that the server and libpq take.
fn fits(folder: &Path) -> bool {
    let path = folder.join(SOCKET_NAME).into_os_string().into_encoded_bytes();
    path.len() <= MAX_SOCKET_PATH && !path.iter().any(|byte| b",\"".contains(byte))
}

/// A short folder that only the server's account can enter, locked while it is in use.
#[derive(Debug)]
struct PrivateFolder {
    folder: TempDir,
    _lock: File,
}

impl PrivateFolder {
    fn make(account: Option<Account>) -> Result<Self, Error> {
        let roots = roots();
        for root in &roots {
            let longest = root.join(format!("{PREFIX}xxxxxx"));
            if !fits(&longest) || !child::may(account, "-x", root) {
                continue;
            }
            // A sweeper may come between making and locking; then another one is made.
            while let Ok(folder) = make_private(root) {
                if let Some(lock) = lock(folder.path())? {
                    give(folder.path(), account)?;
                    return Ok(Self { folder, _lock: lock });
                }
            }
        }
        Err(Error::NoPlace { tried: roots, max: MAX_SOCKET_PATH })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn make_private(root: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(PREFIX)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(root)
}

/// Hands a folder over to the server's account.
pub(crate) fn give(folder: &Path, account: Option<Account>) -> Result<(), Error> {
    let Some(Account { uid, gid }) = account else {
        return Ok(());
    };
    chown(folder, Some(uid), Some(gid)).map_err(Error::io("change the owner of", folder))
}

/// Locks a folder; `None` when it was removed before the lock was had.
fn lock(folder: &Path) -> Result<Option<File>, Error> {
    let Ok(handle) = File::open(folder) else {
        return Ok(None);
    };
    handle.lock().map_err(Error::io("lock", folder))?;
    Ok(folder.exists().then_some(handle))
}

fn roots() -> Vec<PathBuf> {
    let mut roots = vec![env::temp_dir()];
    for usual in ["/tmp", "/var/tmp"].map(PathBuf::from) {
        if !roots.contains(&usual) {
            roots.push(usual);
        }
    }
    roots
}

/// Removes the private folders of killed runs. What cannot be removed is left to a later start.
fn sweep(account: Option<Account>) {
    let Ok(caller) = caller_uid() else { return };
    let owners = [Some(caller), account.map(|account| account.uid)];
    for root in roots() {
        let Ok(entries) = fs::read_dir(root) else {
            continue;
        };
        for entry in entries.flatten() {
            let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
            // Not followed: in a folder that everyone can write to, a link may lead anywhere.
            let ours = entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && owners.contains(&Some(found.uid())));
            if named && ours {
                sweep_one(&entry.path());
            }
        }
    }
}

fn sweep_one(folder: &Path) {
    let Ok(handle) = File::open(folder) else {
        return;
    };
    if handle.try_lock().is_err() {
        return;
    }
    // The kernel has told the server to stop; that takes a moment.
    let deadline = Instant::now() + LEFTOVER_GRACE;
    while server_lives(folder) {
        if Instant::now() >= deadline {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    let _ = fs::remove_dir_all(folder);
}

/// Returns whether the server that locked the socket in `folder` still runs.
fn server_lives(folder: &Path) -> bool {
    let Ok(text) = fs::read_to_string(folder.join(format!("{SOCKET_NAME}.lock"))) else {
        return false;
    };
    let pid = text.lines().next().unwrap_or_default().trim();
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{MAX_SOCKET_PATH, PrivateFolder, SOCKET_NAME, fits, lock, sweep_one};

    #[test]
    fn a_socket_path_of_107_bytes_fits_and_one_more_does_not() {
        let room = MAX_SOCKET_PATH - SOCKET_NAME.len() - 1;
        assert!(fits(Path::new(&format!("/{}", "x".repeat(room - 1)))));
        assert!(!fits(Path::new(&format!("/{}", "x".repeat(room)))));
    }

    #[test]
    fn a_folder_in_use_survives_a_sweep_and_a_left_one_does_not() {
        let used = PrivateFolder::make(None).unwrap();
        sweep_one(used.path());
        assert!(used.path().exists());

        let left = tempfile::tempdir().unwrap().keep();
        sweep_one(&left);
        assert!(!left.exists());
    }

    #[test]
    fn a_lock_on_a_folder_that_was_swept_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        assert!(lock(&path).unwrap().is_some());
        folder.close().unwrap();
        assert!(lock(&path).unwrap().is_none());
    }
}
