//! What an MPEG-TS segment tells.

use super::{StreamInfo, names, rate};
use crate::format::codec::nal::{self, AnnexB, Kind, Sps, Syntax};
use crate::format::codec::{Codec, aac, mpeg_audio};
use crate::format::mpegts::{Packets, PesPackets, Program, TICKS_PER_SECOND, since};

/// No more streams of a program are read, since each goes through the whole segment.
const MOST_STREAMS: usize = 16;

/// Reads `bytes`, which begin with a packet.
pub(super) fn read(bytes: &[u8]) -> StreamInfo {
    let mut info = StreamInfo::default();
    let Some(program) = Program::find(&mut Packets::new(bytes)) else { return info };
    let (mut videos, mut sounds) = (Vec::new(), Vec::new());
    for stream in program.streams().take(MOST_STREAMS) {
        let codec = stream.codec();
        let units = PesPackets::new(Packets::new(bytes), stream.pid, usize::MAX);
        match Syntax::of(codec) {
            Some(syntax) => {
                let video = Video::read(syntax, units);
                info.resolution = info.resolution.or(video.sps.map(Sps::resolution));
                info.frame_rate = info.frame_rate.or_else(|| video.frame_rate());
                videos.push(video.sps.map(name));
            }
            None if codec == Codec::Unknown => sounds.push(None),
            None if codec.is_audio() => name_sound(&mut sounds, codec, units),
            None => {}
        }
    }
    if program.streams().nth(MOST_STREAMS).is_some() {
        sounds.push(None);
    }
    info.name_codecs(videos, sounds);
    info
}

/// Adds the name of a stream's codec, or that it has none; nothing at all if the stream has nothing in this
/// segment, so that a player that was told of it would wait in vain.
fn name_sound(names: &mut Vec<Option<String>>, codec: Codec, mut units: PesPackets<'_>) {
    let mut seen = false;
    while let Some(part) = units.advance() {
        seen = true;
        let name = match codec {
            Codec::Aac => aac::adts_object_type(part.payload).map(names::mpeg4_audio),
            Codec::Mp3 => mpeg_audio::layer(part.payload)
                .map(|layer| names::mpeg4_audio(mpeg_audio::object_type(layer))),
            _ => names::plain(codec).map(str::to_owned),
        };
        if part.header.is_some() && name.is_some() {
            return names.push(name);
        }
    }
    if seen {
        names.push(None);
    }
}

/// What a video stream's pictures tell.
struct Video {
    /// The first sequence parameter set.
    sps: Option<Sps>,
    /// Presentation times, in ticks after the first.
    times: Vec<i64>,
    /// How many there are, in halves of a frame.
    half_frames: usize,
}

impl Video {
    fn read(syntax: Syntax, mut units: PesPackets<'_>) -> Self {
        let mut video = Self { sps: None, times: Vec::new(), half_frames: 0 };
        let mut first = None;
        while let Some(part) = units.advance() {
            if let Some(time) = part.header.and_then(|header| header.pts) {
                video.times.push(since(time, *first.get_or_insert(time)));
            }
            for unit in AnnexB::new(part.payload) {
                video.take(syntax, unit);
            }
        }
        video.times.sort_unstable();
        video
    }

    fn take(&mut self, syntax: Syntax, unit: &[u8]) {
        if self.sps.is_none() && syntax.kind(unit) == Some(Kind::Sps) {
            self.sps = Sps::parse(syntax, unit);
        }
        self.half_frames += nal::half_frames(syntax, self.sps, unit);
    }

    /// From the times or, where these are too few, as the stream states it.
    fn frame_rate(&self) -> Option<f64> {
        let durations = self.times.windows(2).map(|pair| pair[0].abs_diff(pair[1])).collect();
        match rate::from_durations(durations, TICKS_PER_SECOND) {
            Some(rate) => Some(rate * self.frames_in_a_time()),
            None => self.sps.and_then(Sps::frame_rate),
        }
    }

    /// One nearly always; a half, where each field has a time; more, where not every frame has one.
    fn frames_in_a_time(&self) -> f64 {
        let times = 2 * self.times.len();
        if self.half_frames * 4 < times * 3 {
            return 0.5;
        }
        let whole = (self.half_frames + times / 2) / times.max(1);
        u32::try_from(whole).map_or(1.0, f64::from)
    }
}

/// What players are asked about: as in MP4, where the parameter sets are put into the sample entry.
fn name(sps: Sps) -> String {
    match sps {
        Sps::H264(sps) => names::h264("avc1", &sps),
        Sps::Hevc(sps) => names::hevc("hvc1", sps.profile),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(times: Vec<i64>, half_frames: usize) -> Option<f64> {
        Video { sps: None, times, half_frames }.frame_rate()
    }

    #[test]
    fn two_fields_are_a_frame_however_they_are_packed() {
        let every = |ticks: i64| (0..50).map(|n| n * ticks).collect::<Vec<_>>();
        // fields with a time each, frames or pairs of fields with one, two frames with one
        assert_eq!(rate(every(1800), 50), Some(25.0));
        assert_eq!(rate(every(1800), 100), Some(50.0));
        assert_eq!(rate(every(3600), 200), Some(50.0));
        // a slice or two that could not be read do not count
        assert_eq!(rate(every(1800), 98), Some(50.0));
        assert_eq!(rate(vec![0], 2), None);
    }
}
