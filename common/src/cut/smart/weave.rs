//! Writing an edge of a cut: its pictures in the order in which they are decoded, and everything else among them.

use std::ops::Range;
use std::pin::pin;

use futures_util::TryStreamExt;

use super::edge::Edge;
use super::encoder::{self, encode};
use super::output::Output;
use super::run::Cut;
use super::window::Window;
use super::{SmartError, patiently};
use crate::format::mpegts::{Shift, Unit, since, write_unit};
use crate::plan::splice::Splice;

/// Where a run is in the cut.
pub(super) struct Run {
    /// When its first picture is shown, in ticks since the first of the cut.
    pub(super) base: i64,
    /// That picture's stamp.
    pub(super) start: u64,
    /// What is added to when sound is heard, by PID.
    pub(super) offsets: Vec<(u16, i64)>,
    /// See [`Window::delay`].
    pub(super) delay: i64,
    /// See [`Window::lead`].
    pub(super) lead: i64,
}

impl Run {
    /// When what is shown at `ticks` of `window` is shown in the cut, if that is about `near`.
    pub(super) fn time(&self, window: &Window, ticks: i64, near: i64) -> i64 {
        let stamp =
            Shift::by(self.base).moved(Shift::from_to(self.start, window.stamp(ticks)).moved(0));
        near + since(stamp, Shift::by(near).moved(0))
    }
}

impl Cut {
    /// Writes what is taken of a window: pictures as `spliced` says, the frames of each track from a number on, and all of
    /// these up to `end`, if that is given: in ticks of the window and of the cut.
    pub(super) async fn edge(
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
        let (ffmpeg, _turn) = self.encoders.edge().await;
        // players that keep only the parameter sets at the beginning shall have those of what is copied as well
        let mut sets = copied.filter(|copied| *copied < window.pictures.len());
        let mut pictures = pin!(encode(&ffmpeg, window, &task)?);
        let mut newest = i64::MIN;
        let mut written = 0;
        while let Some(picture) = patiently(pictures.try_next()).await?? {
            if written >= times.len() as u64 {
                return Err(SmartError::TooMany { at: edge.time_of(shown.start) });
            }
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
