//! `/segments`: stored files, whole or in part.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use common::base::hash::ContentHash;
use common::base::time::Hour;
use common::format::folder::FolderName;
use common::format::segment::{EXTENSION, SegmentName, TOMBSTONE_EXTENSION, Tail};
use common::io::blocks::{FilePart, blocks};
use common::io::cached::read_cached;
use common::io::http::server::FileRange;
use common::io::store::{Store, Unopened, Wait};
use common::plan::listing::stem;

use super::{is_known, streamed};
use crate::app::App;
use crate::error::ApiError;
use crate::files::relative;
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
    // changing threads costs more than all of this where the kernel knows it by heart
    let found = match find(&app.store, &names, Wait::Never) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            app.store.blocking(move |store| find(store, &names, Wait::ForDisk)).await
        }
        found => found,
    };
    let found = found.map_err(ApiError::internal("read a stored file"))?;
    answer(found.ok_or_else(|| ApiError::not_found("there is no such file"))?, &headers)
}

/// A file that may be served.
struct Found {
    file: File,
    size: u64,
    /// The hash of its bytes, where its name says so.
    hash: Option<ContentHash>,
    media_type: &'static str,
}

/// The file of these names; `None` where there is none, or none that may be served.
fn find(store: &Store, names: &[FolderName], wait: Wait) -> io::Result<Option<Found>> {
    let Some(name) = names.last().map(FolderName::as_str) else {
        return Ok(None);
    };
    let hash = match name.parse::<SegmentName>().as_ref().map(SegmentName::tail) {
        Ok(Tail::Published(_, hash)) => Some(*hash),
        // what is still being written is nobody's to read
        Ok(Tail::Temp(_)) => return Ok(None),
        Err(_) => None,
    };
    let Some(file) = Unopened::found(store.open_file(&relative(names), wait))? else {
        return Ok(None);
    };
    if is_tombstoned(store, names, wait)? {
        return Ok(None);
    }
    let size = file.metadata()?.len();
    let media_type = if name.ends_with(EXTENSION) {
        let mut first = [0; media_type::TELLING_BYTES];
        let read = match wait {
            Wait::Never => read_cached(&file, &mut first, 0),
            Wait::ForDisk => file.read_at(&mut first, 0),
        };
        media_type::of_video(&first[..read?])
    } else {
        media_type::of_name(name).unwrap_or(media_type::UNKNOWN)
    };
    Ok(Some(Found { file, size, hash, media_type }))
}

/// Whether `names` are a file of an hour that is to be treated as absent.
fn is_tombstoned(store: &Store, names: &[FolderName], wait: Wait) -> io::Result<bool> {
    let [folders @ .., hour, name] = names else {
        return Ok(false);
    };
    if hour.as_str().parse::<Hour>().is_err() || name.as_str().ends_with(TOMBSTONE_EXTENSION) {
        return Ok(false);
    }
    let tombstone = format!("{}{TOMBSTONE_EXTENSION}", stem(name.as_str()));
    // a name that is too long for a tombstone has none
    let Ok(tombstone) = tombstone.parse() else {
        return Ok(false);
    };
    store.is_there(&relative(&[folders, &[hour.clone(), tombstone]].concat()), wait)
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
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Some(etag) = etag {
        let etag = HeaderValue::try_from(etag);
        answer.insert(header::ETAG, etag.expect("base64 is valid in a header"));
    }
    Ok(response)
}

fn content(found: Found, requested: Requested) -> Result<Response, ApiError> {
    let size = found.size;
    let (status, start, length) = match requested {
        Requested::Whole => (StatusCode::OK, 0, size),
        Requested::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Requested::PastTheEnd => return Err(ApiError::PastTheEnd { size }),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(found.media_type)),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    let mut response = (status, headers, body(found, start, length)?).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{size}", start + length - 1);
        let range = HeaderValue::try_from(range).expect("digits are valid in a header");
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    Ok(response)
}

/// The bytes of a file that an answer holds. Those of a published segment never change, so they need
/// not be read before they are sent; any other file may be written to, or cut short, at any time.
fn body(found: Found, start: u64, length: u64) -> Result<Response, ApiError> {
    let mut file = found.file;
    if found.hash.is_some() {
        return Ok(FileRange { file: Arc::new(file), start, length }.into_response());
    }
    // this only notes where to read, so it cannot block
    file.seek(SeekFrom::Start(start)).map_err(ApiError::internal("seek in a file"))?;
    Ok(streamed(blocks(std::iter::once(Ok(FilePart { file, length })))).into_response())
}
