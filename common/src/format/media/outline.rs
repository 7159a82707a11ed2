//! What a transport stream consists of and from when to when it goes, told without looking at all of it.

use thiserror::Error;

use crate::format::codec::Codec;
use crate::format::codec::nal::{AnnexB, Kind, Sps, Syntax};
use crate::format::hls::Resolution;
use crate::format::mpegts::{PACKET_BYTES, Packet, Packets, PesHeader, PesPackets, Tables};

/// The streams of a segment, and the ends of its clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// What describes the streams.
    pub tables: Tables,
    /// The streams.
    pub streams: Streams,
    /// When its first picture is decoded, 33 bits of 90 kHz.
    pub first_dts: u64,
    /// When its first picture is shown: the first one in the stream.
    pub first_pts: u64,
    /// When its last picture is decoded.
    pub last_dts: u64,
    /// What its pictures are like, if it begins with what tells that.
    pub shape: Option<Shape>,
}

/// What pictures must have in common to be shown as one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What is shown of them, before any stretching.
    pub resolution: Resolution,
    /// The profile that decoders need, as the codec counts.
    pub profile: u8,
}

/// The streams of a program that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streams {
    /// The first one of pictures.
    pub video: Video,
    /// Those of sound.
    pub sounds: Vec<(u16, Codec)>,
    /// Where the clock references are.
    pub clock_pid: u16,
    /// Where the map of the program is.
    pub map_pid: u16,
}

/// A stream of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Video {
    /// Of its packets.
    pub pid: u16,
    /// Its `stream_type`.
    pub kind: u8,
    /// How it is coded.
    pub syntax: Syntax,
}

/// Why something is no stream whose pictures could be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsuited {
    /// There are no tables, or no packets at all.
    #[error("it is no MPEG transport stream")]
    NoTables,
    /// No stream has pictures.
    #[error("it has no video")]
    NoVideo,
    /// Its pictures are coded in another way.
    #[error("its video is neither H.264 nor HEVC")]
    Codec,
    /// No picture has a time.
    #[error("none of its pictures tells when it is shown")]
    NoTimes,
}

impl Outline {
    /// Reads whole packets.
    ///
    /// # Errors
    ///
    /// When they are nothing that is understood.
    pub fn read(packets: &[u8]) -> Result<Self, Unsuited> {
        let tables = Tables::find(&mut Packets::new(packets)).ok_or(Unsuited::NoTables)?;
        let streams = Streams::of(&tables)?;
        let pid = streams.video.pid;
        let first = Packets::new(packets).find_map(|packet| stamped(packet, pid));
        let first = first.ok_or(Unsuited::NoTimes)?;
        let last = last_header(packets, pid).unwrap_or(first);
        let first_pts = first.pts.ok_or(Unsuited::NoTimes)?;
        let dts = |header: PesHeader| header.decode_time().unwrap_or(first_pts);
        let shape = Shape::of_first(packets, streams.video);
        Ok(Self { tables, streams, first_dts: dts(first), first_pts, last_dts: dts(last), shape })
    }

    /// Whether pictures of `other` are like those here, as far as both tell.
    pub fn is_like(&self, other: &Self) -> bool {
        self.streams == other.streams
            && self.shape.zip(other.shape).is_none_or(|(own, other)| own == other)
    }
}

impl Shape {
    /// That of the first picture in `packets`.
    fn of_first(packets: &[u8], video: Video) -> Option<Self> {
        /// Parameter sets stand in front of the picture.
        const FEW: usize = 4096;
        let mut units = PesPackets::new(Packets::new(packets), video.pid, FEW);
        let mut part = units.advance()?;
        if part.header.is_none() {
            part = units.advance()?;
        }
        let mut sets =
            AnnexB::new(part.payload).filter(|unit| video.syntax.kind(unit) == Some(Kind::Sps));
        let sps = Sps::parse(video.syntax, sets.next()?)?;
        let profile = match sps {
            Sps::H264(sps) => sps.profile_level[0],
            Sps::Hevc(sps) => sps.profile.0[0],
        };
        Some(Self { resolution: sps.resolution(), profile })
    }
}

impl Streams {
    fn of(tables: &Tables) -> Result<Self, Unsuited> {
        let program = tables.program();
        let video = program.streams().find(|stream| stream.codec().is_video());
        let video = video.ok_or(Unsuited::NoVideo)?;
        let syntax = Syntax::of(video.codec()).ok_or(Unsuited::Codec)?;
        let sounds = program.streams().filter(|stream| stream.codec().is_audio());
        Ok(Self {
            video: Video { pid: video.pid, kind: video.kind, syntax },
            sounds: sounds.map(|stream| (stream.pid, stream.codec())).collect(),
            clock_pid: program.clock_pid(),
            map_pid: tables.map_pid(),
        })
    }
}

/// The header of the PES packet that begins in `packet`, if it is of `pid` and has a time.
fn stamped(packet: Packet<'_>, pid: u16) -> Option<PesHeader> {
    let is_one = packet.pid() == pid && packet.starts_unit() && !packet.unusable();
    let header = is_one.then(|| PesHeader::parse(packet.payload())).flatten();
    header.filter(|header| header.pts.is_some())
}

/// The last header on `pid`. Where packets are not in step at the end, all are looked at.
fn last_header(packets: &[u8], pid: u16) -> Option<PesHeader> {
    let (_, in_step) = packets.as_rchunks::<PACKET_BYTES>();
    let last = in_step.iter().rev().map_while(Packet::new).find_map(|packet| stamped(packet, pid));
    last.or_else(|| Packets::new(packets).filter_map(|packet| stamped(packet, pid)).last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_sample_are_told() {
        let sample = include_bytes!("../../../testdata/media/h264-cropped-2997.ts");
        let outline = Outline::read(sample).unwrap();
        let video = Video { pid: 0x100, kind: 0x1b, syntax: Syntax::H264 };
        assert_eq!(
            outline.streams,
            Streams { video, sounds: vec![], clock_pid: 0x100, map_pid: 0x1000 }
        );
        let pictures = crate::format::media::pictures(sample, 0x100, Syntax::H264).pictures;
        let (first, last) = (pictures[0], pictures[pictures.len() - 1]);
        assert_eq!((outline.first_dts, outline.first_pts), (first.dts, first.pts));
        assert_eq!(outline.last_dts, last.dts);
        let resolution = Resolution { width: 322, height: 182 };
        assert_eq!(outline.shape, Some(Shape { resolution, profile: 100 }));
        let mid = include_bytes!("../../../testdata/media/h264-mid-gop.ts");
        assert_eq!(Outline::read(mid).unwrap().shape, None);
        // also where the end is no whole packet
        let cut = Outline::read(&sample[..sample.len() - 1]).unwrap();
        assert_eq!(cut.last_dts, last.dts);
    }

    #[test]
    fn what_is_no_such_stream_is_told_why() {
        let aac = include_bytes!("../../../testdata/media/aac.ts");
        let mp4 = include_bytes!("../../../testdata/media/h264-aac.mp4");
        assert_eq!(Outline::read(aac), Err(Unsuited::NoVideo));
        assert_eq!(Outline::read(mp4), Err(Unsuited::NoTables));
        assert_eq!(Outline::read(&[]), Err(Unsuited::NoTables));
        let mut tables = Vec::new();
        Tables::of_stream(0x1b, 0x100).write(&mut tables);
        assert_eq!(Outline::read(&tables), Err(Unsuited::NoTimes));
    }
}
