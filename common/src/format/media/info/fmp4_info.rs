//! What a segment of fragmented MP4 tells.

use super::{StreamInfo, names, rate};
use crate::format::codec::nal::{Kind, Syntax};
use crate::format::codec::{Codec, h264, hevc};
use crate::format::fmp4::{self, Boxes, Fragment, Movie, Track};
use crate::format::hls::Resolution;

/// No more samples of a track are looked at: the duration of a frame is known by then.
const MOST_SAMPLES: usize = 100_000;

/// Reads `bytes`, which begin with a box.
pub(super) fn read(bytes: &[u8]) -> StreamInfo {
    let mut info = StreamInfo::default();
    let Some(moov) = fmp4::find(bytes, b"moov") else { return info };
    let movie = Movie::parse(moov);
    let (mut videos, mut sounds) = (Vec::new(), Vec::new());
    for track in &movie.tracks {
        let codec = track.entry.codec();
        if codec.is_video() {
            let sps = sequence_parameter_set(track);
            info.resolution = info.resolution.or_else(|| resolution(track, sps));
            info.frame_rate = info.frame_rate.or_else(|| frame_rate(bytes, track));
            videos.push(names::of_entry(&track.entry, sps));
        } else if codec != Codec::Data {
            sounds.push(names::of_entry(&track.entry, None));
        }
    }
    if movie.damaged {
        sounds.push(None);
    }
    info.name_codecs(videos, sounds);
    info
}

fn sequence_parameter_set<'a>(track: &Track<'a>) -> Option<&'a [u8]> {
    let syntax = Syntax::of(track.entry.codec())?;
    let (sets, _) = track.entry.parameter_sets()?;
    sets.into_iter().find(|set| syntax.kind(set) == Some(Kind::Sps))
}

/// From the parameter set, which says what is cut off, or else from the sample entry.
fn resolution(track: &Track<'_>, sps: Option<&[u8]>) -> Option<Resolution> {
    let stated = || {
        let (width, height) = track.entry.size()?;
        Some(Resolution { width: width.into(), height: height.into() })
    };
    let coded = match track.entry.codec() {
        Codec::H264 => sps.and_then(h264::Sps::parse).map(|sps| sps.resolution),
        Codec::Hevc => sps.and_then(hevc::Sps::parse).map(|sps| sps.resolution),
        _ => None,
    };
    coded.or_else(stated)
}

fn frame_rate(bytes: &[u8], track: &Track<'_>) -> Option<f64> {
    let fragments = Boxes::new(bytes).filter(|part| part.kind == *b"moof");
    let fragments = fragments.flat_map(|part| Fragment::new(part.content).tracks());
    let runs = fragments
        .filter(|fragment| fragment.id == track.id)
        .flat_map(|fragment| fragment.runs(track.defaults));
    let durations = runs.flatten().take(MOST_SAMPLES).map(|sample| u64::from(sample.duration));
    rate::from_durations(durations.collect(), track.timescale)
}
