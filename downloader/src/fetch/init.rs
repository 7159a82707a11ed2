//! Initialization sections (EXT-X-MAP): fetched once, put in front of every segment they belong to.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use common::format::hls::{ByteRange, Map};
use common::io::http::client::Client;
use common::io::store::notes::Why;
use tokio::sync::Mutex;
use url::Url;

use super::request::{self, locate};
use crate::planner::{Failure, Job, Retry};

/// How many sections are kept.
const KEPT: usize = 8;
/// The largest section that is taken, in bytes; they are a few kilobytes.
const MAX_BYTES: u64 = 4 << 20;
/// How long a section may take as a whole: every segment that needs one waits for it.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Which section: an encoder that restarts may put another one at the same address, and numbers its
/// segments anew then.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    numbering: u32,
    url: Url,
    range: Option<ByteRange>,
}

/// The sections used last.
#[derive(Debug, Default)]
pub(super) struct InitSections {
    // held while fetching, so that segments that need the same section wait for one request
    kept: Mutex<VecDeque<(Key, Bytes)>>,
}

impl InitSections {
    /// The section that `map` names.
    ///
    /// Cancel safety: dropping the future gives the request up.
    pub(super) async fn get(
        &self,
        client: &Client,
        job: &Job,
        map: &Map,
    ) -> Result<Bytes, Failure> {
        let url = locate(&job.base, &map.uri)?;
        let key = Key { numbering: job.id.numbering, url, range: map.byte_range };
        let mut kept = self.kept.lock().await;
        if let Some((_, bytes)) = kept.iter().find(|(known, _)| *known == key) {
            return Ok(bytes.clone());
        }
        let fetched = fetch(client, key.url.clone(), map.byte_range.as_ref());
        let fetched = tokio::time::timeout(WHOLE_TIMEOUT, fetched).await;
        let bytes = fetched.unwrap_or_else(|_| Err(super::too_slow())).map_err(|failure| {
            let detail = format!("its initialization section: {}", failure.detail);
            Failure { detail, ..failure }
        })?;
        kept.push_front((key, bytes.clone()));
        kept.truncate(KEPT);
        Ok(bytes)
    }
}

async fn fetch(client: &Client, url: Url, range: Option<&ByteRange>) -> Result<Bytes, Failure> {
    let (mut answer, mut part) = request::send(client, "init_section", url, range).await?;
    let failed =
        |why, detail: &str| Failure { why, detail: detail.to_owned(), retry: Retry::Later };
    let mut section = Vec::new();
    while !part.is_complete() {
        match answer.chunk().await {
            Ok(Some(chunk)) => section.extend_from_slice(&part.cut(chunk)),
            Ok(None) => break,
            Err(error) => return Err(failed(Why::Truncated, &error.to_string())),
        }
        if section.len() as u64 > MAX_BYTES {
            return Err(failed(Why::Damaged, "too large"));
        }
    }
    let length = section.len() as u64;
    if length == 0 || part.expected().is_some_and(|expected| expected != length) {
        return Err(failed(Why::Truncated, "cut short"));
    }
    Ok(section.into())
}
