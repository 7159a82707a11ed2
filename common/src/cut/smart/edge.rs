//! An edge of a cut: which pictures of a window are taken, and how.

use std::ops::Range;

use super::encoder::Task;
use super::reader::{Media, ticks};
use super::window::Window;
use crate::base::time::Timestamp;
use crate::format::codec::nal::Syntax;
use crate::format::media::Shape;
use crate::format::mpegts::{TICKS_PER_SECOND, Tables, since};
use crate::plan::splice::{self, Leading, Shown};

/// How much before a picture a time may be that means it, in ticks: a millisecond, to which people and programs round.
const ROUNDING: i64 = (TICKS_PER_SECOND / 1000) as i64;

/// A window, and which times it shows.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) window: Window,
    pub(super) shown: Vec<Shown>,
    /// When each segment starts: by its name, and in ticks.
    marks: Vec<(Timestamp, i64)>,
    /// Where each segment ends in the window.
    ends: Vec<usize>,
    pub(super) tables: Tables,
    /// What its pictures are like, if that is known.
    pub(super) shape: Option<Shape>,
}

impl Edge {
    /// Takes apart segments that go on from each other, at least one.
    pub(super) fn new(media: &[Media]) -> Self {
        Self::with_context(0, media)
    }

    /// As [`Edge::new`], where what there is of the first `context` segments is in the cut already.
    pub(super) fn with_context(context: usize, media: &[Media]) -> Self {
        let outline = &media.first().expect("there is one").place.outline;
        let context = media[..context].iter().map(|media| media.bytes.len()).sum();
        let mark = |Media { place, .. }: &Media| {
            (place.stored.start, since(place.outline.first_pts, outline.first_pts))
        };
        let marks = media.iter().map(mark).collect();
        let bytes = media.iter().map(|media| media.bytes.as_slice()).collect::<Vec<_>>().concat();
        let window = Window::new(bytes, outline, context);
        let shown = window.shown();
        let ends = media.iter().scan(0, |end, media| {
            *end += media.bytes.len();
            Some(*end)
        });
        let shape = media.iter().find_map(|media| media.place.outline.shape);
        let tables = outline.tables.clone();
        Self { window, shown, marks, ends: ends.collect(), tables, shape }
    }

    /// What can be done about pictures that lead open groups. In H.264, a picture that begins one cannot become one that
    /// begins a closed one without all that follow it being changed.
    pub(super) fn leading(&self) -> Leading {
        match self.window.streams.video.syntax {
            Syntax::H264 => Leading::Needed,
            Syntax::Hevc => Leading::Droppable,
        }
    }

    /// When what is at `ticks` was published.
    pub(super) fn time_of(&self, ticks: i64) -> Timestamp {
        let behind = self.marks.partition_point(|(_, at)| *at <= ticks);
        let (start, at) = self.marks[behind.saturating_sub(1)];
        Timestamp::from_micros(start.micros() + ticks.saturating_sub(at).saturating_mul(100) / 9)
    }

    /// When `time` is, in ticks.
    fn ticks_of(&self, time: Timestamp) -> i64 {
        let behind = self.marks.partition_point(|(start, _)| *start <= time);
        let (start, at) = self.marks[behind.saturating_sub(1)];
        at + ticks(time.micros() - start.micros())
    }

    /// When the picture is shown with which a range begins, or else the first picture of all that can be decoded.
    pub(super) fn start(&self, time: Option<Timestamp>) -> Option<i64> {
        let wanted = time.map_or(i64::MIN, |time| self.ticks_of(time).saturating_add(ROUNDING));
        let start = splice::first_shown(&self.shown, wanted)?;
        if self.key_for(start).is_some() {
            return Some(start);
        }
        let key = self.shown.iter().position(Shown::is_key)?;
        let later = self.shown[key..].iter().map(|picture| picture.at);
        let at = self.shown[key].at;
        // what leads an open group cannot be decoded
        later.filter(|shown| *shown >= at.max(start)).min()
    }

    /// When the picture is shown before which a range ends, or would be if it were there.
    pub(super) fn end(&self, time: Option<Timestamp>, start: i64) -> i64 {
        let behind = self.last_shown().max(start) + self.window.step();
        let wanted = time.map_or(i64::MAX, |time| self.ticks_of(time).saturating_add(ROUNDING));
        if wanted >= behind {
            return behind;
        }
        let end = splice::first_shown(&self.shown, wanted).unwrap_or(behind);
        if end > start {
            return end;
        }
        // a range within a picture shows it
        let next = self.shown.iter().map(|picture| picture.at).filter(|at| *at > start).min();
        next.unwrap_or(behind)
    }

    /// Whether pictures or sound are missing between the last that is there and `time`.
    pub(super) fn ends_early(&self, time: Timestamp) -> bool {
        let wanted = self.ticks_of(time);
        let (last, step) = (self.last_shown(), self.window.step());
        let of_sound = self.window.tracks.iter().any(|track| {
            track.frames.last().is_some_and(|(at, _)| at + 2 * track.length.ticks() < wanted)
        });
        of_sound || last.saturating_add(step + step / 2) < wanted
    }

    /// Whether what is shown or heard from `time` on cannot be had without what is before this window.
    pub(super) fn begins_late(&self, time: Timestamp) -> bool {
        let wanted = self.ticks_of(time).saturating_add(ROUNDING);
        let Some(start) = splice::first_shown(&self.shown, wanted) else { return true };
        start > wanted || self.key_for(start).is_none() || self.lacks_sound_at(start)
    }

    fn lacks_sound_at(&self, start: i64) -> bool {
        let mut tracks = self.window.tracks.iter();
        tracks.any(|track| {
            track.frames.first().is_some_and(|(at, _)| at - track.length.ticks() / 2 > start)
        })
    }

    /// The picture with which decoding has to begin for all that are shown from `start` on.
    pub(super) fn key_for(&self, start: i64) -> Option<usize> {
        let first = self.shown.iter().position(|picture| picture.at >= start)?;
        let mut before = self.shown[..=first].iter();
        before.rposition(|picture| picture.is_key() && picture.at <= start)
    }

    /// What has to be encoded for the pictures that are shown then.
    pub(super) fn task(&self, shown: Range<i64>) -> Option<Task> {
        self.key_for(shown.start).map(|key| Task { key, shown })
    }

    /// When the last picture is shown.
    pub(super) fn last_shown(&self) -> i64 {
        self.shown.iter().map(|picture| picture.at).max().unwrap_or(i64::MIN)
    }

    /// The last picture with which decoding can begin, if that is shown after `time`.
    pub(super) fn last_key(&self, time: i64) -> Option<usize> {
        self.shown.iter().rposition(|picture| picture.is_key() && picture.at > time)
    }

    /// Which segment a picture is in.
    pub(super) fn segment_of(&self, picture: usize) -> usize {
        let place = self.window.place_of(picture);
        self.ends.partition_point(|end| *end <= place)
    }

    /// When the pictures are shown that are shown then, in order.
    pub(super) fn times(&self, range: &Range<i64>) -> Vec<i64> {
        let times = self.shown.iter().map(|picture| picture.at);
        let mut times: Vec<i64> = times.filter(|at| range.contains(at)).collect();
        times.sort_unstable();
        times
    }
}
