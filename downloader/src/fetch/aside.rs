//! What a segment needs beside its own bytes: its initialization section (EXT-X-MAP), which is put in
//! front of it, and the keys of both.

use std::time::Duration;

use bytes::Bytes;
use common::format::hls::{ByteRange, Key, Map};
use common::format::media::examiner::check_section;
use common::io::http::client::Client;
use common::io::store::notes::Why;
use tokio::time::timeout;
use url::Url;

use super::Means;
use super::cache::Cache;
use super::cipher::{BLOCK, Decryptor, numbered_iv, stated_iv};
use super::pair::{Permits, either, more_telling};
use super::request::{self, locate};
use crate::planner::{Failure, Job, Retry};

/// The largest section that is taken, in bytes; they are a few kilobytes.
const MAX_SECTION_BYTES: u64 = 4 << 20;

/// Which section: an encoder that restarts may put another one at the same address, and numbers its
/// segments anew then, or announces a discontinuity.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SectionId {
    numbering: u32,
    stretch: Option<u64>,
    url: Url,
    range: Option<ByteRange>,
    key: Option<Key>,
}

/// A key that decrypts.
type Secret = [u8; BLOCK];

/// The sections and keys used last.
#[derive(Debug, Default)]
pub(super) struct Asides {
    sections: Cache<SectionId, Bytes>,
    keys: Cache<Url, Secret>,
}

/// What asking for something takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    pub(super) means: &'a Means,
    pub(super) permits: &'a Permits,
}

impl Asides {
    /// The initialization section of `job`, in clear text; empty when it needs none.
    ///
    /// Cancel safety: dropping the future gives the request up.
    pub(super) async fn section(&self, asking: Asking<'_>, job: &Job) -> Result<Bytes, Failure> {
        let Some(map) = &job.segment.map else { return Ok(Bytes::new()) };
        let url = locate(&job.base, &map.uri)?;
        let key = map.key.as_deref().cloned();
        let Job { numbering, stretch, .. } = *job;
        let id = SectionId { numbering, stretch, url, range: map.byte_range, key };
        // rarely done, and much larger than what every fetch needs
        let fetch = Box::pin(self.fetch_section(asking, job, map, &id.url));
        let section = self.sections.get(&id, fetch).await;
        section.map_err(|failure| of("its initialization section", failure))
    }

    async fn fetch_section(
        &self,
        asking: Asking<'_>,
        job: &Job,
        map: &Map,
        url: &Url,
    ) -> Result<Bytes, Failure> {
        let range = map.byte_range.as_ref();
        let section = fetch(asking, "init_section", url, range, MAX_SECTION_BYTES).await?;
        let section = match &map.key {
            // some packagers announce the key first and leave the section in clear text all the same
            Some(key) if !is_clear(&section) => {
                let secret = self.secret(asking, job, key).await?;
                decrypt_section(&section, &secret, key)?
            }
            _ => section,
        };
        // it is kept and goes in front of every segment, none of which shows afterwards what it lacks
        check_section(&section).map_err(|problem| failed(Why::Damaged, problem))?;
        Ok(section)
    }

    /// What decrypts the segment of `job`; `None` when it is not encrypted.
    ///
    /// Cancel safety: dropping the future gives the request up.
    pub(super) async fn decryption(
        &self,
        asking: Asking<'_>,
        job: &Job,
    ) -> Result<Option<(Secret, [u8; BLOCK])>, Failure> {
        let Some(key) = &job.segment.key else { return Ok(None) };
        let secret = self.secret(asking, job, key).await?;
        Ok(Some((secret, stated_iv(key).unwrap_or_else(|| numbered_iv(job.number)))))
    }

    async fn secret(&self, asking: Asking<'_>, job: &Job, key: &Key) -> Result<Secret, Failure> {
        let url = locate(&job.base, key.uri.as_deref().unwrap_or_default())?;
        self.keys
            .get(&url, fetch_secret(asking, &url))
            .await
            .map_err(|failure| of("its key", failure))
    }

    /// Forgets the keys of `job`, whose bytes they did not fit: there may be others at their addresses by
    /// now.
    pub(super) fn forget_keys(&self, job: &Job) {
        let of_section = job.segment.map.as_ref().and_then(|map| map.key.as_ref());
        for key in job.segment.key.iter().chain(of_section) {
            if let Some(url) = key.uri.as_deref().and_then(|uri| locate(&job.base, uri).ok()) {
                self.keys.forget(&url);
            }
        }
    }
}

async fn fetch_secret(asking: Asking<'_>, url: &Url) -> Result<Secret, Failure> {
    let bytes = fetch(asking, "key", url, None, 4096).await?;
    Secret::try_from(&bytes[..])
        .map_err(|_| failed(Why::Damaged, &format!("{} bytes instead of {BLOCK}", bytes.len())))
}

/// Says what could not be had.
fn of(what: &str, Failure { why, detail, retry }: Failure) -> Failure {
    Failure { why, detail: format!("{what}: {detail}"), retry }
}

fn failed(why: Why, detail: &str) -> Failure {
    Failure { why, detail: detail.to_owned(), retry: Retry::Later }
}

/// Whether an initialization section is one already, as it came (ISO/IEC 14496-12 §4.3).
fn is_clear(section: &[u8]) -> bool {
    section.get(4..8).is_some_and(|kind| [b"ftyp", b"styp", b"moov"].iter().any(|it| *it == kind))
}

/// A section has no number that could stand in for its vector, so the list has to state it. Where it does
/// not, zero is as good as any: the number of a segment would change no more than the minor version of the
/// section's file type, but it would do so differently on each node.
fn decrypt_section(section: &Bytes, secret: &Secret, key: &Key) -> Result<Bytes, Failure> {
    let iv = stated_iv(key).unwrap_or_default();
    let mut decryptor = Decryptor::new(secret, iv);
    let clear = decryptor.update(std::slice::from_ref(section));
    let end = decryptor.finish();
    let end = end.map_err(|_| failed(Why::Damaged, "its key does not decrypt it"))?;
    Ok([clear, end].concat().into())
}

/// Fetches all of something small, with a second attempt if the first is slow.
async fn fetch(
    asking: Asking<'_>,
    name: &'static str,
    url: &Url,
    range: Option<&ByteRange>,
    limit: u64,
) -> Result<Bytes, Failure> {
    let Asking { means, permits } = asking;
    let first = fetch_once(&means.client, name, url, range, limit);
    let slow = async {
        tokio::time::sleep(means.patience.headers.soft).await;
        permits.leaving.leave(&means.client);
        permits.second().await
    };
    let fresh = means.client.on_fresh_connections();
    let second = |permit| async {
        let _permit = permit;
        fetch_once(&fresh, name, url, range, limit).await
    };
    let patience: Duration = means.patience.aside;
    let fetched = timeout(patience, either(first, slow, second, || true, more_telling)).await;
    fetched.unwrap_or_else(|_| Err(super::too_slow()))
}

async fn fetch_once(
    client: &Client,
    name: &'static str,
    url: &Url,
    range: Option<&ByteRange>,
    limit: u64,
) -> Result<Bytes, Failure> {
    let (mut answer, mut part) = request::send(client, name, url.clone(), range).await?;
    let mut bytes = Vec::new();
    while !part.is_complete() {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&part.cut(chunk)),
            Ok(None) => break,
            Err(error) => return Err(failed(Why::Truncated, &error.to_string())),
        }
        if bytes.len() as u64 > limit {
            return Err(failed(Why::Damaged, "too large"));
        }
    }
    let length = bytes.len() as u64;
    if length == 0 || part.expected().is_some_and(|expected| expected != length) {
        return Err(failed(Why::Truncated, "cut short"));
    }
    Ok(bytes.into())
}
