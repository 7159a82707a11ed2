//! What an earlier run, or an outage of the database, left in between.
//!
//! Nothing of this cutter's is under way when this runs. So what it has claimed is given back, and
//! what it was publishing is settled by asking the place what happened.

use common::io::db::event::{self, Unreadable, Unresolved};
use common::io::db::transition::{self, Published};
use common::io::db::{DbError, EventState, Transition};
use common::service::CancellationToken;
use uuid::Uuid;

use crate::cutter::Cutter;
use crate::recovery::Left;

impl Cutter {
    /// Waits for the database and settles all that this cutter left in between.
    ///
    /// Cancel safety: every step can be repeated.
    ///
    /// # Errors
    ///
    /// When the database goes away again, or its schema does not fit.
    pub(crate) async fn recover(&self, stop: &CancellationToken) -> Result<Left, DbError> {
        self.database.ready(stop).await?;
        if stop.is_cancelled() {
            return Ok(Left::Some);
        }
        for location in self.locations.all() {
            if let Err(error) = location.backend.forget_unpublished().await {
                tracing::warn!("cannot remove what an earlier try left: {error}");
            }
        }
        for id in transition::give_back_all(&self.database, self.name.as_str()).await? {
            tracing::info!(event.id = id, "gives back what it had claimed before");
        }
        self.settle_all().await
    }

    async fn settle_all(&self) -> Result<Left, DbError> {
        let mut left = Left::Nothing;
        let (unresolved, unreadable) =
            event::unresolved(&self.database, self.name.as_str()).await?;
        for Unreadable { id, error, problem } in unreadable {
            left = Left::Some;
            self.explain(&id, EventState::Finalizing, error.as_deref(), &problem).await?;
        }
        for row in unresolved {
            let reason = match self.settle(&row).await {
                Ok(Ok(())) => continue,
                Ok(Err(reason)) => reason,
                Err(error) if error.is_transient() => return Err(error),
                // one row that the database refuses must not keep the others
                Err(error) => format!("{:#}", anyhow::Error::new(error)),
            };
            left = Left::Some;
            tracing::error!(event.id = row.id, "cannot tell whether it is published: {reason}");
            self.explain(&row.id, EventState::Finalizing, row.error.as_deref(), &reason).await?;
        }
        Ok(left)
    }

    /// Moves a row by the answer of its place. The inner error is why there is no answer.
    async fn settle(&self, row: &Unresolved) -> Result<Result<(), String>, DbError> {
        let location = &row.edit.upload_location;
        let Some(location) = self.locations.get(location) else {
            return Ok(Err(format!("this cutter has no upload location {location:?} any more")));
        };
        let Some(video_id) = row.video_id.as_deref().and_then(|id| id.parse::<Uuid>().ok()) else {
            return Ok(Err("its video_id is none of this cutter's".to_owned()));
        };
        let found = match location.backend.settle(video_id).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let (database, name) = (&self.database, self.name.as_str());
        // as it stands in the row, which need not be how an id prints
        let video_id = row.video_id.clone().unwrap_or_default();
        let moved = if let Some(found) = found {
            tracing::info!(event.id = row.id, link = found.link, "was published before");
            let published = Published {
                video_id,
                link: found.link,
                at: self.clock.now(),
                thumbnail_sha256: found.thumbnail_sha256,
            };
            self.metrics.uploaded(&row.edit);
            transition::done(database, &row.id, name, EventState::Finalizing, &published).await?
        } else {
            tracing::info!(event.id = row.id, "was not published before");
            transition::not_published(database, &row.id, name, Some(&video_id), None).await?
        };
        if moved == Transition::Lost {
            tracing::info!(event.id = row.id, "someone else settled it");
        }
        Ok(Ok(()))
    }
}
