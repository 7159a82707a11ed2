//! Which frames of sound a cut is made of. Pure.
//!
//! Frames follow each other without a gap or an overlap over the whole cut, whatever its ranges are, so that their
//! places are a grid that begins with the first picture. A place belongs to the stretch of pictures in which the middle of its
//! frame is heard. The first one takes the frame of that stretch's sound that is nearest: never further off than half a frame,
//! and never more so for there being many ranges. All others keep their distance to it.

use crate::format::mpegts::TICKS_PER_SECOND;

/// How long the frames of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLength {
    /// In samples of each channel.
    pub samples: u32,
    /// Samples in a second.
    pub rate: u32,
}

impl FrameLength {
    /// When the frame at that place of the grid begins, in ticks, to the nearest.
    fn begin(self, place: i64) -> i64 {
        let (samples, rate) = (i128::from(self.samples), i128::from(self.rate).max(1));
        let ticks = 2 * i128::from(place) * samples * i128::from(TICKS_PER_SECOND) + rate;
        i64::try_from(ticks.div_euclid(2 * rate)).unwrap_or(i64::MAX)
    }

    /// How long a frame is, in ticks.
    pub fn ticks(self) -> i64 {
        self.begin(1)
    }

    /// Half of a frame, in ticks.
    fn half(self) -> i64 {
        self.begin(1) / 2
    }

    /// The place that is nearest to `ticks`.
    fn nearest(self, ticks: i64) -> i64 {
        let place = self.place_from(ticks);
        // its middle is there or behind, so that it or the one behind it begins nearest
        if self.begin(place + 1).abs_diff(ticks) < self.begin(place).abs_diff(ticks) {
            place + 1
        } else {
            place
        }
    }

    /// The first place whose frame has its middle at `ticks` or behind.
    fn place_from(self, ticks: i64) -> i64 {
        let (samples, rate) = (i128::from(self.samples).max(1), i128::from(self.rate));
        // place * samples / rate * 90000 + half a frame >= ticks
        let frame = 2 * samples * i128::from(TICKS_PER_SECOND);
        let place = (2 * i128::from(ticks) * rate - frame / 2).div_euclid(frame);
        let is_before = place * frame + frame / 2 < 2 * i128::from(ticks) * rate;
        i64::try_from(place + i128::from(is_before)).unwrap_or(i64::MAX)
    }
}

/// The places of a cut that frames of sound have taken, and those that are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Soundtrack {
    length: FrameLength,
    /// The first that is free.
    free: i64,
}

/// How a stretch of sound begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The first of the frames that is heard.
    pub frame: usize,
    /// What is added to when it is heard, and when all after it are, in ticks.
    pub offset: i64,
}

impl Soundtrack {
    /// One that has no frames yet, the first of which will be heard with the first picture.
    pub const fn new(length: FrameLength) -> Self {
        Self { length, free: i64::MIN }
    }

    /// How long its frames are.
    pub const fn length(&self) -> FrameLength {
        self.length
    }

    /// Begins with what is heard once pictures are shown from `begin` on. Each of `frames`, which come in order, would be
    /// heard then, if it kept its distance to the pictures. `None` where no frame is left that could be heard.
    ///
    /// All times are in ticks since the first picture of the cut.
    pub fn enter(&self, begin: i64, frames: impl IntoIterator<Item = i64>) -> Option<Entry> {
        let first = self.length.place_from(begin).max(self.free);
        let earliest = self.length.begin(first) - self.length.half() - ROUNDING;
        let (frame, at) = frames.into_iter().enumerate().find(|(_, at)| *at >= earliest)?;
        let place = self.length.nearest(at).max(first);
        Some(Entry { frame, offset: self.length.begin(place) - at })
    }

    /// Whether a frame that is heard at `at` comes before a picture that is shown at `end`, and not after it.
    pub fn is_before(&self, at: i64, end: i64) -> bool {
        self.length.nearest(at) < self.length.place_from(end)
    }

    /// Takes the places up to that of a frame that is heard at `at`.
    pub fn take(&mut self, at: i64) {
        self.free = self.free.max(self.length.nearest(at) + 1);
    }
}

/// What times may be off for having been rounded, in ticks: those of two frames, and that of a place.
const ROUNDING: i64 = 2;

#[cfg(test)]
mod tests;
