//! Publishing a video: what is needed of a place, whatever place it is.
//!
//! A place first takes all bytes without showing any of them, and then publishes in one step. The
//! caller writes down that it is about to publish in between, so that after a crash somebody asks
//! the place what happened.

use std::fmt;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use common::io::db::edit::Edit;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use thiserror::Error;
use uuid::Uuid;

pub mod local;

/// The bytes of a video as they are cut; an error of reading them is in between.
pub type Cut = BoxStream<'static, io::Result<Bytes>>;

/// A video to publish.
#[derive(Clone, Debug)]
pub struct Video {
    /// New for each try, so that whatever is found under it was published by that try.
    pub id: Uuid,
    /// The event that it is of.
    pub event_id: String,
    /// What it shall be.
    pub edit: Edit,
    /// Tags besides those of the event.
    pub extra_tags: Vec<String>,
    /// The thumbnail.
    pub thumbnail: Option<Vec<u8>>,
}

impl Video {
    /// Returns all tags, each once, the event's own first.
    pub fn tags(&self) -> Vec<&str> {
        let mut tags: Vec<&str> = Vec::new();
        for tag in self.edit.video_tags.iter().chain(&self.extra_tags) {
            if !tags.contains(&tag.as_str()) {
                tags.push(tag);
            }
        }
        tags
    }
}

/// A video that is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub link: String,
    /// SHA-256 of the thumbnail that is out with it.
    pub thumbnail_sha256: Option<Vec<u8>>,
}

/// Why a video was not sent, not published, or not found. All of these may pass.
#[derive(Debug, Error)]
pub enum UploadError {
    /// The video could not be cut.
    #[error("cannot cut the video: {0}")]
    Source(#[source] io::Error),
    /// The place did not take it.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// A verb phrase.
        action: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// A place to publish.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Sends all bytes, and publishes nothing.
    ///
    /// Cancel safety: dropped in between, what was sent is forgotten, at the latest by
    /// [`Backend::forget_unpublished`].
    fn send<'a>(
        &'a self,
        video: &'a Video,
        cut: Cut,
    ) -> BoxFuture<'a, Result<Box<dyn Unpublished>, UploadError>>;

    /// Finds out whether a try published the video. When it surely did not, what is left of the
    /// try is removed and the answer is `None`. No such try may be under way.
    fn settle(&self, video_id: Uuid) -> BoxFuture<'_, Result<Option<Found>, UploadError>>;

    /// Forgets everything that this cutter sent and did not publish. None of its tries may be under
    /// way.
    fn forget_unpublished(&self) -> BoxFuture<'_, Result<(), UploadError>>;
}

/// A video that was sent and is not published. Dropped, it is forgotten.
pub trait Unpublished: Send {
    /// Publishes it. After an error it may be published all the same: [`Backend::settle`] tells.
    ///
    /// Cancel safety: as after an error.
    fn publish(self: Box<Self>) -> BoxFuture<'static, Result<Found, UploadError>>;
}
