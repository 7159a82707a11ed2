//! Finding a file or folder that a request names; to open one is the store's to do.

use std::io;
use std::path::{Path, PathBuf};

use common::format::folder::FolderName;
use common::io::store::{Store, names_nothing};

/// The path of `names` relative to the base folder.
pub(crate) fn relative(names: &[FolderName]) -> PathBuf {
    names.iter().map(FolderName::as_str).collect()
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
