//! A few segments in memory, taken apart: what an edge of a cut is made of.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::format::codec::nal::{AnnexB, Kind, Syntax};
use crate::format::media::{Outline, Streams, pictures, sounds};
use crate::format::mpegts::{
    Packet, Packets, PesHeader, PesPackets, Shift, TICKS_PER_SECOND, since,
};
use crate::plan::soundtrack::FrameLength;
use crate::plan::splice::Shown;

/// Fills a stream up and means nothing (ISO/IEC 13818-1 table 2-3).
const NULL_PID: u16 = 0x1fff;

/// In how many bytes of a PES packet its header is looked for.
const HEADER_BYTES: usize = 64;

/// Segments that follow each other on one clock, taken apart.
#[derive(Debug)]
pub(super) struct Window {
    /// Their packets.
    bytes: Vec<u8>,
    /// What is in them.
    pub(super) streams: Streams,
    /// The time that all others here count from, in ticks.
    origin: u64,
    /// How many of the bytes are there only to be decoded: their pictures and sound are in the cut already.
    context: usize,
    /// In the order in which they are decoded.
    pub(super) pictures: Vec<Coded>,
    pub(super) tracks: Vec<Track>,
    /// Packets of other streams, in order.
    pub(super) others: Vec<Other>,
}

/// A coded picture.
#[derive(Clone, Debug)]
pub(super) struct Coded {
    /// Where its packets are, among those of other streams.
    packets: Range<usize>,
    pub(super) dts: i64,
    pub(super) shown: Shown,
}

/// A stream of sound.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) pid: u16,
    pub(super) stream_id: u8,
    pub(super) length: FrameLength,
    /// When each frame is heard, and where it is.
    pub(super) frames: Vec<(i64, Range<usize>)>,
    /// The first frame that is not context.
    pub(super) first: usize,
    bytes: Vec<u8>,
}

/// A packet of another stream.
#[derive(Clone, Debug)]
pub(super) struct Other {
    /// When it is of use.
    pub(super) at: i64,
    packet: Range<usize>,
}

impl Window {
    /// Takes `bytes` apart, whole packets that begin as `outline` says and hold its streams, and of which the first
    /// `context` are there only to be decoded.
    pub(super) fn new(bytes: Vec<u8>, outline: &Outline, context: usize) -> Self {
        let (streams, origin) = (outline.streams.clone(), outline.first_pts);
        let mut window = Self {
            bytes,
            streams,
            origin,
            context,
            pictures: Vec::new(),
            tracks: Vec::new(),
            others: Vec::new(),
        };
        window.pictures = window.find_pictures();
        let pids: Vec<u16> = window.streams.sounds.iter().map(|(pid, _)| *pid).collect();
        window.tracks = pids.into_iter().filter_map(|pid| window.find_track(pid)).collect();
        window.others = window.find_others(since(outline.first_dts, origin));
        window
    }

    /// Ticks here, as the 33 bits of a stamp.
    pub(super) fn stamp(&self, ticks: i64) -> u64 {
        Shift::by(ticks).moved(self.origin)
    }

    /// A stamp, as ticks here.
    pub(super) fn ticks(&self, stamp: u64) -> i64 {
        since(stamp, self.origin)
    }

    /// The pictures as far as it matters which are copied.
    pub(super) fn shown(&self) -> Vec<Shown> {
        self.pictures.iter().map(|picture| picture.shown).collect()
    }

    /// Where a picture begins in the bytes of the window.
    pub(super) fn place_of(&self, picture: usize) -> usize {
        self.pictures[picture].packets.start
    }

    /// The first picture that is not context.
    pub(super) fn first(&self) -> usize {
        self.pictures.partition_point(|picture| picture.packets.start < self.context)
    }

    /// How long a picture is shown, by the last two; of a single one a thirtieth of a second.
    pub(super) fn step(&self) -> i64 {
        let mut times: Vec<i64> = self.pictures.iter().map(|picture| picture.shown.at).collect();
        times.sort_unstable();
        match times.as_slice() {
            [.., before, last] => last - before,
            _ => i64::from(TICKS_PER_SECOND) / 30,
        }
    }

    /// How long before it is shown a picture is decoded that needs no others before it.
    pub(super) fn delay(&self) -> i64 {
        let key = self.pictures.iter().find(|picture| picture.shown.access.is_some());
        key.map_or(0, |key| (key.shown.at - key.dts).max(0))
    }

    /// How long before a picture is decoded its clock reference says that it is then, as the first one tells.
    pub(super) fn lead(&self) -> i64 {
        /// A decoder need not hold more (ISO/IEC 13818-1 §2.4.2.6).
        const MOST: i64 = 900_000;
        let clock = |packet: Packet<'_>| packet.clock().map(|clock| self.ticks(clock));
        let mut packets = Packets::new(&self.bytes);
        let mut newest = None;
        while let Some(packet) = packets.next() {
            if packet.pid() != self.streams.clock_pid {
                continue;
            }
            newest = clock(packet).or(newest);
            let behind = packets.position();
            let next = self.pictures.iter().find(|picture| picture.packets.end >= behind);
            if let Some((clock, picture)) = newest.zip(next) {
                return (picture.dts - clock).clamp(0, MOST);
            }
        }
        0
    }

    /// The transport packets of a picture.
    pub(super) fn packets_of(&self, picture: usize) -> impl Iterator<Item = &[u8]> {
        let Range { start, end } = self.pictures[picture].packets;
        let pid = self.streams.video.pid;
        let mut packets = Packets::new(&self.bytes[start..end]);
        std::iter::from_fn(move || {
            let packet = packets.find(|packet| packet.pid() == pid)?;
            Some(packet.bytes().as_slice())
        })
    }

    /// The NAL units of a picture, with start codes.
    pub(super) fn payload_of(&self, picture: usize) -> Vec<u8> {
        let bytes = &self.bytes[self.pictures[picture].packets.clone()];
        let mut units = PesPackets::new(Packets::new(bytes), self.streams.video.pid, usize::MAX);
        units.advance().map(|part| part.payload.to_vec()).unwrap_or_default()
    }

    /// The parameter sets that are in force with a picture, and which of them it brings itself.
    pub(super) fn sets_of(&self, picture: usize) -> ParameterSets {
        let mut sets = ParameterSets::default();
        for index in 0..=picture {
            if index == picture || self.pictures[index].shown.access.is_some() {
                sets.own = false;
                sets.take(self.streams.video.syntax, &self.payload_of(index));
            }
        }
        sets
    }

    /// A packet of another stream.
    pub(super) fn packet_of(&self, other: &Other) -> &[u8] {
        &self.bytes[other.packet.clone()]
    }

    fn find_pictures(&self) -> Vec<Coded> {
        let video = self.streams.video;
        let found = pictures(&self.bytes, video.pid, video.syntax).pictures;
        let ends = found.iter().skip(1).map(|next| next.at).chain([self.bytes.len()]);
        let coded = found.iter().zip(ends).map(|(picture, end)| Coded {
            packets: picture.at..end,
            dts: self.ticks(picture.dts),
            shown: Shown {
                at: self.ticks(picture.pts),
                access: picture.access,
                intact: picture.intact,
            },
        });
        coded.collect()
    }

    fn find_track(&self, pid: u16) -> Option<Track> {
        let found = sounds(&self.bytes, pid);
        let first = found.frames.first()?;
        let samples = u32::try_from(first.samples).ok()?;
        let length = FrameLength { samples, rate: first.rate };
        let mut units = PesPackets::new(Packets::new(&self.bytes), pid, HEADER_BYTES);
        let mut stream_id = None;
        while let Some(part) = units.advance().filter(|_| stream_id.is_none()) {
            stream_id = part.header.map(|header| header.stream_id);
        }
        let frames = found.frames.iter();
        let frames = frames.map(|frame| (self.ticks(frame.pts), frame.bytes.clone())).collect();
        let first = sounds(&self.bytes[..self.context], pid).frames.len();
        Some(Track { pid, stream_id: stream_id?, length, frames, first, bytes: found.bytes })
    }

    /// What is neither picture nor sound nor a table. What tells no time is of use with the picture before it, or at
    /// `first`.
    fn find_others(&self, first: i64) -> Vec<Other> {
        let video = self.streams.video.pid;
        let is_known = |pid: u16| {
            // tables are written anew
            let is_sound = self.tracks.iter().any(|track| track.pid == pid);
            pid == NULL_PID || pid == 0 || is_sound || self.streams.map_pid == pid
        };
        let (mut others, mut times, mut now) = (Vec::new(), BTreeMap::new(), first);
        let mut packets = Packets::new(&self.bytes);
        while let Some(packet) = packets.next() {
            let (pid, end) = (packet.pid(), packets.position());
            let header = || PesHeader::parse(packet.payload()).filter(|_| packet.starts_unit());
            if pid == video {
                let dts = header().and_then(|header| header.decode_time());
                now = dts.map_or(now, |dts| self.ticks(dts));
            } else if !is_known(pid) {
                if packet.starts_unit() || !times.contains_key(&pid) {
                    let pts = header().and_then(|header| header.pts);
                    times.insert(pid, pts.map_or(now, |pts| self.ticks(pts)));
                }
                let start = end - packet.bytes().len();
                if start >= self.context {
                    others.push(Other { at: times[&pid], packet: start..end });
                }
            }
        }
        others
    }
}

impl Track {
    /// A frame's bytes.
    pub(super) fn frame(&self, frame: usize) -> &[u8] {
        &self.bytes[self.frames[frame].1.clone()]
    }
}

/// The newest parameter sets of each kind and id.
#[derive(Clone, Debug, Default)]
pub(super) struct ParameterSets {
    sets: BTreeMap<(u8, u32), Vec<u8>>,
    /// Whether the last picture brings one of each kind that it needs.
    pub(super) own: bool,
}

impl ParameterSets {
    pub(super) fn take(&mut self, syntax: Syntax, payload: &[u8]) {
        let (mut has_sequence, mut has_picture) = (false, false);
        for unit in AnnexB::new(payload) {
            let key = match syntax.kind(unit) {
                Some(Kind::Vps) => unit.get(2).map(|first| (0, u32::from(first >> 4))),
                Some(Kind::Sps) => syntax.sps_id(unit).map(|id| (1, id)),
                Some(Kind::Pps) => syntax.pps_ids(unit).map(|(id, _)| (2, id)),
                _ => None,
            };
            let Some((kind, id)) = key else { continue };
            has_sequence |= kind == 1;
            has_picture |= kind == 2;
            self.sets.insert((kind, id), unit.to_vec());
        }
        self.own = has_sequence && has_picture;
    }

    /// All of them, with start codes, in the order in which they build upon each other.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.sets.values().flat_map(|set| [&[0, 0, 0, 1], set.as_slice()].concat()).collect()
    }

    /// The sequence parameter sets.
    pub(super) fn sequence(&self) -> impl Iterator<Item = &[u8]> {
        let sets = self.sets.iter().filter(|((kind, _), _)| *kind == 1);
        sets.map(|(_, set)| set.as_slice())
    }

    /// The ids of video, sequence and picture parameter sets.
    pub(super) fn ids(&self) -> [Vec<u32>; 3] {
        [0, 1, 2].map(|wanted| {
            let ids = self.sets.keys().filter(|(kind, _)| *kind == wanted);
            ids.map(|(_, id)| *id).collect()
        })
    }
}
