//! The lines of a playlist (RFC 8216 §4.1), within bounds.
//!
//! Forgives a byte order mark, CRLF, blanks around a line, and bytes that are no UTF-8; knows no tag
//! but the first line. Every tag comes out with its line number, known or not.

use std::borrow::Cow;

use super::{Bound, PlaylistError};

/// How large a playlist may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text. The default is 16 MiB: twelve hours of 5 s segments with addresses
    /// of 1 KB, the largest window seen in use, are 9 MB.
    pub bytes: usize,
    /// Number of lines; 400,000 by default.
    pub lines: usize,
    /// Bytes of one line; 64 KiB by default.
    pub line_bytes: usize,
    /// Number of attributes of one tag; 256 by default.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 20, lines: 400_000, line_bytes: 64 << 10, attributes: 256 }
    }
}

/// How much of a text that is no playlist an error repeats.
const QUOTED_CHARS: usize = 60;

/// `bytes` as text: what is no UTF-8 is replaced, a byte order mark (forbidden by §4.1) dropped.
///
/// # Errors
///
/// When they are too many.
pub(super) fn decode<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, str>, PlaylistError> {
    if bytes.len() > limits.bytes {
        return Err(PlaylistError::TooLarge { bound: Bound::Bytes, limit: limits.bytes });
    }
    Ok(String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)))
}

/// A line that is not blank, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: usize,
    pub(super) content: Content<'a>,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// `#EXT…`
    Tag(Tag<'a>),
    /// `#` and anything else.
    Comment,
    /// Everything else.
    Uri(&'a str),
}

/// A tag; `name` is without its `#`, `value` what follows the first colon, trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// Iterates over the lines after `#EXTM3U`. Ends after the first error.
pub(super) struct Lexer<'a> {
    lines: std::iter::Enumerate<std::str::Split<'a, char>>,
    limits: Limits,
}

impl<'a> Lexer<'a> {
    /// # Errors
    ///
    /// When the first line that is not blank is no `#EXTM3U`.
    pub(super) fn new(text: &'a str, limits: &Limits) -> Result<Self, PlaylistError> {
        let mut lines = text.split('\n').enumerate();
        let header = lines.by_ref().map(|(_, line)| line.trim()).find(|line| !line.is_empty());
        let Some(header) = header else {
            return Err(PlaylistError::Empty);
        };
        let is_header = header
            .strip_prefix("#EXTM3U")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if is_header { Ok(Self { lines, limits: *limits }) } else { Err(not_a_playlist(header)) }
    }

    fn read(&self, index: usize, line: &'a str) -> Result<Option<Line<'a>>, PlaylistError> {
        let Limits { lines, line_bytes, .. } = self.limits;
        if index >= lines {
            return Err(PlaylistError::TooLarge { bound: Bound::Lines, limit: lines });
        }
        if line.len() > line_bytes {
            return Err(PlaylistError::TooLarge { bound: Bound::LineBytes, limit: line_bytes });
        }
        let content = match line.trim() {
            "" => return Ok(None),
            line if line.starts_with("#EXT") => {
                let (name, value) = line[1..].split_once(':').unwrap_or((&line[1..], ""));
                Content::Tag(Tag { name: name.trim_end(), value: value.trim_start() })
            }
            line if line.starts_with('#') => Content::Comment,
            uri => Content::Uri(uri),
        };
        Ok(Some(Line { number: index + 1, content }))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Result<Line<'a>, PlaylistError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (index, line) = self.lines.next()?;
            let line = self.read(index, line).transpose();
            if let Some(Err(_)) = line {
                self.lines = "".split('\n').enumerate();
                self.lines.next();
            }
            if line.is_some() {
                return line;
            }
        }
    }
}

/// Which error tells best what was sent instead of a playlist.
fn not_a_playlist(first_line: &str) -> PlaylistError {
    let begins: String = first_line.chars().take(QUOTED_CHARS).collect();
    let lower = begins.to_ascii_lowercase();
    let web_page = ["<!doctype", "<html", "<head", "<body", "<?xml", "<!--"];
    if web_page.iter().any(|start| lower.starts_with(start)) {
        PlaylistError::Html { begins }
    } else {
        PlaylistError::NoHeader { begins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Vec<Content<'_>> {
        let lexer = Lexer::new(text, &Limits::default()).unwrap();
        lexer.map(|line| line.unwrap().content).collect()
    }

    #[test]
    fn tags_comments_and_addresses_are_told_apart() {
        let text = "#EXTM3U\n#EXT-X-ENDLIST\r\n# a comment\n\n  #EXTINF: 2.0,a: b  \r\nseg 1.ts\n";
        let expected = [
            Content::Tag(Tag { name: "EXT-X-ENDLIST", value: "" }),
            Content::Comment,
            Content::Tag(Tag { name: "EXTINF", value: "2.0,a: b" }),
            Content::Uri("seg 1.ts"),
        ];
        assert_eq!(contents(text), expected);
    }

    #[test]
    fn lines_are_numbered_from_one_with_blank_ones_counted() {
        let mut lexer = Lexer::new("\n#EXTM3U\n\nuri\n", &Limits::default()).unwrap();
        assert_eq!(lexer.next().unwrap().unwrap().number, 4);
    }

    #[test]
    fn a_longer_word_is_no_header() {
        let refused = |text| Lexer::new(text, &Limits::default()).err().unwrap();
        assert!(matches!(refused("#EXTM3U8\n"), PlaylistError::NoHeader { .. }));
        assert!(Lexer::new("#EXTM3U x-tvg-url=\"…\"\n", &Limits::default()).is_ok());
    }

    #[test]
    fn each_bound_is_named_and_ends_the_reading() {
        let limits = Limits { bytes: 40, lines: 3, line_bytes: 10, attributes: 1 };
        let first_error = |text: &str| {
            let mut lexer = Lexer::new(text, &limits).unwrap();
            let error = lexer.find_map(Result::err);
            assert!(lexer.next().is_none(), "nothing comes after an error");
            error.map(|error| error.to_string())
        };
        assert_eq!(first_error("#EXTM3U\na\nb"), None);
        let too_large = |what| Some(format!("the playlist is too large: it has more than {what}"));
        assert_eq!(first_error("#EXTM3U\na\nb\nc"), too_large("3 lines"));
        assert_eq!(first_error("#EXTM3U\n0123456789x"), too_large("10 bytes in one line"));
        let error = decode(&[b'x'; 41], &limits).unwrap_err().to_string();
        assert_eq!(Some(error), too_large("40 bytes"));
    }
}
