//! Which frames of sound a cut is made of. Pure.
//!
//! Frames follow each other without a gap or an overlap over the whole cut, whatever its ranges are, so that their
//! places are a grid that begins with the first picture. A place belongs to the stretch of pictures in which the middle of its
//! frame is heard, and takes the frame of that stretch's sound that is nearest: never further off than half a frame,
//! and never more so for there being many ranges.

use std::ops::Range;

use crate::format::mpegts::TICKS_PER_SECOND;

/// A stretch of pictures that are shown as they were published, with the sound that was published with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// From the first picture up to the end of the last, in ticks of 90 kHz.
    pub shown: Range<i64>,
    /// When each frame of sound begins, in ticks of the same clock and in order; all that are heard meanwhile, and one more
    /// at each end where there is one.
    pub frames: Vec<i64>,
}

/// How long the frames of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLength {
    /// In samples of each channel.
    pub samples: u32,
    /// Samples in a second.
    pub rate: u32,
}

/// A frame at its place in the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Which stretch it comes from.
    pub stretch: usize,
    /// Which of that stretch's frames it is.
    pub frame: usize,
    /// When it is heard, in ticks since the first picture is shown.
    pub at: i64,
}

impl FrameLength {
    /// When the frame at that place of the grid begins, in ticks, to the nearest.
    fn begin(self, place: i64) -> i64 {
        let (samples, rate) = (i128::from(self.samples), i128::from(self.rate).max(1));
        let ticks = 2 * i128::from(place) * samples * i128::from(TICKS_PER_SECOND) + rate;
        i64::try_from(ticks.div_euclid(2 * rate)).unwrap_or(i64::MAX)
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

/// The frames that are heard while `stretches` are shown one after the other. A place for which there is none, since
/// sound is missing there, stays empty.
pub fn soundtrack(stretches: &[Stretch], length: FrameLength) -> Vec<Heard> {
    let mut heard = Vec::new();
    let mut shown_at = 0;
    for (index, stretch) in stretches.iter().enumerate() {
        let Range { start, end } = stretch.shown;
        let behind = shown_at + (end - start).max(0);
        let mut next = None;
        for place in length.place_from(shown_at)..length.place_from(behind) {
            let at = length.begin(place);
            let Some(frame) = nearest(&stretch.frames, start + at - shown_at, length, next) else {
                continue;
            };
            heard.push(Heard { stretch: index, frame, at });
            next = Some(frame + 1);
        }
        shown_at = behind;
    }
    heard
}

/// The frame that takes a place at `wanted`: `next`, if that is about there, or else the nearest one behind it.
fn nearest(frames: &[i64], wanted: i64, length: FrameLength, next: Option<usize>) -> Option<usize> {
    let frame = length.begin(1);
    let is_within = |index: usize, most: i64| {
        frames.get(index).is_some_and(|begin| begin.abs_diff(wanted) <= most.unsigned_abs())
    };
    // times are rounded, so that what is half a frame off may seem to be nearer to another place
    if let Some(next) = next.filter(|next| is_within(*next, frame / 2 + ROUNDING)) {
        return Some(next);
    }
    let behind = frames.partition_point(|begin| *begin < wanted);
    let both = [behind.checked_sub(1), Some(behind)].into_iter().flatten();
    let nearest = both.filter(|index| is_within(*index, frame / 2 + ROUNDING));
    let nearest = nearest.filter(|index| next.is_none_or(|next| *index >= next));
    nearest.min_by_key(|index| frames[*index].abs_diff(wanted))
}

/// What times may be off for having been rounded, in ticks: those of two frames, and that of a place.
const ROUNDING: i64 = 2;

#[cfg(test)]
mod tests;
