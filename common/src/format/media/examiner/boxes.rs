//! The top-level boxes of an ISO base media file (ISO/IEC 14496-12 §4.2), counted off as they come.

use super::Finding;
use super::fragments::Fragments;

/// Where in the boxes the bytes are.
#[derive(Debug, Default)]
pub(super) struct BoxWalk {
    /// The header that is being read: size, type, and the large size if there is one.
    header: Vec<u8>,
    /// Bytes of the box that are to come; `None` between two.
    rest: Option<u64>,
    /// Whether the box that is being read goes on to the end.
    open_ended: bool,
    /// Bytes up to the header that is being read.
    seen: u64,
    broken: bool,
}

impl BoxWalk {
    /// Looks at the next bytes, and hands the boxes to `fragments`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], fragments: &mut Fragments) {
        if self.open_ended {
            return fragments.content(bytes);
        }
        while !bytes.is_empty() && !self.broken {
            let Some(rest) = self.rest else {
                self.header.push(bytes[0]);
                bytes = &bytes[1..];
                self.begin(fragments);
                if self.open_ended {
                    return fragments.content(bytes);
                }
                continue;
            };
            let given = usize::try_from(rest).unwrap_or(usize::MAX).min(bytes.len());
            let (content, behind) = bytes.split_at(given);
            fragments.content(content);
            bytes = behind;
            self.seen += content.len() as u64;
            self.left(rest - content.len() as u64, fragments);
        }
    }

    /// Takes up the box whose header is complete, if it is.
    fn begin(&mut self, fragments: &mut Fragments) {
        let Some((size, kind)) = self.header.split_first_chunk::<4>() else { return };
        let Some(kind) = kind.first_chunk::<4>() else { return };
        if !kind.iter().all(|byte| matches!(byte, b' '..=b'~' | 0xa9)) {
            self.broken = true;
            return;
        }
        let (size, header_bytes) = match (u32::from_be_bytes(*size), self.header.len()) {
            (1, 16) => {
                let large = self.header.last_chunk::<8>();
                (large.map_or(0, |size| u64::from_be_bytes(*size)), 16)
            }
            (1, _) => return,
            (0, _) => {
                self.open_ended = true;
                return fragments.begin(*kind);
            }
            (size, _) => (u64::from(size), 8),
        };
        let Some(rest) = size.checked_sub(header_bytes) else {
            self.broken = true;
            return;
        };
        fragments.begin(*kind);
        self.seen += header_bytes;
        self.header.clear();
        self.left(rest, fragments);
    }

    fn left(&mut self, rest: u64, fragments: &mut Fragments) {
        self.rest = (rest > 0).then_some(rest);
        if rest == 0 {
            fragments.end();
        }
    }

    /// What is to be said of the boxes, if these were all bytes. Where the last one is open to the end,
    /// only what it should hold tells whether all of it has come.
    pub(super) fn finish(&self, fragments: &mut Fragments) -> Finding {
        if self.broken {
            return Finding::Broken { at: self.seen };
        }
        let is_whole = if self.open_ended {
            fragments.end_open()
        } else {
            self.header.is_empty() && self.rest.is_none()
        };
        if is_whole { Finding::Sound } else { Finding::Torn }
    }
}
