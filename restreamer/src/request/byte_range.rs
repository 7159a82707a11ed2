//! Which bytes of a file are asked for (RFC 9110 §14).

use axum::http::HeaderMap;
use axum::http::header::{IF_RANGE, RANGE};

/// What a request wants of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requested {
    /// All of it: also where the header is not understood, as it must then be ignored (§14.2).
    Whole,
    /// Some bytes; never none.
    Part { start: u64, length: u64 },
    /// Bytes past its end.
    PastTheEnd,
}

/// What a request with `headers` wants of a file of `size` bytes whose entity tag is `etag`.
///
/// Of several ranges none is served: a server may answer with the whole file (§14.2).
pub(crate) fn requested_range(headers: &HeaderMap, size: u64, etag: Option<&str>) -> Requested {
    // of another version of the file, or one that cannot be told, all is wanted (§13.1.5)
    let is_current = headers.get(IF_RANGE).is_none_or(|tag| etag.is_some_and(|etag| tag == etag));
    let range = headers.get(RANGE).filter(|_| is_current).and_then(|range| range.to_str().ok());
    range.and_then(|range| read(range, size)).unwrap_or(Requested::Whole)
}

/// Reads a header's value; `None` when it is not understood.
fn read(range: &str, size: u64) -> Option<Requested> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(first) || !is_digits(last) {
        return None;
    }
    match (number(first), number(last)) {
        (None, None) => None,
        (None, Some(0)) => Some(Requested::PastTheEnd),
        (None, Some(length)) if size > 0 => {
            let length = length.min(size);
            Some(Requested::Part { start: size - length, length })
        }
        (None, Some(_)) => Some(Requested::Whole),
        (Some(first), Some(last)) if last < first => None,
        (Some(first), _) if first >= size => Some(Requested::PastTheEnd),
        (Some(first), last) => {
            let last = last.unwrap_or(u64::MAX).min(size - 1);
            Some(Requested::Part { start: first, length: last - first + 1 })
        }
    }
}

/// The value of a text of digits, unless it is empty; one too large for any file is as good as the
/// largest.
fn number(digits: &str) -> Option<u64> {
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ten_bytes(range: &str) -> Requested {
        let headers = HeaderMap::from_iter([(RANGE, range.parse().unwrap())]);
        requested_range(&headers, 10, None)
    }

    #[test]
    fn every_form_of_a_single_range_is_served() {
        let part = |start, length| Requested::Part { start, length };
        for (range, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=2-5", part(2, 4)),
            ("bytes=2-", part(2, 8)),
            ("bytes=2-99999999999999999999999", part(2, 8)),
            ("bytes=-3", part(7, 3)),
            ("bytes=-11", part(0, 10)),
            ("BYTES = 9-9", part(9, 1)),
            ("bytes=10-", Requested::PastTheEnd),
            ("bytes=99999999999999999999999-", Requested::PastTheEnd),
            ("bytes=-0", Requested::PastTheEnd),
        ] {
            assert_eq!(of_ten_bytes(range), expected, "{range}");
        }
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        for range in [
            "bytes=5-2",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes 1-2",
            "lines=1-2",
            "bytes=0-1,3-4",
        ] {
            assert_eq!(of_ten_bytes(range), Requested::Whole, "{range}");
        }
    }

    #[test]
    fn an_empty_file_has_no_part() {
        let headers = |range: &str| HeaderMap::from_iter([(RANGE, range.parse().unwrap())]);
        assert_eq!(requested_range(&headers("bytes=0-"), 0, None), Requested::PastTheEnd);
        assert_eq!(requested_range(&headers("bytes=-5"), 0, None), Requested::Whole);
    }

    #[test]
    fn a_range_of_another_version_is_ignored() {
        let mut headers = HeaderMap::from_iter([(RANGE, "bytes=0-0".parse().unwrap())]);
        headers.insert(IF_RANGE, "\"a\"".parse().unwrap());
        let part = Requested::Part { start: 0, length: 1 };
        assert_eq!(requested_range(&headers, 10, Some("\"a\"")), part);
        assert_eq!(requested_range(&headers, 10, Some("\"b\"")), Requested::Whole);
        assert_eq!(requested_range(&headers, 10, None), Requested::Whole);
    }
}
