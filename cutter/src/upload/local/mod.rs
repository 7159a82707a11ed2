//! Publishing to a folder: a video appears there whole, under its final name, or not at all.
//!
//! A name is made of the title and of the try's id, and only the id counts when a video is looked
//! for: the title may have been changed since. What goes with a video (its thumbnail, a file of
//! information) is there before the video itself, so that whoever sees the video finds them.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use common::format::folder::FolderName;
use common::io::store::TempFile;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use url::Url;
use uuid::Uuid;

use super::{Backend, Cut, Found, Unpublished, UploadError, Video};

mod info;
mod names;
mod sent;
mod settle;

use names::{Kind, TempNames};
use sent::Sent;

/// A folder to publish to.
#[derive(Debug)]
pub struct Local {
    folder: PathBuf,
    links: Links,
    write_info: bool,
    temp_names: TempNames,
}

/// How a file's name becomes an address.
#[derive(Clone)]
struct Links(Url);

impl Local {
    /// A place that publishes to `folder`, which must be there, on behalf of `cutter`. Links begin
    /// with `url_prefix`, or lead to the file itself.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the folder or the prefix.
    pub fn new(
        folder: &Path,
        url_prefix: Option<&str>,
        write_info: bool,
        cutter: &FolderName,
    ) -> anyhow::Result<Self> {
        let folder = std::path::absolute(folder).context("cannot use its path")?;
        let shown = folder.display();
        ensure!(folder.is_dir(), "the path {shown} is no folder; create it");
        let writable = rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK);
        writable.with_context(|| {
            format!("the path {shown} cannot be written to; check its owner and mode")
        })?;
        let links = Links::new(&folder, url_prefix)?;
        Ok(Self { folder, links, write_info, temp_names: TempNames::of(cutter) })
    }

    fn temp_path(&self, id: Uuid, kind: Kind) -> PathBuf {
        self.folder.join(self.temp_names.name(id, kind))
    }

    async fn send_file(&self, video: &Video, mut cut: Cut) -> Result<Sent, UploadError> {
        let path = self.temp_path(video.id, Kind::Video);
        let mut file = TempFile::create(path.clone()).await.map_err(failed("create", &path))?;
        while let Some(block) = cut.next().await {
            let block = block.map_err(UploadError::Source)?;
            file.write(&block).await.map_err(failed("write", &path))?;
        }
        file.flush().await.map_err(failed("flush", &path))?;
        let info = self.write_info.then(|| info::describe(video, &file));
        let stem = names::stem(&video.edit.video_title, video.id);
        Ok(Sent::new(self, video, stem, file, info))
    }
}

impl Backend for Local {
    fn send<'a>(
        &'a self,
        video: &'a Video,
        cut: Cut,
    ) -> BoxFuture<'a, Result<Box<dyn Unpublished>, UploadError>> {
        Box::pin(async move {
            let sent = self.send_file(video, cut).await?;
            Ok(Box::new(sent) as Box<dyn Unpublished>)
        })
    }

    fn settle(&self, video_id: Uuid) -> BoxFuture<'_, Result<Option<Found>, UploadError>> {
        let (folder, links) = (self.folder.clone(), self.links.clone());
        Box::pin(blocking(move || settle::settle(&folder, &links, video_id)))
    }

    fn forget_unpublished(&self) -> BoxFuture<'_, Result<(), UploadError>> {
        let (folder, temp_names) = (self.folder.clone(), self.temp_names.clone());
        Box::pin(blocking(move || settle::forget_unpublished(&folder, &temp_names)))
    }
}

impl Links {
    fn new(folder: &Path, prefix: Option<&str>) -> anyhow::Result<Self> {
        let Some(prefix) = prefix else {
            let base = Url::from_directory_path(folder).ok();
            return base.map(Self).context("the path can be no address");
        };
        let slashed = format!("{}/", prefix.trim_end_matches('/'));
        let base: Url =
            slashed.parse().with_context(|| format!("the url_prefix {prefix:?} is no address"))?;
        ensure!(!base.cannot_be_a_base(), "the url_prefix {prefix:?} is no address of a folder");
        Ok(Self(base))
    }

    /// Returns the address of the file `name`.
    fn of(&self, name: &str) -> String {
        let mut link = self.0.clone();
        if let Ok(mut path) = link.path_segments_mut() {
            path.pop_if_empty().push(name);
        }
        link.into()
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Says what could not be done to which file.
fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> UploadError {
    let path = path.to_owned();
    move |source| UploadError::File { action, path, source }
}

#[cfg(test)]
mod tests;
