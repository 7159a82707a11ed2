//! Looking into the folder for what an earlier try left there. Blocks on the disk.

use std::fs::{self, File};
use std::path::Path;

use common::base::hash::ContentHash;
use uuid::Uuid;

use super::names::{Kind, TempNames, kind_of};
use super::{Links, failed};
use crate::upload::{Found, UploadError};

/// Finds the video of a try. When it is not there, what was to go with it is removed.
pub(super) fn settle(folder: &Path, links: &Links, id: Uuid) -> Result<Option<Found>, UploadError> {
    let files: Vec<(String, Kind)> = names(folder)?
        .into_iter()
        .filter_map(|name| kind_of(&name, id).map(|kind| (name, kind)))
        .collect();
    let Some((video, _)) = files.iter().find(|(_, kind)| *kind == Kind::Video) else {
        for (name, _) in &files {
            remove(&folder.join(name))?;
        }
        return Ok(None);
    };
    // the try may have died between its rename and this
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(failed("flush", folder))?;
    let thumbnail = files.iter().find(|(_, kind)| kind.is_thumbnail());
    let hash = |(name, _): &(String, Kind)| {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(failed("read", &path))?;
        Ok(ContentHash::of(&bytes).as_bytes().to_vec())
    };
    let thumbnail_sha256 = thumbnail.map(hash).transpose()?;
    Ok(Some(Found { link: links.of(video), thumbnail_sha256 }))
}

/// Removes a cutter's unfinished files.
pub(super) fn forget_unpublished(folder: &Path, temp_names: &TempNames) -> Result<(), UploadError> {
    for name in names(folder)?.iter().filter(|name| temp_names.includes(name)) {
        remove(&folder.join(name))?;
    }
    Ok(())
}

/// The names in the folder that are UTF-8: ours are.
fn names(folder: &Path) -> Result<Vec<String>, UploadError> {
    let entries = fs::read_dir(folder).map_err(failed("list", folder))?;
    let names: Result<Vec<_>, _> = entries.map(|entry| entry.map(|e| e.file_name())).collect();
    let names = names.map_err(failed("list", folder))?;
    Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

fn remove(path: &Path) -> Result<(), UploadError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed("remove", path)(error))
        }
        _ => Ok(()),
    }
}
