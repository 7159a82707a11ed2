//! `/thumbnail` and `/generate_videos`: requests that are read, and not yet carried out.

use axum::body::Body;
use futures_util::StreamExt;

use crate::error::ApiError;
use crate::request::{Names, PNG_SIGNATURE, Query, check_thumbnail, check_videos};

/// How large a template may be: a picture of full size without any pattern.
const MAX_TEMPLATE_BYTES: usize = 16 << 20;
/// How large a list of videos may be.
const MAX_LIST_BYTES: usize = 1 << 20;

const NO_THUMBNAILS: ApiError = ApiError::NotImplemented("this node makes no thumbnails yet");

/// `GET /thumbnail/CHANNEL/QUALITY.png`: with a stored template.
pub(crate) async fn thumbnail(names: Names, query: Query) -> Result<(), ApiError> {
    names.video_feed(".png")?;
    check_thumbnail(&query, false)?;
    Err(NO_THUMBNAILS)
}

/// `POST /thumbnail/CHANNEL/QUALITY.png`: with the template in the body.
pub(crate) async fn own_thumbnail(names: Names, query: Query, body: Body) -> Result<(), ApiError> {
    names.video_feed(".png")?;
    check_thumbnail(&query, true)?;
    let start = start_of(body, PNG_SIGNATURE.len(), MAX_TEMPLATE_BYTES).await?;
    if start != PNG_SIGNATURE {
        return Err(ApiError::parameter("body", "it must be a PNG image"));
    }
    Err(NO_THUMBNAILS)
}

/// `POST /generate_videos/CHANNEL/QUALITY`
pub(crate) async fn videos(names: Names, body: Body) -> Result<(), ApiError> {
    names.video_feed("")?;
    check_videos(&start_of(body, MAX_LIST_BYTES, MAX_LIST_BYTES).await?)?;
    Err(ApiError::NotImplemented("this node writes no videos yet; ask for /cut instead"))
}

/// The first `wanted` bytes of a body that may have `max_bytes`; the others are not held.
async fn start_of(body: Body, wanted: usize, max_bytes: usize) -> Result<Vec<u8>, ApiError> {
    let mut blocks = body.into_data_stream();
    let (mut start, mut length) = (Vec::new(), 0);
    // what breaks off leaves nobody to answer, so its end is as good as any
    while let Some(Ok(block)) = blocks.next().await {
        length += block.len();
        if length > max_bytes {
            return Err(ApiError::TooLarge { max_bytes });
        }
        start.extend_from_slice(&block[..block.len().min(wanted - start.len())]);
    }
    Ok(start)
}
