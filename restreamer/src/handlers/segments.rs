//! `/segments`: stored files, whole or in part.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use common::base::hash::ContentHash;
use common::base::time::Hour;
use common::format::folder::FolderName;
use common::format::segment::{EXTENSION, SegmentName, TOMBSTONE_EXTENSION, Tail};
use common::io::blocks::{FilePart, blocks};
use common::io::store::Store;
use common::plan::listing::stem;

use super::{is_known, streamed};
use crate::app::App;
use crate::error::ApiError;
use crate::files::{names_nothing, resolve};
use crate::media_type;
use crate::request::{Names, Requested, requested_range};

/// A name with a hash always means the same bytes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Any other file may change at any time.
const REVALIDATE: &str = "no-cache";

pub(crate) async fn serve(
    State(app): State<App>,
    Names(names): Names,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let found = app.store.blocking(move |store| find(store, &names)).await?;
    answer(found, &headers)
}

/// A file that may be served.
struct Found {
    file: File,
    size: u64,
    /// The hash of its bytes, where its name says so.
    hash: Option<ContentHash>,
    media_type: &'static str,
}

fn find(store: &Store, names: &[FolderName]) -> Result<Found, ApiError> {
    let name = names.last().ok_or_else(unknown)?.as_str();
    let hash = match name.parse::<SegmentName>().as_ref().map(SegmentName::tail) {
        Ok(Tail::Published(_, hash)) => Some(*hash),
        // what is still being written is nobody's to read
        Ok(Tail::Temp(_)) => return Err(unknown()),
        Err(_) => None,
    };
    let path = resolve(store, names).map_err(failed("find a file"))?.ok_or_else(unknown)?;
    // asked before it is opened, because opening a pipe would wait for a writer
    let metadata = path.metadata().map_err(failed("look at a file"))?;
    if !metadata.is_file() || is_tombstoned(store, names) {
        return Err(unknown());
    }
    let file = File::open(&path).map_err(failed("open a file"))?;
    let media_type = if name.ends_with(EXTENSION) {
        let mut first = [0; media_type::TELLING_BYTES];
        let read = file.read_at(&mut first, 0).map_err(failed("read a file"))?;
        media_type::of_video(&first[..read])
    } else {
        media_type::of_name(name).unwrap_or(media_type::UNKNOWN)
    };
    Ok(Found { file, size: metadata.len(), hash, media_type })
}

fn unknown() -> ApiError {
    ApiError::not_found("there is no such file")
}

/// For `map_err`: a file that vanished while it was looked at is as good as none.
fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> ApiError {
    move |error| if names_nothing(&error) { unknown() } else { ApiError::internal(doing)(error) }
}

/// Whether `names` are a file of an hour that is to be treated as absent.
fn is_tombstoned(store: &Store, names: &[FolderName]) -> bool {
    let [folders @ .., hour, name] = names else {
        return false;
    };
    if hour.as_str().parse::<Hour>().is_err() || name.as_str().ends_with(TOMBSTONE_EXTENSION) {
        return false;
    }
    let folder =
        folders.iter().fold(store.base().to_owned(), |path, name| path.join(name.as_str()));
    let tombstone = format!("{}{TOMBSTONE_EXTENSION}", stem(name.as_str()));
    folder.join(hour.as_str()).join(tombstone).exists()
}

fn answer(found: Found, headers: &HeaderMap) -> Result<Response, ApiError> {
    let etag = found.hash.map(|hash| format!("\"{hash}\""));
    let caching = if etag.is_some() { IMMUTABLE } else { REVALIDATE };
    let mut response = if etag.as_deref().is_some_and(|etag| is_known(headers, etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let requested = requested_range(headers, found.size, etag.as_deref());
        content(found, requested)?
    };
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, header::HeaderValue::from_static(caching));
    if let Some(etag) = etag {
        let etag = header::HeaderValue::try_from(etag);
        answer.insert(header::ETAG, etag.expect("base64 is valid in a header"));
    }
    Ok(response)
}

fn content(mut found: Found, requested: Requested) -> Result<Response, ApiError> {
    let size = found.size;
    let (status, start, length) = match requested {
        Requested::Whole => (StatusCode::OK, 0, size),
        Requested::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Requested::PastTheEnd => return Err(ApiError::PastTheEnd { size }),
    };
    // this only notes where to read, so it cannot block
    found.file.seek(SeekFrom::Start(start)).map_err(ApiError::internal("seek in a file"))?;
    let part = FilePart { file: found.file, length };
    let headers = [
        (header::CONTENT_TYPE, found.media_type.to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let body = streamed(blocks(std::iter::once(Ok(part))));
    let mut response = (status, headers, body).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{size}", start + length - 1);
        let range = header::HeaderValue::try_from(range).expect("digits are valid in a header");
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    Ok(response)
}
