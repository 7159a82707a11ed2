//! What a segment of fragmented MP4 tells.

use super::{StreamInfo, names, rate};
use crate::format::codec::Codec;
use crate::format::codec::nal::{Kind, Sps, Syntax};
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
            info.resolution = info.resolution.or_else(|| picture_size(track));
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

/// The size of a video track's pictures: from the parameter set, which says what is cut off, or else from
/// the sample entry.
pub(in crate::format::media) fn picture_size(track: &Track<'_>) -> Option<Resolution> {
    let syntax = Syntax::of(track.entry.codec());
    let coded = syntax.and_then(|syntax| Sps::parse(syntax, sequence_parameter_set(track)?));
    coded.map(Sps::resolution).or_else(|| {
        let (width, height) = track.entry.size()?;
        Some(Resolution { width: width.into(), height: height.into() })
    })
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
