//! `/extras`: every file below a folder, for nodes that replicate plain trees.

use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::State;
use common::format::folder::FolderName;
use common::io::store::Store;

use crate::app::App;
use crate::error::ApiError;
use crate::files::{names_nothing, resolve, resolve_within};
use crate::request::Names;

/// How many entries of folders are looked at for one request.
const MAX_ENTRIES: usize = 200_000;

pub(crate) async fn list(
    State(app): State<App>,
    Names(names): Names,
) -> Result<Json<Vec<String>>, ApiError> {
    let turn = app.expensive.walks.turn().await?;
    let walk = move |store: &_| {
        let _turn = turn;
        files_below(store, &names, MAX_ENTRIES)
    };
    let files = app.store.blocking(walk).await;
    files.map_err(ApiError::internal("list an extra"))?.map(Json).ok_or_else(|| {
        let problem = format!("it holds more than {MAX_ENTRIES} files; ask for a folder in it");
        ApiError::parameter("folder", problem)
    })
}

/// The paths of all files below the folder `names`, relative to it, sorted; `None` when there are
/// more than `max_entries` files and folders.
///
/// Left out is what `/segments` would refuse: hidden files and folders, names that are no text, and
/// links out of the base folder. Links to folders are not followed, as they could lead in circles.
fn files_below(
    store: &Store,
    names: &[FolderName],
    max_entries: usize,
) -> io::Result<Option<Vec<String>>> {
    let base = store.base().canonicalize()?;
    let Some(top) = resolve(store, names)? else {
        return Ok(Some(Vec::new()));
    };
    let (mut files, mut entries) = (Vec::new(), 0);
    let mut pending = vec![(top, String::new())];
    while let Some((folder, prefix)) = pending.pop() {
        for entry in folder_entries(&folder)? {
            entries += 1;
            if entries > max_entries {
                return Ok(None);
            }
            let Some((name, found)) = examine(&base, &entry?)? else {
                continue;
            };
            let path = format!("{prefix}{name}");
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

    fn list(base: &Path, folder: &str, max_entries: usize) -> Option<Vec<String>> {
        let store = Store::open(base, Access::Read).unwrap();
        let names: Vec<FolderName> = folder.split('/').map(|name| name.parse().unwrap()).collect();
        files_below(&store, &names, max_entries).unwrap()
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
    }
}
