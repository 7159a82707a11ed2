//! `/extras`: every file below a folder, for nodes that replicate plain trees.

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use common::format::folder::FolderName;
use common::io::store::{Store, names_nothing};

use crate::answers;
use crate::app::App;
use crate::error::ApiError;
use crate::files::{resolve, resolve_within};
use crate::request::Names;

/// How much is walked through for one request.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Entries of folders.
    entries: usize,
    /// Of the paths of what is found.
    path_bytes: usize,
}

const BOUNDS: Bounds = Bounds { entries: 200_000, path_bytes: 32 << 20 };

pub(crate) async fn list(
    State(app): State<App>,
    Names(names): Names,
) -> Result<impl IntoResponse, ApiError> {
    let together = app.together.extras.clone();
    let pieces = together.run(names.clone(), || read(app, names)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], answers::body(pieces)))
}

/// The list as JSON. Its turn ends with this, though the list is held until it was sent.
async fn read(app: App, names: Vec<FolderName>) -> Result<Vec<Bytes>, ApiError> {
    let answers = app.answers.clone();
    let walk = move |store: &Store| {
        let files = files_below(store, &names, BOUNDS).and_then(|files| {
            files.map(|files| serde_json::to_vec(&files).map_err(io::Error::other)).transpose()
        });
        let json = files.map_err(ApiError::internal("list an extra"))?.ok_or_else(too_much)?;
        answers.hold_all(&json)
    };
    app.expensive.walks.read(&app.store, walk).await
}

fn too_much() -> ApiError {
    let Bounds { entries, path_bytes } = BOUNDS;
    let megabytes = path_bytes >> 20;
    let problem = format!(
        "it holds more than {entries} files, or {megabytes} MB of names; ask for a folder in it"
    );
    ApiError::parameter("folder", problem)
}

/// The paths of all files below the folder `names`, relative to it, sorted; `None` when that is
/// beyond `bounds`.
///
/// Left out is what `/segments` would refuse: hidden files and folders, names that are no text, and
/// links out of the base folder. Links to folders are not followed, as they could lead in circles.
fn files_below(
    store: &Store,
    names: &[FolderName],
    bounds: Bounds,
) -> io::Result<Option<Vec<String>>> {
    let base = store.base().canonicalize()?;
    let Some(top) = resolve(store, names)? else {
        return Ok(Some(Vec::new()));
    };
    let (mut files, mut entries, mut path_bytes) = (Vec::new(), 0, 0);
    let mut pending = vec![(top, String::new())];
    while let Some((folder, prefix)) = pending.pop() {
        for entry in folder_entries(&folder)? {
            store.check_awaited()?;
            entries += 1;
            if entries > bounds.entries {
                return Ok(None);
            }
            let Some((name, found)) = examine(&base, &entry?)? else {
                continue;
            };
            let path = format!("{prefix}{name}");
            path_bytes += path.len();
            if path_bytes > bounds.path_bytes {
                return Ok(None);
            }
            match found {
                Found::File => files.push(path),
                Found::Folder(folder) => pending.push((folder, format!("{path}/"))),
            }
        }
    }
    files.sort_unstable();
    Ok(Some(files))
}

/// The entries of a folder; none when it vanished, is none, or is not ours to read.
fn folder_entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<DirEntry>>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if names_nothing(&error) => Ok(None.into_iter().flatten()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::warn!(folder = %folder.display(), "a folder that cannot be read is left out");
            Ok(None.into_iter().flatten())
        }
        Err(error) => Err(error),
    }
}

enum Found {
    File,
    Folder(PathBuf),
}

/// The name and kind of an entry, if it is to be listed.
fn examine(base: &Path, entry: &DirEntry) -> io::Result<Option<(FolderName, Found)>> {
    let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
    let Some(name) = name else {
        return Ok(None);
    };
    let kind = match entry.file_type() {
        Err(error) if names_nothing(&error) => return Ok(None),
        kind => kind?,
    };
    let found = if kind.is_dir() {
        Some(Found::Folder(entry.path()))
    } else if kind.is_file() {
        Some(Found::File)
    } else if kind.is_symlink() {
        let target = resolve_within(base, &entry.path())?;
        target.filter(|target| target.is_file()).map(|_| Found::File)
    } else {
        None
    };
    Ok(found.map(|found| (name, found)))
}

#[cfg(test)]
mod tests {
    use common::io::store::Access;

    use super::*;

    fn list(base: &Path, folder: &str, entries: usize) -> Option<Vec<String>> {
        list_within(base, folder, Bounds { entries, ..BOUNDS })
    }

    fn list_within(base: &Path, folder: &str, bounds: Bounds) -> Option<Vec<String>> {
        let store = Store::open(base, Access::Read).unwrap();
        let names: Vec<FolderName> = folder.split('/').map(|name| name.parse().unwrap()).collect();
        files_below(&store, &names, bounds).unwrap()
    }

    #[test]
    fn a_tree_is_listed_without_what_must_not_be_seen() {
        let base = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), b"").unwrap();
        let extra = base.path().join("extra");
        std::fs::create_dir_all(extra.join("a/b")).unwrap();
        std::fs::create_dir_all(extra.join(".hidden")).unwrap();
        for file in ["z", "a/x", "a/b/y", ".hidden/x", "a/.x", "a/back\\slash"] {
            std::fs::write(extra.join(file), b"").unwrap();
        }
        for (target, link) in [
            (extra.join("a/x"), "inside"),
            (outside.path().join("secret"), "out"),
            (outside.path().to_owned(), "out-folder"),
            (extra.clone(), "a/circle"),
            (extra.join("nothing"), "dangling"),
        ] {
            std::os::unix::fs::symlink(target, extra.join(link)).unwrap();
        }
        let expected = ["a/b/y", "a/x", "inside", "z"].map(str::to_owned).to_vec();
        assert_eq!(list(base.path(), "extra", 100), Some(expected));
        assert_eq!(list(base.path(), "extra/out-folder", 100), Some(Vec::new()));
        assert_eq!(list(base.path(), "extra/a/b", 100), Some(vec!["y".to_owned()]));
        assert_eq!(list(base.path(), "nobody", 100), Some(Vec::new()));
        assert_eq!(list(base.path(), "extra/z", 100), Some(Vec::new()));
    }

    #[test]
    fn a_listing_is_bounded() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(base.path().join("extra/folder")).unwrap();
        std::fs::write(base.path().join("extra/folder/a"), b"").unwrap();
        std::fs::write(base.path().join("extra/folder/.b"), b"").unwrap();
        assert!(list(base.path(), "extra", 3).is_some());
        assert_eq!(list(base.path(), "extra", 2), None, "what is left out costs too");
        let bytes = |path_bytes| list_within(base.path(), "extra", Bounds { path_bytes, ..BOUNDS });
        assert_eq!(bytes("folder".len() + "folder/a".len()), Some(vec!["folder/a".to_owned()]));
        assert_eq!(bytes("folder".len() + "folder/a".len() - 1), None);
    }

    #[tokio::test]
    async fn a_walk_ends_when_nobody_waits_for_it() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(base.path().join("extra/folder")).unwrap();
        let store = Store::open(base.path(), Access::Read).unwrap();
        let given_up = store.while_awaited(Store::clone).await;
        let names = ["extra".parse().unwrap()];
        assert!(files_below(&given_up, &names, BOUNDS).is_err());
        assert!(files_below(&store, &names, BOUNDS).is_ok());
    }
}
