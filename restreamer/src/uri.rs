//! Writing addresses of our own into playlists.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// What is not itself in a path component or a query's value. RFC 3986 would allow more, but these
/// read the same everywhere; a colon is common in file names and no risk in an absolute path.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// `text` as one component of a path, or as a value in a query.
pub(crate) fn escaped(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ESCAPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_means_something_elsewhere_is_escaped() {
        assert_eq!(escaped("10:00.5-a_b~").to_string(), "10:00.5-a_b~");
        assert_eq!(
            escaped("a b/c?d#e%f+g&h\"ü").to_string(),
            "a%20b%2Fc%3Fd%23e%25f%2Bg%26h%22%C3%BC"
        );
    }
}
