//! The frames of sound in a transport stream, and when each is heard.

use std::collections::VecDeque;
use std::ops::Range;

use crate::format::codec::sound::{self, Frame, Header};
use crate::format::mpegts::{Packets, PesPackets, PesPart, Shift, TICKS_PER_SECOND};

/// One frame of sound, and what is heard together with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// When it is heard: 33 bits of 90 kHz, as the PES packets tell, and in between as its samples do.
    pub pts: u64,
    /// Where its bytes are among [`Sounds::bytes`].
    pub bytes: Range<usize>,
    /// How many samples it has in each channel.
    pub samples: u64,
    /// How many samples there are in a second.
    pub rate: u32,
}

/// The frames of one stream, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sounds {
    /// Those that are whole and have a time.
    pub frames: Vec<Sound>,
    /// What they are made of.
    pub bytes: Vec<u8>,
    /// How many bytes belong to no such frame.
    pub stray_bytes: usize,
}

/// Finds the frames on `pid` in whole packets; none where the codec has no headers that tell how long frames are.
pub fn sounds(packets: &[u8], pid: u16) -> Sounds {
    let mut units = PesPackets::new(Packets::new(packets), pid, usize::MAX);
    let mut reader = Reader::default();
    while let Some(part) = units.advance() {
        reader.take(&part);
    }
    reader.leave(reader.found.bytes.len());
    reader.found
}

#[derive(Debug, Default)]
struct Reader {
    found: Sounds,
    /// Up to where the bytes are read.
    at: usize,
    /// Where PES packets begin, and when the first frame is heard that begins in each (§2.4.3.7).
    stamps: VecDeque<(usize, u64)>,
    /// A time, and how many samples at which rate come since then before the next frame.
    clock: Option<(u64, u64, u32)>,
}

impl Reader {
    /// Takes in the next PES packet.
    fn take(&mut self, part: &PesPart<'_>) {
        let begin = self.found.bytes.len();
        if !part.follows {
            self.lose(begin);
        }
        self.found.bytes.extend_from_slice(part.payload);
        let Some(header) = part.header.filter(|_| part.intact) else {
            return self.lose(self.found.bytes.len());
        };
        if let Some(pts) = header.pts {
            self.stamps.push_back((begin, pts));
        }
        while self.at < self.found.bytes.len() {
            let rest = &self.found.bytes[self.at..];
            let frame = match sound::read(rest) {
                Header::Unfinished => return,
                Header::Frame(frame) => frame,
                // tags stand between frames only where nothing else packs those
                Header::Tag { .. } | Header::Unknown => return self.lose(self.found.bytes.len()),
            };
            let bytes = usize::try_from(frame.bytes).unwrap_or(usize::MAX);
            if bytes > rest.len() {
                return;
            }
            self.read(bytes, frame);
        }
    }

    /// Takes in the frame in the next `bytes`.
    fn read(&mut self, bytes: usize, frame: Frame) {
        let (begin, end) = (self.at, self.at + bytes);
        while let Some((_, pts)) = self.stamps.pop_front_if(|(from, _)| *from <= begin) {
            self.clock = Some((pts, 0, frame.rate));
        }
        let Some((since, samples, rate)) = self.clock else { return self.leave(end) };
        let pts = Shift::by(ticks(samples, rate)).moved(since);
        self.at = end;
        match self.found.frames.last_mut() {
            Some(last) if frame.samples == 0 && last.bytes.end == begin => last.bytes.end = end,
            _ => {
                let Frame { samples, rate, .. } = frame;
                self.found.frames.push(Sound { pts, bytes: begin..end, samples, rate });
            }
        }
        self.clock = Some(if rate == frame.rate {
            (since, samples + frame.samples, rate)
        } else {
            (pts, frame.samples, frame.rate)
        });
    }

    /// Something is missing where the bytes up to `end` end, so that nothing goes on there.
    fn lose(&mut self, end: usize) {
        self.clock = None;
        self.stamps.clear();
        self.leave(end);
    }

    /// Passes over what is there up to `end`.
    fn leave(&mut self, end: usize) {
        self.found.stray_bytes += end - self.at;
        self.at = end;
    }
}

/// How long so many samples are heard, in ticks, to the nearest.
fn ticks(samples: u64, rate: u32) -> i64 {
    let rate = u64::from(rate);
    let ticks = (samples.saturating_mul(TICKS_PER_SECOND.into()) + rate / 2) / rate;
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
