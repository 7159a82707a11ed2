//! Carrying out a smart cut: range by range, and in each run by run of segments that go on from each other.

use std::collections::VecDeque;

use bytes::Bytes;

use super::check::Report;
use super::edge::Edge;
use super::output::Output;
use super::reader::{Files, Media, Place, Reader, ticks};
use super::weave::Run;
use super::{Encoders, SmartError, Timeline};
use crate::base::time::{TimeRange, Timestamp};
use crate::format::media::{Shape, Streams};
use crate::format::mpegts::{Shift, Shifts, TICKS_PER_SECOND};
use crate::io::produced::Sink;
use crate::plan::cut::{PlannedRange, StoredSegment};
use crate::plan::soundtrack::Soundtrack;
use crate::plan::splice::{Splice, first_copied, last_copied, splice};

/// How much is held in memory at an edge before it is given up that there is a picture to go on from.
const MAX_EDGE_BYTES: usize = 48 << 20;

/// For how long pictures are looked through for one to copy from, in ticks: ten seconds. Then as many as there are up to
/// one with which decoding can begin are encoded by themselves.
const LONGEST_HEAD: i64 = 10 * TICKS_PER_SECOND as i64;

/// How many segments may have to be read again at the end of a run, to decode what is encoded there.
const MOST_CONTEXT: usize = 16;

/// How far sound may be ahead of the pictures beside which it is stored, in microseconds: where a range ends sooner after a
/// segment's start, the segment before it has sound that is not heard.
const SOUND_AHEAD_MICROS: i64 = 1_000_000;

/// A cut that is being made.
pub(super) struct Cut {
    files: Files,
    pub(super) encoders: Encoders,
    timeline: Timeline,
    pub(super) output: Output,
    /// When the next picture is shown, in ticks since the first.
    at: i64,
    /// The streams of sound, each with its PID.
    pub(super) tracks: Vec<(u16, Soundtrack)>,
    /// What every run must have.
    streams: Option<Streams>,
    shape: Option<Shape>,
}

/// What is left of a range.
struct Rest {
    range: TimeRange,
    /// Whether its first picture is still to come, which may be in the middle of a segment.
    begins: bool,
    /// The segments before the first one, the nearest first.
    before: std::vec::IntoIter<StoredSegment>,
    behind: Option<StoredSegment>,
}

impl Rest {
    /// Whether the range ends so soon after `next` starts that what is before it is of the end as well.
    fn ends_soon_in(&self, next: &Place) -> bool {
        self.range.end().micros() - next.stored.start.micros() < SOUND_AHEAD_MICROS
    }
}

/// What a run begins with.
struct Begin {
    /// Segments that go on from each other, at least one.
    media: Vec<Media>,
    /// The stamp of its first picture, if that is known.
    from: Option<u64>,
}

/// The beginning of a run.
struct Head {
    edge: Edge,
    /// The picture with which it begins.
    start: i64,
    last: Place,
    behind: Behind,
}

/// What comes behind the beginning of a run.
enum Behind {
    /// Nothing.
    Nothing,
    /// What can be copied on.
    Copied,
    /// Another run, whose first picture is shown at these ticks, since nothing was found to copy from.
    Run(i64, Begin),
}

impl Cut {
    pub(super) fn new(
        files: Files,
        encoders: Encoders,
        timeline: Timeline,
        sink: Sink<Bytes>,
    ) -> Self {
        let output = Output::new(sink);
        Self {
            files,
            encoders,
            timeline,
            output,
            at: 0,
            tracks: Vec::new(),
            streams: None,
            shape: None,
        }
    }

    /// Appends a range.
    pub(super) async fn range(&mut self, planned: PlannedRange) -> Result<(), SmartError> {
        let mut rest = Rest {
            range: planned.range,
            begins: true,
            before: planned.beside.before.clone().into_iter(),
            behind: planned.beside.behind.clone(),
        };
        let at = self.at;
        let mut reader = Reader::new(&self.files, planned.into_segments());
        let mut next = None;
        while let Some(begin) = match next.take() {
            Some(begin) => Some(begin),
            None => reader.next().await?.map(|first| Begin { media: vec![first], from: None }),
        } {
            next = self.run(begin, &mut reader, &mut rest).await?;
            rest.begins = false;
        }
        if self.at == at { Err(SmartError::NoKey { at: rest.range.start() }) } else { Ok(()) }
    }

    /// Ends the cut.
    pub(super) async fn finish(mut self) -> Report {
        self.output.hand_on().await;
        self.output.check.report
    }

    /// Appends a run. Returns the one that has to follow, if that is known.
    async fn run(
        &mut self,
        begin: Begin,
        reader: &mut Reader,
        rest: &mut Rest,
    ) -> Result<Option<Begin>, SmartError> {
        let first = begin.media[0].place.stored.start;
        let Some(head) = self.head(begin, reader, rest).await? else { return Ok(None) };
        let Head { edge, start, last, behind } = head;
        let (run, frames) = self.begin(&edge, start, last.stored.start)?;
        let (end, next) = match behind {
            Behind::Copied => (None, None),
            Behind::Nothing => (Some(self.end(&edge, start, reader, rest).await?), None),
            Behind::Run(end, begin) => (Some(end), Some(begin)),
        };
        let spliced = match (&next, end) {
            (Some(_), Some(end)) => Splice { head: start..end, copied: 0..0, tail: end..end },
            _ => splice(&edge.shown, start..end.unwrap_or(i64::MAX), edge.leading()),
        };
        let end = end.map(|end| (end, run.base + end - start));
        self.edge(&run, &edge, &spliced, &frames, end).await?;
        drop(edge);
        match end {
            Some((_, cut_end)) => self.at = cut_end,
            None => self.copy_on(&run, first, last, reader, rest).await?,
        }
        Ok(next)
    }

    /// Copies the segments behind the beginning of `run`, which began about when `first` starts, up to its end.
    async fn copy_on(
        &mut self,
        run: &Run,
        first: Timestamp,
        mut last: Place,
        reader: &mut Reader,
        rest: &mut Rest,
    ) -> Result<(), SmartError> {
        // those before `last`, the newest last
        let mut passed = VecDeque::new();
        while let Some(next) = reader.next_of(&last).await? {
            let behind = reader.next_place(&next.place).await?;
            if behind.is_some_and(|behind| !rest.ends_soon_in(behind)) {
                if passed.len() == MOST_CONTEXT {
                    passed.pop_front();
                }
                passed.push_back(std::mem::replace(&mut last, next.place).stored);
                self.output.segment(next.bytes).await;
                continue;
            }
            let near = run.base + ticks(next.place.stored.start.micros() - first.micros());
            passed.push_back(last.stored);
            let (edge, spliced) = self.tail(next, passed, reader, rest).await?;
            let frames: Vec<usize> = edge.window.tracks.iter().map(|track| track.first).collect();
            let end = spliced.tail.end;
            let cut_end = run.time(&edge.window, end, near);
            self.edge(run, &edge, &spliced, &frames, Some((end, cut_end))).await?;
            self.at = cut_end;
            return Ok(());
        }
        Ok(())
    }

    /// Gathers the segments of a run up to where copying can begin; `None` where nothing can be decoded.
    async fn head(
        &self,
        begin: Begin,
        reader: &mut Reader,
        rest: &mut Rest,
    ) -> Result<Option<Head>, SmartError> {
        let Begin { mut media, from } = begin;
        let begin = media[0].place.stored.start;
        let time = Some(rest.range.start()).filter(|time| rest.begins && *time >= begin);
        loop {
            let edge = Edge::new(&media);
            if let Some(time) = time
                && edge.begins_late(time)
                && let Some(before) = self.before(&media[0], rest).await?
            {
                media.insert(0, before);
                continue;
            }
            let newest = &media[media.len() - 1].place;
            let next = reader.next_place(newest).await?;
            if next.is_some_and(|next| rest.ends_soon_in(next)) {
                media.extend(reader.next().await?);
                continue;
            }
            let is_last = next.is_none();
            let start = match from {
                Some(stamp) => Some(edge.window.ticks(stamp)),
                None => edge.start(time),
            };
            let copied = start.and_then(|start| first_copied(&edge.shown, start, edge.leading()));
            if copied.is_none() && !is_last {
                let held: usize = media.iter().map(|media| media.bytes.len()).sum();
                let key = start.and_then(|start| edge.last_key(start + LONGEST_HEAD / 2));
                if let Some((start, key)) = start.zip(key)
                    && (edge.last_shown() - start > LONGEST_HEAD || held > MAX_EDGE_BYTES)
                {
                    let last = media[media.len() - 1].place.clone();
                    let from = Some(edge.window.stamp(edge.shown[key].at));
                    media.drain(..edge.segment_of(key));
                    let behind = Behind::Run(edge.shown[key].at, Begin { media, from });
                    return Ok(Some(Head { edge, start, last, behind }));
                }
                if held > MAX_EDGE_BYTES {
                    return Err(SmartError::NoKey { at: begin });
                }
                media.extend(reader.next().await?);
                continue;
            }
            let edge =
                if is_last { self.behind(edge, &mut media, reader, rest).await? } else { edge };
            let last = media.pop().expect("it began with one").place;
            let behind = if is_last { Behind::Nothing } else { Behind::Copied };
            return Ok(start.map(|start| Head { edge, start, last, behind }));
        }
    }

    /// The last segment of a run, or the last two, with what is needed of the one behind it and of `passed`, those before it, and how it is
    /// spliced.
    async fn tail(
        &self,
        last: Media,
        mut passed: VecDeque<StoredSegment>,
        reader: &mut Reader,
        rest: &mut Rest,
    ) -> Result<(Edge, Splice), SmartError> {
        let mut media = vec![last];
        media.extend(reader.next_of(&media[0].place).await?);
        let edge = Edge::new(&media);
        let mut edge = self.behind(edge, &mut media, reader, rest).await?;
        let mut context = 0;
        loop {
            let first = edge.window.first();
            let end = self.end(&edge, i64::MIN, reader, rest).await?;
            let (copied, behind) = last_copied(&edge.shown, first, end);
            let tail = behind..end;
            if !edge.times(&tail).is_empty()
                && edge.task(tail.clone()).is_none()
                && let Some(stored) = passed.pop_back()
                && let Some(before) = self.files.read(stored).await?
            {
                media.insert(0, before);
                context += 1;
                edge = Edge::with_context(context, &media);
                continue;
            }
            let head = i64::MIN..i64::MIN;
            return Ok((edge, Splice { head, copied: first..copied, tail }));
        }
    }

    /// The segment before `first`, unless it is not to be had.
    async fn before(&self, first: &Media, rest: &mut Rest) -> Result<Option<Media>, SmartError> {
        let Some(stored) = rest.before.next() else { return Ok(None) };
        let before = self.files.read(stored).await?;
        Ok(before.filter(|before| first.place.follows(&before.place)))
    }

    /// Takes in the segment behind the range, if something of it is shown or heard within it.
    async fn behind(
        &self,
        edge: Edge,
        media: &mut Vec<Media>,
        reader: &mut Reader,
        rest: &mut Rest,
    ) -> Result<Edge, SmartError> {
        let is_end = reader.peek().await?.is_none();
        let Some(stored) = rest.behind.take_if(|_| is_end && edge.ends_early(rest.range.end()))
        else {
            return Ok(edge);
        };
        let behind = self.files.read(stored).await?;
        let newest = &media[media.len() - 1].place;
        let Some(behind) = behind.filter(|behind| behind.place.continues(newest)) else {
            return Ok(edge);
        };
        media.push(behind);
        Ok(Edge::new(media))
    }

    /// When the first picture behind a run is shown, or would be.
    async fn end(
        &self,
        edge: &Edge,
        start: i64,
        reader: &mut Reader,
        rest: &Rest,
    ) -> Result<i64, SmartError> {
        let is_end = reader.peek().await?.is_none();
        Ok(edge.end(Some(rest.range.end()).filter(|_| is_end), start))
    }

    /// Begins a run whose first picture is shown at `start` of `edge`. Returns the first frame of each track as well.
    fn begin(
        &mut self,
        edge: &Edge,
        start: i64,
        at: Timestamp,
    ) -> Result<(Run, Vec<usize>), SmartError> {
        let window = &edge.window;
        let streams = self.streams.get_or_insert_with(|| window.streams.clone());
        self.shape = self.shape.or(edge.shape);
        if *streams != window.streams || edge.shape.is_some_and(|shape| self.shape != Some(shape)) {
            return Err(SmartError::Changes { at });
        }
        let (mut offsets, mut frames) = (Vec::new(), Vec::new());
        for track in &window.tracks {
            let known = self.tracks.iter().position(|(pid, _)| *pid == track.pid);
            let known = known.unwrap_or_else(|| {
                self.tracks.push((track.pid, Soundtrack::new(track.length)));
                self.tracks.len() - 1
            });
            if self.tracks[known].1.length() != track.length {
                return Err(SmartError::Changes { at });
            }
            let times = track.frames.iter().map(|(at, _)| self.at + at - start);
            let entry = self.tracks[known].1.enter(self.at, times);
            frames.push(entry.map_or(track.frames.len(), |entry| entry.frame));
            offsets.push((track.pid, entry.map_or(0, |entry| entry.offset)));
        }
        let first = window.stamp(start);
        let sounds = window.tracks.iter().map(|track| track.pid);
        self.output.check.follow(window.streams.video.pid, sounds);
        self.output.shifts = match self.timeline {
            Timeline::Kept => Shifts::default(),
            Timeline::Continuous => {
                let all = Shift::from_to(first, Shift::by(self.at).moved(0));
                let apart = |(pid, offset): &(u16, i64)| (*pid, Shift::by(*offset).then(all));
                Shifts { all, apart: offsets.iter().map(apart).collect() }
            }
        };
        let (delay, lead) = (window.delay(), window.lead());
        Ok((Run { base: self.at, start: first, offsets, delay, lead }, frames))
    }
}
