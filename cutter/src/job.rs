//! One event that this cutter holds, to its end.

use std::io;

use common::cut;
use common::io::db::event::{self, Event};
use common::io::db::transition::{self, Published};
use common::io::db::{DbError, EventState, ThumbnailMode, Transition};
use common::service::CancellationToken;
use futures_util::{StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::claim::Claimed;
use crate::cutter::Cutter;
use crate::explain::with_reason;
use crate::patience::patiently;
use crate::upload::{Found, Unpublished, UploadError, Video};

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The video is out.
    Published,
    /// The service stops, or someone took the event away.
    GivenUp,
    /// It was given back with an error.
    Failed,
    /// Whether the video is out could not be found out.
    Unsettled,
}

impl Cutter {
    /// Cuts, sends and publishes. When `stop` is cancelled the cut is given up at once and the event
    /// stays claimed, for the caller to give back; what is being published already is finished.
    ///
    /// Cancel safety: the event stays claimed or in FINALIZING; [`Cutter::recover`] settles it.
    ///
    /// # Errors
    ///
    /// When the database refuses, or is away while the service stops. The event stays as it is, for
    /// [`Cutter::recover`].
    pub(crate) async fn work(
        &self,
        job: &Claimed,
        stop: &CancellationToken,
    ) -> Result<End, DbError> {
        tracing::info!(event.id = job.id, title = job.edit.video_title, "cuts");
        let video = self.video(job).await?;
        let plan = job.plan.clone();
        let cut = cut::stream(&self.store, &job.feed, plan, job.cut, &self.encoders);
        let cut = cut.map_err(io::Error::other);
        let sent = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(End::GivenUp),
            sent = job.backend.send(&video, cut.boxed()) => sent,
        };
        match sent {
            Ok(sent) => self.publish(job, &video, sent, stop).await,
            Err(error) => self.give_back(job, &error, stop).await,
        }
    }

    async fn video(&self, job: &Claimed) -> Result<Video, DbError> {
        let thumbnail = if job.edit.thumbnail.mode == ThumbnailMode::Custom {
            event::thumbnail_image(&self.database, &job.id).await?
        } else {
            None
        };
        Ok(Video {
            id: Uuid::new_v4(),
            event_id: job.id.clone(),
            edit: job.edit.clone(),
            extra_tags: self.tags.clone(),
            thumbnail,
        })
    }

    /// Writes down that the next step publishes, and publishes.
    async fn publish(
        &self,
        job: &Claimed,
        video: &Video,
        sent: Box<dyn Unpublished>,
        stop: &CancellationToken,
    ) -> Result<End, DbError> {
        if self.finalize(job, video, stop).await? == Transition::Lost {
            tracing::info!(event.id = job.id, "was cancelled or edited again, gives it up");
            let name = self.name.as_str();
            // nothing to do if it was cancelled
            let _ = transition::give_back(&self.database, &job.id, name, None).await?;
            return Ok(End::GivenUp);
        }
        let failure = match sent.publish().await {
            Ok(found) => return self.done(job, video, found, stop).await,
            Err(failure) => failure,
        };
        match job.backend.settle(video.id).await {
            Ok(Some(found)) => self.done(job, video, found, stop).await,
            Ok(None) => self.not_published(job, video, &failure, stop).await,
            Err(error) => {
                tracing::error!(
                    event.id = job.id,
                    "cannot tell whether it is published: {failure}; {error}"
                );
                self.metrics.failed(&job.edit, EventState::Finalizing);
                Ok(End::Unsettled)
            }
        }
    }

    async fn finalize(
        &self,
        job: &Claimed,
        video: &Video,
        stop: &CancellationToken,
    ) -> Result<Transition, DbError> {
        let (name, video_id) = (self.name.as_str(), video.id.to_string());
        let finalize = async || {
            transition::finalize(&self.database, &job.id, name, &job.edit, &video_id).await
        };
        let is_ours = |row: &Event| {
            row.state == EventState::Finalizing && row.video_id.as_ref() == Some(&video_id)
        };
        patiently(&self.database, &job.id, stop, finalize, is_ours).await
    }

    async fn done(
        &self,
        job: &Claimed,
        video: &Video,
        found: Found,
        stop: &CancellationToken,
    ) -> Result<End, DbError> {
        let published = Published {
            video_id: video.id.to_string(),
            link: found.link,
            at: self.clock.now(),
            thumbnail_sha256: found.thumbnail_sha256,
        };
        let from = EventState::Finalizing;
        let done = async || {
            transition::done(&self.database, &job.id, self.name.as_str(), from, &published).await
        };
        let is_ours = |row: &Event| {
            let is_out = matches!(row.state, EventState::Done | EventState::Modified);
            is_out && row.video_id.as_ref() == Some(&published.video_id)
        };
        match patiently(&self.database, &job.id, stop, done, is_ours).await? {
            Transition::Done => {
                tracing::info!(event.id = job.id, link = published.link, "is done");
                self.metrics.uploaded(&job.edit);
                Ok(End::Published)
            }
            Transition::Lost => {
                tracing::error!(
                    event.id = job.id,
                    link = published.link,
                    "is published, but someone changed its row meanwhile"
                );
                Ok(End::GivenUp)
            }
        }
    }

    async fn not_published(
        &self,
        job: &Claimed,
        video: &Video,
        failure: &UploadError,
        stop: &CancellationToken,
    ) -> Result<End, DbError> {
        let (name, video_id) = (self.name.as_str(), video.id.to_string());
        let reason = self.failed(job, failure);
        let back = async || {
            let (id, video_id) = (&job.id, Some(video_id.as_str()));
            transition::not_published(&self.database, id, name, video_id, reason.as_deref()).await
        };
        let is_ours = |row: &Event| row.state == EventState::Edited;
        let _ = patiently(&self.database, &job.id, stop, back, is_ours).await?;
        Ok(End::Failed)
    }

    async fn give_back(
        &self,
        job: &Claimed,
        failure: &UploadError,
        stop: &CancellationToken,
    ) -> Result<End, DbError> {
        let name = self.name.as_str();
        let reason = self.failed(job, failure);
        let back =
            async || transition::give_back(&self.database, &job.id, name, reason.as_deref()).await;
        let is_ours = |row: &Event| row.state == EventState::Edited;
        let _ = patiently(&self.database, &job.id, stop, back, is_ours).await?;
        Ok(End::Failed)
    }

    /// Notes a failure, and returns what to write on the row.
    fn failed(&self, job: &Claimed, failure: &UploadError) -> Option<String> {
        tracing::warn!(event.id = job.id, "gives it back: {failure}");
        self.metrics.failed(&job.edit, EventState::Edited);
        with_reason(None, self.name.as_str(), &failure.to_string())
    }
}
