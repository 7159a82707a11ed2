//! Asking for a resource or a part of one.

use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use common::format::hls::ByteRange;
use common::io::http::client::{Answer, Client, Error};
use common::io::store::notes::Why;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, DATE, HeaderMap, RANGE, RETRY_AFTER};
use url::Url;

use crate::planner::{Failure, Retry};

/// How far into a resource a part may begin when the server sends the whole of it, in bytes.
const MAX_SKIPPED_BYTES: u64 = 256 << 20;

/// The longest that a server may keep us from asking again.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The address of a resource that a playlist names.
pub(super) fn locate(base: &Url, uri: &str) -> Result<Url, Failure> {
    let url =
        base.join(uri).map_err(|error| unusable(&format!("its address is invalid: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(unusable(&format!("its address begins with {other}:"))),
    }
}

fn unusable(detail: &str) -> Failure {
    Failure { why: Why::Damaged, detail: detail.to_owned(), retry: Retry::Never }
}

/// Asks for `range` of `url`, or for all of it; returns the answer once its headers are good.
pub(super) async fn send(
    client: &Client,
    name: &'static str,
    url: Url,
    range: Option<&ByteRange>,
) -> Result<(Answer, Part), Failure> {
    // a body that is compressed on the way has no length that could be checked
    let mut request = client.get(url).header(ACCEPT_ENCODING, "identity");
    let range = range.map(|range| (range.offset.unwrap_or(0), range.length));
    if let Some((offset, length)) = range {
        let last = offset.saturating_add(length).saturating_sub(1);
        request = request.header(RANGE, format!("bytes={offset}-{last}"));
    }
    let answer = client.send(name, request).await.map_err(|error| no_answer(&error))?;
    let part = match (answer.status(), range) {
        (StatusCode::OK, None) => Part::whole(answer.content_length()),
        (StatusCode::PARTIAL_CONTENT, Some((offset, length))) => {
            let begins = answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
            if begins.and_then(first_byte) != Some(offset) {
                return Err(wrong("the server sent another part than was asked for"));
            }
            Part::new(0, length)
        }
        (StatusCode::OK, Some((offset, length))) if offset <= MAX_SKIPPED_BYTES => {
            Part::new(offset, length)
        }
        (StatusCode::OK | StatusCode::PARTIAL_CONTENT, _) => {
            return Err(wrong("the server does not keep to byte ranges"));
        }
        (status, _) => return Err(refusal(status, answer.headers())),
    };
    Ok((answer, part))
}

/// The first number of `bytes 5-9/100`.
fn first_byte(content_range: &str) -> Option<u64> {
    content_range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn no_answer(error: &Error) -> Failure {
    let why = if error.is_timeout() { Why::TimeOut } else { Why::Expired };
    Failure { why, detail: error.to_string(), retry: Retry::Later }
}

fn wrong(detail: &str) -> Failure {
    Failure { why: Why::Damaged, detail: detail.to_owned(), retry: Retry::Later }
}

/// What a status other than success means.
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap) -> Failure {
    let (why, retry) = match status.as_u16() {
        401 | 403 | 451 => (Why::Refused, Retry::WhileListed),
        408 | 504 => (Why::TimeOut, Retry::Later),
        429 | 503 => (Why::Expired, retry_after(headers).map_or(Retry::Later, Retry::After)),
        500.. => (Why::Expired, Retry::Later),
        _ => (Why::Expired, Retry::WhileListed),
    };
    Failure { why, detail: status.as_u16().to_string(), retry }
}

/// How long the server wants to be left alone (RFC 9110 §10.2.3), as far as we are willing. A date is
/// compared with the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wanted = text(RETRY_AFTER)?;
    let wait = if let Ok(seconds) = wanted.parse() {
        Duration::from_secs(seconds)
    } else {
        let date = |text| DateTime::parse_from_rfc2822(text).ok();
        (date(wanted)? - date(text(DATE)?)?).to_std().ok()?
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Which bytes of a body are wanted, and how many have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    skip: u64,
    take: Option<u64>,
    promised: Option<u64>,
}

impl Part {
    /// Everything; the peer may have promised a length.
    pub(super) fn whole(promised: Option<u64>) -> Self {
        Self { skip: 0, take: None, promised }
    }

    /// `length` bytes after the first `skip`.
    pub(super) fn new(skip: u64, length: u64) -> Self {
        Self { skip, take: Some(length), promised: Some(length) }
    }

    /// How many bytes there should be in all, where that is known.
    pub(super) fn expected(&self) -> Option<u64> {
        self.promised
    }

    /// Whether nothing more is wanted.
    pub(super) fn is_complete(&self) -> bool {
        self.take == Some(0)
    }

    /// What is wanted of the next piece of the body.
    pub(super) fn cut(&mut self, mut chunk: Bytes) -> Bytes {
        let length = chunk.len() as u64;
        let skipped = self.skip.min(length);
        self.skip -= skipped;
        let wanted = self.take.unwrap_or(u64::MAX).min(length - skipped);
        self.take = self.take.map(|take| take - wanted);
        let of_chunk = |count: u64| usize::try_from(count).unwrap_or(chunk.len());
        let (begin, end) = (of_chunk(skipped), of_chunk(skipped + wanted));
        chunk.truncate(end);
        chunk.split_off(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_followed() {
        let base: Url = "https://host/live/list.m3u8?token=1".parse().unwrap();
        assert_eq!(locate(&base, "a.ts").unwrap().as_str(), "https://host/live/a.ts");
        assert_eq!(locate(&base, "//other/a.ts").unwrap().as_str(), "https://other/a.ts");
        for bad in ["file:///etc/passwd", "data:,x", "https://[", "ftp://host/a.ts"] {
            assert_eq!(locate(&base, bad).unwrap_err().retry, Retry::Never, "{bad}");
        }
    }

    #[test]
    fn a_part_is_cut_out_however_the_body_is_split() {
        let body = Bytes::from_static(b"0123456789");
        for split in 0..=body.len() {
            let mut part = Part::new(3, 4);
            let first = part.cut(body.slice(..split));
            let second = part.cut(body.slice(split..));
            assert_eq!([first, second].concat(), b"3456", "split at {split}");
            assert!(part.is_complete());
        }
        let mut short = Part::new(8, 4);
        assert_eq!(short.cut(body.clone()), &b"89"[..]);
        assert!(!short.is_complete());
        let mut whole = Part::whole(None);
        assert_eq!(whole.cut(body.clone()), body);
        assert!(!whole.is_complete());
    }

    #[test]
    fn content_ranges_are_compared_with_what_was_asked() {
        assert_eq!(first_byte("bytes 5-9/100"), Some(5));
        assert_eq!(first_byte("bytes */100"), None);
        assert_eq!(first_byte("5-9/100"), None);
    }

    #[test]
    fn refusals_are_told_apart() {
        let refusal = |status: u16| {
            let failure = refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new());
            (failure.why, failure.retry)
        };
        assert_eq!(refusal(404), (Why::Expired, Retry::WhileListed));
        assert_eq!(refusal(410), (Why::Expired, Retry::WhileListed));
        assert_eq!(refusal(403), (Why::Refused, Retry::WhileListed));
        assert_eq!(refusal(451), (Why::Refused, Retry::WhileListed));
        assert_eq!(refusal(429), (Why::Expired, Retry::Later));
        assert_eq!(refusal(500), (Why::Expired, Retry::Later));
        assert_eq!(refusal(504), (Why::TimeOut, Retry::Later));
        assert_eq!(refusal(304), (Why::Expired, Retry::WhileListed));
    }

    #[test]
    fn a_server_that_asks_for_patience_gets_some() {
        let retry = |status: u16, wanted: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, wanted.parse().unwrap());
            headers.insert(DATE, "Fri, 20 Nov 2026 10:00:00 GMT".parse().unwrap());
            refusal(StatusCode::from_u16(status).unwrap(), &headers).retry
        };
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        assert_eq!(retry(429, "7"), after(7));
        assert_eq!(retry(503, " 7 "), after(7));
        assert_eq!(retry(429, "86400"), after(60));
        assert_eq!(retry(503, "Fri, 20 Nov 2026 10:00:09 GMT"), after(9));
        assert_eq!(retry(503, "Fri, 20 Nov 2026 09:00:00 GMT"), Retry::Later);
        assert_eq!(retry(429, "soon"), Retry::Later);
        assert_eq!(retry(404, "7"), Retry::WhileListed);
        assert_eq!(retry(500, "7"), Retry::Later);
    }
}
