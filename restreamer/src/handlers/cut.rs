//! `/cut`: video made of ranges of what is stored, as a stream.

use std::io;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use common::cut::smart::SmartError;
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
    let CutKind::Made(kind) = kind else {
        return Err(ApiError::NotImplemented(
            "this node makes no transitions yet: ask for hard cuts",
        ));
    };
    let plan = move |store: &_, feed: &_| Ok(common::cut::plan(store, feed, &ranges, holes)?);
    let plan = app.select(feed.clone(), plan, Plan::segments).await?;
    let cut = common::cut::stream(&app.store, &feed, plan, kind, &app.expensive.encoders);
    let mut cut = cut.map_err(cut_failed);
    // the first block tells what it is, and that there is something to send at all
    let first = cut.try_next().await?;
    let media_type = media_type::of_video(first.as_deref().unwrap_or_default());
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, streamed(stream::iter(first.map(Ok)).chain(cut).map_err(io::Error::other))))
}

fn cut_failed(error: SmartError) -> ApiError {
    if error.is_refusal() {
        return ApiError::Unacceptable(error.to_string().into());
    }
    ApiError::internal("make the cut")(io::Error::other(error))
}
