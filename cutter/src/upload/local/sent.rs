//! A video that lies in the folder under a hidden name.

use std::path::{Path, PathBuf};

use common::io::store::TempFile;
use futures_util::future::BoxFuture;

use super::names::Kind;
use super::{Links, Local, failed};
use crate::upload::{Found, Unpublished, UploadError, Video};

/// All bytes are on the disk; the file is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Sent {
    folder: PathBuf,
    links: Links,
    stem: String,
    file: TempFile,
    /// What goes with the video: its kind, its unfinished name, its bytes.
    companions: Vec<(Kind, PathBuf, Vec<u8>)>,
    thumbnail_sha256: Option<Vec<u8>>,
}

impl Sent {
    pub(super) fn new(
        local: &Local,
        video: &Video,
        stem: String,
        file: TempFile,
        info: Option<Vec<u8>>,
    ) -> Self {
        let info = info.map(|bytes| (Kind::Info, bytes));
        let image = video.thumbnail.clone().map(|bytes| (Kind::of_image(&bytes), bytes));
        let companions = info.into_iter().chain(image);
        let companions =
            companions.map(|(kind, bytes)| (kind, local.temp_path(video.id, kind), bytes));
        Self {
            folder: local.folder.clone(),
            links: local.links.clone(),
            stem,
            file,
            companions: companions.collect(),
            thumbnail_sha256: video.edit.thumbnail.image_sha256.clone(),
        }
    }

    async fn publish_files(self) -> Result<Found, UploadError> {
        let path_of = |kind: Kind| self.folder.join(format!("{}.{}", self.stem, kind.extension()));
        let thumbnail = self.companions.iter().any(|(kind, ..)| kind.is_thumbnail());
        for (kind, temp_path, bytes) in &self.companions {
            write(temp_path, &path_of(*kind), bytes).await?;
        }
        let path = path_of(Kind::Video);
        self.file.publish(path.clone()).await.map_err(failed("publish", &path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Found {
            link: self.links.of(&name),
            thumbnail_sha256: self.thumbnail_sha256.filter(|_| thumbnail),
        })
    }
}

impl Unpublished for Sent {
    fn publish(self: Box<Self>) -> BoxFuture<'static, Result<Found, UploadError>> {
        Box::pin(self.publish_files())
    }
}

async fn write(temp_path: &Path, path: &Path, bytes: &[u8]) -> Result<(), UploadError> {
    let written = async {
        let mut file = TempFile::create(temp_path.to_owned()).await?;
        file.write(bytes).await?;
        file.publish(path.to_owned()).await
    };
    written.await.map(drop).map_err(failed("write", path))
}
