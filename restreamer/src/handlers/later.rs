//! `/thumbnail` and `/generate_videos`: requests that are read, and not yet carried out.

use axum::body::{Body, HttpBody};
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
    // what says that it is larger need not be waited for
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(ApiError::TooLarge { max_bytes });
    }
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Bytes;
    use axum::routing::post;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_body_without_a_length_is_counted() {
        let body = |blocks| {
            let block = || Ok::<_, Infallible>(Bytes::from_static(b"12345"));
            Body::from_stream(stream::repeat_with(block).take(blocks))
        };
        assert_eq!(start_of(body(2), 7, 10).await.unwrap(), b"1234512");
        let error = start_of(body(3), 7, 10).await.unwrap_err();
        assert!(matches!(error, ApiError::TooLarge { max_bytes: 10 }));
    }

    #[tokio::test]
    async fn a_body_that_will_be_too_large_is_not_waited_for() {
        let listener = common::io::http::server::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let routes = axum::Router::new().route("/generate_videos/{*feed}", post(videos));
        let served = common::io::http::server::serve(listener, routes, <_>::default());
        let request =
            b"POST /generate_videos/chan/source HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n";
        let mut answer = [0; 13];
        let answered = async {
            client.write_all(request).await.unwrap();
            client.read_exact(&mut answer).await.unwrap();
        };
        tokio::select! { () = served => {}, () = answered => {} }
        assert_eq!(&answer, b"HTTP/1.1 413 ");
    }
}
