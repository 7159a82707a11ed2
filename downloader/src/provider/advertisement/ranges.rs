//! Advertisements that are told by a span of time: EXT-X-DATERANGE (RFC 8216 §4.3.2.7).
//!
//! A segment belongs to a range if it begins in it. Where the list has dates, segments without one are
//! dated by their neighbours' durations. Where it has none, a range counts from its place in the list,
//! which it keeps only while its first segment is listed; and a range may lack its end. In both cases it
//! ends, at the latest, at the first segment that tells of programme in the way of Twitch: by the title
//! `live`, or by a discontinuity before it without the title of an advertisement.

use std::ops::Range;

use common::format::hls::{DateRange, MediaPlaylist, Segment};

use super::{LONGEST_BREAK, Mark, is_titled, rounding, seconds};

/// A span of the list's time line, in seconds.
#[derive(Clone, Debug, PartialEq)]
struct Span {
    id: String,
    start: f64,
    /// `None` where the list does not say.
    end: Option<f64>,
    /// Before which segment its first tag stands.
    position: usize,
}

/// Tells for each segment whether it lies in a range of advertisements.
pub(super) fn in_ranges(list: &MediaPlaylist, marks: &[Mark]) -> Vec<bool> {
    let mut flags = vec![false; list.segments.len()];
    if !list.date_ranges.iter().any(|range| counts(range, marks)) {
        return flags;
    }
    let line = TimeLine::new(list);
    for span in spans(list, marks, &line) {
        mark(list, &line, &span, &mut flags);
    }
    flags
}

/// Whether a range is about an advertisement.
fn counts(range: &DateRange, marks: &[Mark]) -> bool {
    let stitched = range.class.as_deref() == Some("twitch-stitched-ad");
    let spliced = ["SCTE35-OUT", "SCTE35-IN"];
    let spliced = spliced.iter().any(|name| range.attributes.get(name).is_some());
    (stitched && marks.contains(&Mark::StitchedRange)) || (spliced && marks.contains(&Mark::Scte35))
}

/// The ranges that count; what several tags tell of one (§4.3.2.7.1: its begin, then its end) is one span.
fn spans(list: &MediaPlaylist, marks: &[Mark], line: &TimeLine) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for range in list.date_ranges.iter().filter(|range| counts(range, marks)) {
        let at = line.at(range.position);
        let dated = |time| line.of_date(time);
        let start = range.start.and_then(dated).unwrap_or(at);
        let length = match (range.start, range.end) {
            _ if range.duration.is_some() => range.duration,
            (Some(start), Some(end)) => Some((end - start).as_seconds_f64()),
            (None, Some(end)) => dated(end).map(|end| end - start),
            (_, None) if is_over(range) => Some(at - start),
            (_, None) => planned(range),
        };
        let end = length.map(|length| start + length);
        let known = spans.iter_mut().find(|span| span.id == range.id && !span.id.is_empty());
        if let Some(span) = known {
            span.start = span.start.min(start);
            span.end = end.or(span.end);
        } else {
            let (id, position) = (range.id.clone(), range.position);
            spans.push(Span { id, start, end, position });
        }
    }
    spans
}

/// Whether a tag only says that its range ends where the tag stands.
fn is_over(range: &DateRange) -> bool {
    let has = |name| range.attributes.get(name).is_some();
    has("SCTE35-IN") && !has("SCTE35-OUT")
}

/// How long it is expected to be, in seconds.
fn planned(range: &DateRange) -> Option<f64> {
    let planned: f64 = range.attributes.get("PLANNED-DURATION")?.trim().parse().ok()?;
    (planned.is_finite() && planned >= 0.0).then_some(planned)
}

/// Flags the segments of `span`. Where the clock went back, two stretches of the list have its dates: then
/// those that its tag stands in or before.
fn mark(list: &MediaPlaylist, line: &TimeLine, span: &Span, flags: &mut [bool]) {
    let stretches = stretches(list, line, span);
    let own = stretches.iter().find(|stretch| stretch.contains(&span.position));
    for stretch in own.map_or(stretches.as_slice(), std::slice::from_ref) {
        flags[stretch.clone()].fill(true);
    }
}

/// The stretches of segments that have the dates of `span`.
fn stretches(list: &MediaPlaylist, line: &TimeLine, span: &Span) -> Vec<Range<usize>> {
    let is_sure = line.dated && span.end.is_some();
    let end = span.end.unwrap_or(span.start + LONGEST_BREAK);
    let mut stretches: Vec<Range<usize>> = Vec::new();
    // when the segment before ends, if it is of the span
    let mut before: Option<f64> = None;
    let mut back = 0.0;
    for (index, segment) in list.segments.iter().enumerate() {
        let duration = seconds(list, segment);
        // where a clock goes back within an advertisement, the old one counts on, unless the programme is back
        let stated = line.at(index) + back;
        let gone_back = before.filter(|end| stated + duration < *end);
        if gone_back.is_some() && is_titled_programme(segment) {
            break;
        }
        let at = gone_back.unwrap_or(stated);
        back += at - stated;
        let begin = at + rounding(duration);
        let is_within = begin >= span.start && begin < end;
        before = is_within.then_some(at + duration);
        if !is_within {
            continue;
        }
        let at_start = at - span.start <= rounding(duration);
        let has_begun = !stretches.is_empty() || !at_start;
        if !is_sure && has_begun && is_programme(segment) {
            break;
        }
        match stretches.last_mut() {
            Some(stretch) if stretch.end == index => stretch.end += 1,
            _ => stretches.push(index..index + 1),
        }
    }
    stretches
}

/// Whether a segment tells by itself that an advertisement before it is over.
fn is_programme(segment: &Segment) -> bool {
    is_titled_programme(segment) || (segment.discontinuity && !is_titled(segment))
}

/// Whether its title is that of programme on Twitch.
fn is_titled_programme(segment: &Segment) -> bool {
    segment.title.trim() == "live"
}

/// When the segments of a list begin.
struct TimeLine {
    /// In seconds: since 1970 where the list has dates, else since its begin. The last is its end.
    times: Vec<f64>,
    dated: bool,
}

impl TimeLine {
    fn new(list: &MediaPlaylist) -> Self {
        let durations: Vec<f64> = list.segments.iter().map(|s| seconds(list, s)).collect();
        let stated =
            |segment: &Segment| segment.program_date_time.map(|time| in_seconds(time.micros()));
        let first = list.segments.iter().position(|segment| segment.program_date_time.is_some());
        let before: f64 = durations[..first.unwrap_or(0)].iter().sum();
        let mut now = first.and_then(|first| stated(&list.segments[first])).unwrap_or(0.0) - before;
        let mut times = Vec::with_capacity(list.segments.len() + 1);
        for (segment, duration) in list.segments.iter().zip(durations) {
            now = stated(segment).unwrap_or(now);
            times.push(now);
            now += duration;
        }
        times.push(now);
        Self { times, dated: first.is_some() }
    }

    /// When the segment at `index` begins; past the last, when the list ends.
    fn at(&self, index: usize) -> f64 {
        self.times.get(index).or(self.times.last()).copied().unwrap_or(0.0)
    }

    /// Where a date lies, if the list has dates.
    fn of_date(&self, date: common::base::time::Timestamp) -> Option<f64> {
        self.dated.then(|| in_seconds(date.micros()))
    }
}

/// To the microsecond for every date of this century, which a list is not exact to.
#[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
fn in_seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
