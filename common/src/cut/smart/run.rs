//! Carrying out a smart cut: range by range, and in each run by run of segments that go on from each other.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::pin;

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::check::Report;
use super::edge::Edge;
use super::encoder::{self, encode};
use super::output::Output;
use super::reader::{Files, Media, Place, Reader, ticks};
use super::window::Window;
use super::{Encoders, SmartError, Timeline};
use crate::base::time::{TimeRange, Timestamp};
use crate::format::media::Streams;
use crate::format::mpegts::{Shift, Shifts, Unit, since, write_unit};
use crate::io::produced::Sink;
use crate::plan::cut::{PlannedRange, StoredSegment};
use crate::plan::soundtrack::Soundtrack;
use crate::plan::splice::{Splice, first_copied, last_copied, splice};

/// How much is held in memory at an edge before it is given up that there is a picture to go on from.
const MAX_EDGE_BYTES: usize = 48 << 20;

/// How many segments may have to be read again at the end of a run, to decode what is encoded there.
const MOST_CONTEXT: usize = 16;

/// A cut that is being made.
pub(super) struct Cut {
    files: Files,
    encoders: Encoders,
    timeline: Timeline,
    output: Output,
    /// When the next picture is shown, in ticks since the first.
    at: i64,
    /// The streams of sound, each with its PID.
    tracks: Vec<(u16, Soundtrack)>,
    /// What every run must have.
    streams: Option<Streams>,
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

/// The beginning of a run.
struct Head {
    edge: Edge,
    /// The picture with which it begins.
    start: i64,
    last: Place,
    /// Whether it is the end as well.
    is_last: bool,
}

/// Where a run is in the cut.
struct Run {
    /// When its first picture is shown, in ticks since the first of the cut.
    base: i64,
    /// That picture's stamp.
    start: u64,
    /// What is added to when sound is heard, by PID.
    offsets: Vec<(u16, i64)>,
    /// See [`Window::delay`].
    delay: i64,
    /// See [`Window::lead`].
    lead: i64,
}

impl Run {
    /// When what is shown at `ticks` of `window` is shown in the cut, if that is about `near`.
    fn time(&self, window: &Window, ticks: i64, near: i64) -> i64 {
        let stamp =
            Shift::by(self.base).moved(Shift::from_to(self.start, window.stamp(ticks)).moved(0));
        near + since(stamp, Shift::by(near).moved(0))
    }
}

impl Cut {
    pub(super) fn new(
        files: Files,
        encoders: Encoders,
        timeline: Timeline,
        sink: Sink<Bytes>,
    ) -> Self {
        let output = Output::new(sink);
        Self { files, encoders, timeline, output, at: 0, tracks: Vec::new(), streams: None }
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
        while let Some(first) = reader.next().await? {
            self.run(first, &mut reader, &mut rest).await?;
            rest.begins = false;
        }
        if self.at == at { Err(SmartError::NoKey { at: rest.range.start() }) } else { Ok(()) }
    }

    /// Ends the cut.
    pub(super) async fn finish(mut self) -> Report {
        self.output.hand_on().await;
        self.output.check.report
    }

    /// Appends a run that begins with `first`.
    async fn run(
        &mut self,
        first: Media,
        reader: &mut Reader,
        rest: &mut Rest,
    ) -> Result<(), SmartError> {
        let begin = first.place.stored.start;
        let Some(head) = self.head(first, reader, rest).await? else { return Ok(()) };
        let Head { edge, start, mut last, is_last } = head;
        let end = if is_last { Some(self.end(&edge, start, reader, rest).await?) } else { None };
        let (run, frames) = self.begin(&edge, start, last.stored.start)?;
        let leading = edge.leading();
        let spliced = splice(&edge.shown, start..end.unwrap_or(i64::MAX), leading);
        self.edge(&run, &edge, &spliced, &frames, end.map(|end| (end, run.base + end - start)))
            .await?;
        if let Some(end) = end {
            self.at = run.base + end - start;
            return Ok(());
        }
        drop(edge);
        // those before `last`, the newest last
        let mut passed = VecDeque::new();
        while let Some(next) = reader.next_of(&last).await? {
            if reader.goes_on(&next.place).await? {
                if passed.len() == MOST_CONTEXT {
                    passed.pop_front();
                }
                passed.push_back(std::mem::replace(&mut last, next.place).stored);
                self.output.segment(next.bytes).await;
                continue;
            }
            let near = run.base + ticks(next.place.stored.start.micros() - begin.micros());
            passed.push_back(last.stored);
            let (edge, spliced) = self.tail(next, passed, reader, rest).await?;
            let frames: Vec<usize> = edge.window.tracks.iter().map(|track| track.first).collect();
            let end = spliced.tail.end;
            let cut_end = run.time(&edge.window, end, near);
            self.edge(&run, &edge, &spliced, &frames, Some((end, cut_end))).await?;
            self.at = cut_end;
            return Ok(());
        }
        Ok(())
    }

    /// Gathers the segments of a run up to where copying can begin; `None` where nothing can be decoded.
    async fn head(
        &self,
        first: Media,
        reader: &mut Reader,
        rest: &mut Rest,
    ) -> Result<Option<Head>, SmartError> {
        let begin = first.place.stored.start;
        let time = Some(rest.range.start()).filter(|time| rest.begins && *time >= begin);
        let mut media = vec![first];
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
            let is_last = !reader.goes_on(newest).await?;
            let start = edge.start(time);
            let copied = start.and_then(|start| first_copied(&edge.shown, start, edge.leading()));
            if copied.is_none() && !is_last {
                let held: usize = media.iter().map(|media| media.bytes.len()).sum();
                if held > MAX_EDGE_BYTES {
                    return Err(SmartError::NoKey { at: begin });
                }
                media.extend(reader.next().await?);
                continue;
            }
            let edge =
                if is_last { self.behind(edge, &mut media, reader, rest).await? } else { edge };
            let last = media.pop().expect("it began with one").place;
            return Ok(start.map(|start| Head { edge, start, last, is_last }));
        }
    }

    /// The last segment of a run, with what is needed of the one behind it and of `passed`, those before it, and how it is
    /// spliced.
    async fn tail(
        &self,
        last: Media,
        mut passed: VecDeque<StoredSegment>,
        reader: &mut Reader,
        rest: &mut Rest,
    ) -> Result<(Edge, Splice), SmartError> {
        let mut media = vec![last];
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
        if *self.streams.get_or_insert_with(|| window.streams.clone()) != window.streams {
            return Err(SmartError::Changes { at });
        }
        let (mut offsets, mut frames) = (Vec::new(), Vec::new());
        for track in &window.tracks {
            let known = self.tracks.iter().position(|(pid, _)| *pid == track.pid);
            let known = known.unwrap_or_else(|| {
                self.tracks.push((track.pid, Soundtrack::new(track.length)));
                self.tracks.len() - 1
            });
            let times = track.frames.iter().map(|(at, _)| self.at + at - start);
            let entry = self.tracks[known].1.enter(self.at, times);
            frames.push(entry.map_or(track.frames.len(), |entry| entry.frame));
            offsets.push((track.pid, entry.map_or(0, |entry| entry.offset)));
        }
        let first = window.stamp(start);
        self.output.check.follow(window.streams.video.pid);
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

    /// Writes what is taken of a window: pictures as `spliced` says, the frames of each track from a number on, and all of
    /// these up to `end`, if that is given: in ticks of the window and of the cut.
    async fn edge(
        &mut self,
        run: &Run,
        edge: &Edge,
        spliced: &Splice,
        frames: &[usize],
        end: Option<(i64, i64)>,
    ) -> Result<(), SmartError> {
        let window = &edge.window;
        let mut tables = Vec::new();
        edge.tables.write(&mut tables);
        self.output.write(&tables);
        let is_head = !spliced.copied.is_empty() && spliced.head.end > i64::MIN;
        let mut beside = self.beside(run, window, frames, end, spliced);
        let copied = spliced.copied.clone();
        self.encoded(run, edge, &spliced.head, Some(copied.start), &mut beside).await?;
        for picture in copied.clone() {
            // what leads the first one may have been encoded
            if window.pictures[picture].shown.at < spliced.head.end {
                continue;
            }
            beside.write_to(&mut self.output, window.pictures[picture].dts);
            self.copied(run, window, picture, is_head && picture == copied.start);
            self.output.hand_on_much().await;
        }
        self.encoded(run, edge, &spliced.tail, None, &mut beside).await?;
        beside.write_to(&mut self.output, i64::MAX);
        self.output.hand_on_much().await;
        Ok(())
    }

    /// Writes a picture as it is. The first of a run comes with the parameter sets that it needs, and without those that
    /// lead it.
    fn copied(&mut self, run: &Run, window: &Window, picture: usize, is_first: bool) {
        let packets = if is_first {
            encoder::first_copied(window, picture, run.lead)
        } else {
            window.packets_of(picture).collect::<Vec<_>>().concat()
        };
        self.output.write(&packets);
    }

    /// Encodes the pictures that are shown then and writes them. `copied` is the first picture that follows as it is.
    async fn encoded(
        &mut self,
        run: &Run,
        edge: &Edge,
        shown: &Range<i64>,
        copied: Option<usize>,
        beside: &mut Beside,
    ) -> Result<(), SmartError> {
        let (window, times) = (&edge.window, edge.times(shown));
        if times.is_empty() {
            return Ok(());
        }
        let Some(task) = edge.task(shown.clone()) else {
            return Err(SmartError::NoKey { at: edge.time_of(shown.start) });
        };
        let Encoders { ffmpeg, turns } = self.encoders.clone();
        let _turn = turns.acquire().await.expect("the semaphore is never closed");
        // players that keep only the parameter sets at the beginning shall have those of what is copied as well
        let mut sets = copied.filter(|copied| *copied < window.pictures.len());
        let mut pictures = pin!(encode(&ffmpeg, window, &task)?);
        let mut newest = i64::MIN;
        let mut written = 0;
        while let Some(picture) = pictures.try_next().await? {
            let dts = (picture.at - run.delay).max(newest.saturating_add(1));
            newest = dts;
            beside.write_to(&mut self.output, dts);
            let payload = match sets.take() {
                Some(copied) => {
                    let syntax = window.streams.video.syntax;
                    encoder::insert_sets(syntax, &picture.payload, &window.sets_of(copied)).into()
                }
                None => picture.payload,
            };
            let mut packets = Vec::new();
            let video = window.streams.video.pid;
            write_unit(
                &mut packets,
                &Unit {
                    pid: video,
                    stream_id: encoder::VIDEO_STREAM,
                    pts: window.stamp(picture.at),
                    dts: Some(window.stamp(dts)),
                    clock: (window.streams.clock_pid == video)
                        .then(|| window.stamp(dts - run.lead)),
                    is_key: written == 0,
                    payload: &payload,
                },
            );
            self.output.write(&packets);
            written += 1;
            self.output.hand_on_much().await;
        }
        self.output.check.report.encoded += written;
        self.output.check.report.lost += (times.len() as u64).saturating_sub(written);
        Ok(())
    }

    /// What is written beside the pictures, in order of time.
    fn beside(
        &mut self,
        run: &Run,
        window: &Window,
        frames: &[usize],
        end: Option<(i64, i64)>,
        spliced: &Splice,
    ) -> Beside {
        let mut pieces = Vec::new();
        for (track, first) in window.tracks.iter().zip(frames) {
            let offset = run.offsets.iter().find(|(pid, _)| *pid == track.pid);
            let offset = offset.map_or(0, |(_, offset)| *offset);
            let Some((_, places)) = self.tracks.iter_mut().find(|(pid, _)| *pid == track.pid)
            else {
                continue;
            };
            for frame in *first..track.frames.len() {
                let at = track.frames[frame].0;
                if let Some((end, cut_end)) = end {
                    let heard = at - end + cut_end + offset;
                    if !places.is_before(heard, cut_end) {
                        break;
                    }
                    places.take(heard);
                }
                let mut packets = Vec::new();
                let has_clock = window.streams.clock_pid == track.pid;
                write_unit(
                    &mut packets,
                    &Unit {
                        pid: track.pid,
                        stream_id: track.stream_id,
                        pts: window.stamp(at),
                        dts: None,
                        clock: has_clock.then(|| window.stamp(at - run.lead)),
                        is_key: false,
                        payload: track.frame(frame),
                    },
                );
                pieces.push((at, packets));
            }
        }
        let begin = if spliced.head.is_empty() { i64::MIN } else { spliced.head.start };
        let within = begin..end.map_or(i64::MAX, |(end, _)| end);
        let others = window.others.iter().filter(|other| within.contains(&other.at));
        pieces.extend(others.map(|other| (other.at, window.packet_of(other).to_vec())));
        pieces.sort_by_key(|(at, _)| *at);
        Beside(pieces.into_iter().peekable())
    }
}

/// Packets of sound and other streams, with the times when they are of use.
struct Beside(std::iter::Peekable<std::vec::IntoIter<(i64, Vec<u8>)>>);

impl Beside {
    /// Writes those that are of use up to `time`.
    fn write_to(&mut self, output: &mut Output, time: i64) {
        while let Some((_, packets)) = self.0.next_if(|(at, _)| *at <= time) {
            output.write(&packets);
        }
    }
}
