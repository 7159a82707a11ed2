//! The head of a segment of fragmented MP4.

use super::{Container, Found, Head, Missing};
use crate::base::hash::Hasher;
use crate::format::codec::Codec;
use crate::format::codec::nal::{Kind, LengthPrefixed, Syntax};
use crate::format::codec::opening::Opening;
use crate::format::fmp4::{self, Boxes, Fragment, Movie, Mp4Box, Track, TrackFragment};
use crate::format::media::first_64_bits;
use crate::format::mpegts::TICKS_PER_SECOND;

/// Reads `bytes`, which begin with a box.
pub(super) fn read(bytes: &[u8]) -> Found {
    let unknown = Head::only(Container::Unknown);
    let mut boxes = Boxes::new(bytes);
    let mut movie = None;
    for part in boxes.by_ref() {
        if fmp4::is_media_part(part.kind) {
            return match (u32::try_from(part.start), part.kind) {
                // media that is not in a fragment
                (_, kind) if kind == *b"mdat" => Found { so_far: unknown, missing: None },
                (Err(_), _) => Found { so_far: unknown, missing: None },
                (Ok(init_bytes), _) => Media { bytes, init_bytes, movie }.read(),
            };
        }
        if !part.is_whole(bytes.len()) {
            return Found { so_far: unknown, missing: Some(Missing::UpTo(part.end)) };
        }
        if part.kind == *b"moov" {
            movie = Some(Movie::parse(part.content));
        }
    }
    Found { so_far: unknown, missing: Some(Missing::Some) }
}

/// What is behind the initialization section, and what that says.
struct Media<'a> {
    bytes: &'a [u8],
    init_bytes: u32,
    movie: Option<Movie<'a>>,
}

impl Media<'_> {
    fn read(self) -> Found {
        let mut so_far = Head::only(Container::Fmp4 { init_bytes: self.init_bytes });
        let Some(movie) = &self.movie else { return Found { so_far, missing: None } };
        so_far.format = Some(self.format());
        let Some(track) = leading(movie) else { return Found { so_far, missing: None } };
        for part in Boxes::new(self.bytes).filter(|part| part.start >= self.init_bytes as usize) {
            if !part.is_whole(self.bytes.len()) {
                return Found { so_far, missing: Some(Missing::UpTo(part.end)) };
            }
            if let Some(fragment) = find(part, track) {
                so_far.decode_time = fragment.decode_time.map(|ticks| in_90_khz(ticks, track));
                let clean = self.is_clean(part.start, fragment, track);
                so_far.independent = clean.unwrap_or(false) && is_understood(movie);
                return Found { so_far, missing: clean.is_none().then_some(Missing::Some) };
            }
        }
        Found { so_far, missing: Some(Missing::Some) }
    }

    fn format(&self) -> u64 {
        let mut hasher = Hasher::default();
        hasher.update(&self.bytes[..self.init_bytes as usize]);
        first_64_bits(hasher)
    }

    /// Whether decoding can begin with the first sample of `found`; `None` if there is too little of it.
    fn is_clean(
        &self,
        fragment: usize,
        found: TrackFragment<'_>,
        track: &Track<'_>,
    ) -> Option<bool> {
        let Some(mut run) = found.runs(track.defaults).next() else { return Some(false) };
        let Some(first) = run.next().filter(|first| first.is_sync()) else { return Some(false) };
        let codec = track.entry.codec();
        let Some(syntax) = Syntax::of(codec) else {
            // frames of MP3 may take bits from those before
            return Some(!matches!(codec, Codec::Mp3 | Codec::AacLatm));
        };
        let start = run.data_offset.filter(|_| found.from_fragment);
        let start = start.and_then(|offset| fragment.checked_add_signed(offset as isize));
        let (Some(start), Some((sets, length_bytes))) = (start, track.entry.parameter_sets())
        else {
            return Some(false);
        };
        let mut opening = Opening::new(syntax);
        for set in sets {
            opening.take(set);
        }
        let rest = self.bytes.get(start..)?;
        let sample = &rest[..rest.len().min(first.size as usize)];
        for unit in LengthPrefixed::new(sample, length_bytes) {
            if let Some(Kind::Slice | Kind::Clean) = opening.take(unit) {
                return opening.is_clean(unit);
            }
        }
        (sample.len() == first.size as usize).then_some(false)
    }
}

/// The samples of `track` in `part`, if it is a fragment with any.
fn find<'a>(part: Mp4Box<'a>, track: &Track<'_>) -> Option<TrackFragment<'a>> {
    let has_samples =
        |found: &TrackFragment<'_>| found.runs(track.defaults).flatten().next().is_some();
    let fragment = (part.kind == *b"moof").then(|| Fragment::new(part.content))?;
    fragment.tracks().find(|found| found.id == track.id && has_samples(found))
}

/// The track that a player begins with.
fn leading<'a, 'b>(movie: &'b Movie<'a>) -> Option<&'b Track<'a>> {
    let mut tracks = movie.tracks.iter();
    let video = tracks.clone().find(|track| track.entry.codec().is_video());
    video.or_else(|| tracks.find(|track| track.entry.codec().is_audio()))
}

/// Whether every track is of a known kind, and one at most is video.
fn is_understood(movie: &Movie<'_>) -> bool {
    let codecs = || movie.tracks.iter().map(|track| track.entry.codec());
    let videos = codecs().filter(|codec| codec.is_video()).count();
    !movie.damaged && videos <= 1 && !codecs().any(|codec| codec == Codec::Unknown)
}

fn in_90_khz(ticks: u64, track: &Track<'_>) -> u64 {
    let scaled = u128::from(ticks) * u128::from(TICKS_PER_SECOND) / u128::from(track.timescale);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
