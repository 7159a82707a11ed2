//! A transport stream: whether its packets are in step, and the clocks of its streams.

use super::Finding;
use super::clock::Clock;
use super::format::{Format, Packing, Picture};
use super::picture::PictureSearch;
use super::tables::Tables;
use super::time::{Measured, MediaTime};
use crate::format::codec::Codec;
use crate::format::codec::nal::Syntax;
use crate::format::mpegts::{PACKET_BYTES, Packet, PesHeader, SYNC, since};

/// The streams of more PIDs are not looked at.
const MOST_STREAMS: usize = 16;

/// Goes through the packets as they come.
#[derive(Debug)]
pub(super) struct Transport {
    /// How many were in step.
    packets: u64,
    broken: bool,
    /// The packet that is split over two pieces or more, as far as it has come.
    split: Vec<u8>,
    tables: Tables,
    streams: Vec<Stream>,
    /// Which of `streams` the last packet belonged to: nearly always the next does as well.
    recent: usize,
    search: Option<PictureSearch>,
    /// Whether there are packets that may be of video or sound, and that could not be read.
    has_unread: bool,
}

impl Transport {
    pub(super) const fn new(tables: Tables) -> Self {
        Self {
            packets: 0,
            broken: false,
            split: Vec::new(),
            tables,
            streams: Vec::new(),
            recent: 0,
            search: None,
            has_unread: false,
        }
    }

    pub(super) fn into_tables(self) -> Tables {
        self.tables
    }

    /// Whether a table has named a stream.
    pub(super) fn has_tables(&self) -> bool {
        !self.tables.first().is_empty()
    }

    /// Looks at the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        if !self.split.is_empty() {
            let missing = PACKET_BYTES - self.split.len();
            let (head, rest) = bytes.split_at(missing.min(bytes.len()));
            self.split.extend_from_slice(head);
            bytes = rest;
            let mut split = std::mem::take(&mut self.split);
            if let Some(packet) = split.first_chunk() {
                self.packet(packet);
                split.clear();
            }
            self.split = split;
        }
        let (packets, rest) = bytes.as_chunks();
        for packet in packets {
            self.packet(packet);
        }
        if rest.first().is_some_and(|first| *first != SYNC) {
            self.broken = true;
        } else {
            self.split.extend_from_slice(rest);
        }
    }

    fn packet(&mut self, bytes: &[u8; PACKET_BYTES]) {
        match Packet::new(bytes) {
            Some(packet) if !self.broken => {
                self.packets += 1;
                self.take(packet);
            }
            _ => self.broken = true,
        }
    }

    fn take(&mut self, packet: Packet<'_>) {
        let pid = packet.pid();
        let Some(stream) = self.stream(packet) else {
            self.has_unread |= packet.unusable() || begins_stream(packet);
            return self.tables.take(packet);
        };
        stream.take(packet);
        if packet.starts_unit() && self.search.is_none() {
            self.search = self.picture_search();
        }
        if let Some(search) = &mut self.search
            && search.pid == pid
            && search.size.is_none()
        {
            search.take(packet);
        }
    }

    /// The stream that `packet` belongs to. One is known from its first PES packet on, before any table
    /// names it: tables may come late.
    fn stream(&mut self, packet: Packet<'_>) -> Option<&mut Stream> {
        let pid = packet.pid();
        let is_recent = self.streams.get(self.recent).is_some_and(|stream| stream.pid == pid);
        if !is_recent {
            let known = self.streams.iter().position(|stream| stream.pid == pid);
            self.recent = match known {
                Some(index) => index,
                None if self.streams.len() < MOST_STREAMS && begins_stream(packet) => {
                    self.streams.push(Stream::new(pid));
                    self.streams.len() - 1
                }
                None => return None,
            };
        }
        self.streams.get_mut(self.recent)
    }

    /// What to look for in the first video stream.
    fn picture_search(&self) -> Option<PictureSearch> {
        let video = self.tables.first().iter().find(|(_, codec)| codec.is_video());
        let (pid, codec) = *video?;
        Some(PictureSearch::new(pid, Syntax::of(codec)?))
    }

    pub(super) fn finding(&self) -> Finding {
        if self.broken {
            Finding::Broken { at: self.packets * PACKET_BYTES as u64 }
        } else if self.split.is_empty() {
            Finding::Sound
        } else {
            Finding::Torn
        }
    }

    /// Of each kind, the longest stream tells how much there is.
    pub(super) fn media_time(&self) -> Option<MediaTime> {
        let video = self.longest(Codec::is_video, Stream::pictures);
        let audio = self.longest(Codec::is_audio, Stream::sound);
        let lag = video.zip(audio).map(|((_, video), (_, audio))| since(audio, video) * 100 / 9);
        let told = MediaTime::new(video.map(|video| video.0), audio.map(|audio| audio.0), lag);
        told.or_else(|| self.nothing_or_one())
    }

    /// What the longest stream of a kind measures, and when it begins.
    fn longest(
        &self,
        is_of_kind: fn(Codec) -> bool,
        measure: fn(&Stream) -> Option<Measured>,
    ) -> Option<(Measured, u64)> {
        let is_of_kind = |stream: &&Stream| self.tables.codec(stream.pid).is_some_and(is_of_kind);
        let of_kind = self.streams.iter().filter(is_of_kind);
        let measured = of_kind.filter_map(|stream| Some((measure(stream)?, stream.clock.first?)));
        measured.max_by_key(|(measured, _)| measured.micros)
    }

    /// No time at all, where pictures or sound are announced and no stream has more than one time
    /// stamp: so a segment looks of which hardly anything came. `None` where it cannot be told.
    fn nothing_or_one(&self) -> Option<MediaTime> {
        let announces = |is_of_kind: fn(Codec) -> bool| {
            let announced = self.tables.first().iter().any(|(_, codec)| is_of_kind(*codec));
            announced.then_some(Measured { micros: 0, doubt: 0, step: 0 })
        };
        let (video, audio) = (announces(Codec::is_video), announces(Codec::is_audio));
        let untold = |stream: &Stream| {
            let is_media = self.tables.codec(stream.pid).is_none_or(|codec| codec != Codec::Data);
            is_media && stream.clock.first.is_none()
        };
        let is_untold = self.has_unread || self.streams.iter().any(untold);
        if is_untold { None } else { MediaTime::new(video, audio, None) }
    }

    pub(super) fn format(&self) -> Option<Format> {
        let streams = self.tables.first();
        let codecs = streams.iter().map(|(_, codec)| *codec);
        let audio = codecs.clone().filter(|codec| codec.is_audio()).collect();
        let video = match codecs.clone().find(|codec| codec.is_video()) {
            None => None,
            Some(codec) => Some(Picture { codec, size: self.search.as_ref()?.size? }),
        };
        (!streams.is_empty()).then_some(Format { packing: Packing::MpegTs, video, audio })
    }
}

/// The PES packets of one PID.
#[derive(Debug)]
struct Stream {
    pid: u16,
    clock: Clock,
    /// The PES header that is split over packets, as far as it has come.
    header: Vec<u8>,
    /// Of the PES packet that had the last time stamp, and of those before it.
    bytes: u64,
    earlier_bytes: u64,
}

impl Stream {
    fn new(pid: u16) -> Self {
        let (clock, header) = (Clock::default(), Vec::new());
        Self { pid, clock, header, bytes: 0, earlier_bytes: 0 }
    }

    fn take(&mut self, packet: Packet<'_>) {
        let payload = packet.payload();
        if packet.unusable() {
            self.header.clear();
        } else if packet.starts_unit() {
            self.header.clear();
            if is_whole(payload) {
                self.stamp(payload);
            } else {
                self.header.extend_from_slice(payload);
            }
        } else if !self.header.is_empty() {
            self.header.extend_from_slice(payload);
            if is_whole(&self.header) {
                let header = std::mem::take(&mut self.header);
                self.stamp(&header);
            }
        }
        self.bytes += payload.len() as u64;
    }

    /// Takes the time stamp of the PES packet that `bytes` begin, if it has one.
    fn stamp(&mut self, bytes: &[u8]) {
        let Some(header) = PesHeader::parse(bytes) else { return };
        let Some(time) = header.decode_time() else { return };
        // what comes before the first has no time
        if self.clock.first.is_some() {
            self.earlier_bytes += self.bytes;
        }
        self.bytes = 0;
        self.clock.take(time, header.pts.unwrap_or(time));
    }

    fn pictures(&self) -> Option<Measured> {
        let (ticks, doubt) = self.clock.pictures()?;
        let step = self.clock.usual_step()?;
        Some(Measured { micros: micros(ticks), doubt: micros(doubt), step: micros(step) })
    }

    fn sound(&self) -> Option<Measured> {
        let ticks = self.clock.sound(self.bytes, self.earlier_bytes)?;
        Some(Measured { micros: micros(ticks), doubt: 0, step: 0 })
    }
}

/// Whether a PES packet begins in `packet`.
fn begins_stream(packet: Packet<'_>) -> bool {
    packet.starts_unit() && !packet.unusable() && packet.payload().starts_with(&[0, 0, 1])
}

/// Whether a PES header ends in `bytes`, or they begin none.
fn is_whole(bytes: &[u8]) -> bool {
    const FIXED: usize = 9;
    let start = bytes.len().min(3);
    let length = bytes.get(FIXED - 1).map(|length| FIXED + usize::from(*length));
    bytes[..start] != [0, 0, 1][..start] || length.is_some_and(|length| bytes.len() >= length)
}

fn micros(ticks: u64) -> u64 {
    u64::try_from(u128::from(ticks) * 100 / 9).unwrap_or(u64::MAX)
}
