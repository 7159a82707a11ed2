//! Finding an event that can be cut from this node's store, and taking it.

use std::sync::Arc;

use common::cut::{self, Kind, PlanError};
use common::io::db::edit::Edit;
use common::io::db::event::{self, Candidate, Unreadable};
use common::io::db::{DbError, EventState, ThumbnailMode, Transition, transition};
use common::io::store::{Feed, Store};
use common::plan::cut::{Holes, Plan};
use tokio::time::Instant;

use crate::cutter::Cutter;
use crate::explain::with_reason;
use crate::upload::Backend;
use crate::waiting::{Because, Waiting};

/// An event that this cutter holds, and how it is to be cut.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) id: String,
    pub(crate) edit: Edit,
    pub(crate) feed: Feed,
    pub(crate) plan: Plan,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) cut: Kind,
}

impl Cutter {
    /// Takes one of the events that can be cut here; `None` when there is none.
    ///
    /// Cancel safety: an event may have been taken; [`Cutter::recover`] gives it back.
    ///
    /// # Errors
    ///
    /// When the database does not answer; then, too, an event may have been taken.
    pub(crate) async fn claim(&self, waiting: &mut Waiting) -> Result<Option<Claimed>, DbError> {
        let locations = self.locations.taking();
        let cutter = event::Cutter {
            name: self.name.as_str(),
            locations: &locations,
            explicit_only: self.explicit_only,
        };
        let (candidates, unreadable) = event::candidates(&self.database, cutter).await?;
        for Unreadable { id, error, problem } in unreadable {
            self.explain(&id, EventState::Edited, error.as_deref(), &problem).await?;
        }
        for candidate in candidates {
            if !waiting.may_try(&candidate.id, &candidate.edit, Instant::now()) {
                continue;
            }
            match self.plan(&candidate.edit).await {
                Ok((feed, plan)) => {
                    if let Some(claimed) = self.take(candidate, feed, plan).await? {
                        return Ok(Some(claimed));
                    }
                }
                Err(reason) => {
                    let Candidate { id, error, edit } = &candidate;
                    waiting.put_off(id, edit, Because::NotReady, Instant::now());
                    self.explain(id, EventState::Edited, error.as_deref(), &reason).await?;
                }
            }
        }
        Ok(None)
    }

    async fn take(
        &self,
        candidate: Candidate,
        feed: Feed,
        plan: Plan,
    ) -> Result<Option<Claimed>, DbError> {
        let Some(location) = self.locations.get(&candidate.edit.upload_location) else {
            return Ok(None);
        };
        let name = self.name.as_str();
        if transition::claim(&self.database, &candidate, name).await? == Transition::Lost {
            tracing::debug!(event.id = candidate.id, "someone was faster");
            return Ok(None);
        }
        let Candidate { id, edit, .. } = candidate;
        let (backend, cut) = (Arc::clone(&location.backend), location.cut);
        Ok(Some(Claimed { id, edit, feed, plan, backend, cut }))
    }

    /// Plans the cut, or says in a sentence why it cannot be made here and now.
    async fn plan(&self, edit: &Edit) -> Result<(Feed, Plan), String> {
        check_what_is_built(edit)?;
        let edit = edit.clone();
        self.store.blocking(move |store| plan(store, &edit)).await
    }

    /// Writes on the row why it does not go on, unless it says so already.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub(crate) async fn explain(
        &self,
        id: &str,
        state: EventState,
        before: Option<&str>,
        reason: &str,
    ) -> Result<(), DbError> {
        let Some(after) = with_reason(before, self.name.as_str(), reason) else {
            return Ok(());
        };
        tracing::info!(event.id = id, "passes it over: {reason}");
        event::explain(&self.database, id, state, before, &after).await
    }
}

fn plan(store: &Store, edit: &Edit) -> Result<(Feed, Plan), String> {
    let name = |what: &str, name: &str| {
        name.parse().map_err(|error| format!("the {what} {name:?} cannot be: {error}"))
    };
    let feed = Feed {
        channel: name("channel", &edit.video_channel)?,
        quality: name("quality", &edit.video_quality)?,
    };
    let ranges: Option<Vec<_>> = edit.video_ranges.iter().map(|range| range.span()).collect();
    let ranges = ranges.ok_or("a range does not end after it starts")?;
    let holes = Holes::allowed_if(edit.allow_holes);
    match cut::plan(store, &feed, &ranges, holes) {
        Ok(plan) => Ok((feed, plan)),
        Err(PlanError::Refused(why)) => Err(why.to_string()),
        Err(PlanError::Store(error)) => Err(format!("cannot list what is stored: {error}")),
    }
}

/// What this version cannot do is left to a cutter that can.
fn check_what_is_built(edit: &Edit) -> Result<(), String> {
    if edit.video_transitions.iter().any(Option::is_some) {
        return Err("transitions between ranges are not built yet; use hard cuts".to_owned());
    }
    let mode = match edit.thumbnail.mode {
        ThumbnailMode::None | ThumbnailMode::Custom => return Ok(()),
        ThumbnailMode::Bare => "BARE",
        ThumbnailMode::Template => "TEMPLATE",
    };
    Err(format!("the thumbnail mode {mode} is not built yet; use NONE or CUSTOM"))
}
