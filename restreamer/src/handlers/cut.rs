//! `/cut`: video made of ranges of what is stored, as a stream.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use common::cut::rough;
use common::plan::cut::Plan;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::streamed;
use crate::app::App;
use crate::error::ApiError;
use crate::media_type;
use crate::request::{CutKind, CutRequest, Names, Query};

/// `/cut/CHANNEL/QUALITY.ts`
pub(crate) async fn cut(
    State(app): State<App>,
    names: Names,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let feed = names.video_feed(".ts")?;
    let CutRequest { ranges, kind, holes } = CutRequest::of(&query)?;
    if kind != CutKind::Rough {
        return Err(ApiError::NotImplemented(
            "this node makes rough cuts only: ask for type=rough",
        ));
    }
    let plan = move |store: &_, feed: &_| Ok(common::cut::plan(store, feed, &ranges, holes)?);
    let plan = app.select(feed.clone(), plan, Plan::segments).await?;
    let mut cut = Box::pin(rough::stream(&app.store, &feed, plan));
    // the first block tells what it is, and that there is something to send at all
    let first = cut.try_next().await.map_err(ApiError::internal("read the first segment"))?;
    let media_type = media_type::of_video(first.as_deref().unwrap_or_default());
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, streamed(stream::iter(first.map(Ok)).chain(cut))))
}
