//! Packed audio (RFC 8216 §3.4): frames of sound, counted off by the lengths in their headers, with ID3
//! tags before and between them.

use super::Finding;
use super::time::{Measured, MediaTime};
use crate::format::codec::sound::{self, Coding, Header};

/// Where in the frames the bytes are.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The header that is being read.
    header: Vec<u8>,
    /// Bytes of the frame or tag that are to come.
    rest: u64,
    /// Nanoseconds that the frame lasts which is being read.
    lasts: u64,
    /// Bytes up to the frame or tag that is being read.
    whole: u64,
    /// Bytes of it that have come since.
    begun: u64,
    /// What the first frame is coded in, and so all of them.
    coding: Option<Coding>,
    /// Nanoseconds of all frames that are whole, and of the last of them.
    nanos: u64,
    step: u64,
    broken: bool,
}

impl Frames {
    /// Looks at the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.broken {
            if self.rest == 0 {
                self.header.push(bytes[0]);
                bytes = &bytes[1..];
                self.begun += 1;
                self.begin();
            } else {
                let given = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
                bytes = &bytes[given..];
                self.begun += given as u64;
                self.left(self.rest - given as u64);
            }
        }
    }

    /// Takes up the frame or tag whose header is complete, if it is.
    fn begin(&mut self) {
        let (bytes, lasts) = match sound::read(&self.header) {
            Header::Unfinished => return,
            Header::Tag { bytes } => (bytes, 0),
            Header::Frame(frame) if *self.coding.get_or_insert(frame.coding) == frame.coding => {
                (frame.bytes, frame.nanos())
            }
            Header::Frame(_) | Header::Unknown => return self.broken = true,
        };
        // one shorter than its own header
        let Some(rest) = bytes.checked_sub(self.begun) else { return self.broken = true };
        self.header.clear();
        self.lasts = lasts;
        self.left(rest);
    }

    fn left(&mut self, rest: u64) {
        self.rest = rest;
        if rest == 0 {
            self.whole += std::mem::take(&mut self.begun);
            let lasts = std::mem::take(&mut self.lasts);
            self.nanos = self.nanos.saturating_add(lasts);
            self.step = if lasts > 0 { lasts } else { self.step };
        }
    }

    /// What is to be said of the frames, if these were all bytes.
    pub(super) const fn finding(&self) -> Finding {
        match (self.broken, self.whole) {
            // it only looked like a frame
            (true, 0) => Finding::Unknown,
            (true, at) => Finding::Broken { at },
            (false, _) if self.begun > 0 => Finding::Torn,
            (false, _) => Finding::Sound,
        }
    }

    /// How long the frames are heard that are whole; not at all where there is just a tag.
    pub(super) fn media_time(&self) -> Option<MediaTime> {
        let sound = Measured { micros: self.nanos / 1000, doubt: 0, step: self.step / 1000 };
        let is_known = self.finding() != Finding::Unknown;
        is_known.then(|| MediaTime::new(None, Some(sound), None)).flatten()
    }
}

#[cfg(test)]
mod tests;
