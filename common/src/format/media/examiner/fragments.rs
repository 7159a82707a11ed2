//! How much media the fragments of an MP4 segment hold, and of which format it is.

use super::format::{Format, Packing, Picture};
use super::time::{Measured, MediaTime};
use crate::format::codec::Codec;
use crate::format::fmp4::{Defaults, Fragment, Movie, Run};
use crate::format::media::info::picture_size;

/// A larger `moov` or `moof` box is not kept, and how much media there is stays unknown then.
const MOST_BOX_BYTES: usize = 1 << 20;

/// Reads the boxes of a segment, given as they come: of each the beginning, its content in pieces, and
/// the end.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    kind: [u8; 4],
    /// The content of a `moov` or `moof` box, as far as it has come.
    kept: Vec<u8>,
    tracks: Vec<Track>,
    format: Option<Format>,
    /// Bytes of the box that have come.
    come: u64,
    /// Bytes of the samples that are announced, but have not come.
    needed: u64,
    /// Whether a `moov` box with a track has come, or one that is too large to be read.
    described: bool,
    /// Whether some of it was too large to be kept.
    incomplete: bool,
}

/// A track of video or sound.
#[derive(Debug)]
struct Track {
    id: u32,
    timescale: u32,
    is_video: bool,
    defaults: Option<Defaults>,
    /// Of the first fragment, in ticks.
    first: Option<u64>,
    /// In ticks, of all fragments whose bytes are there.
    ticks: u64,
    /// In ticks, of fragments that are announced, but whose bytes have not all come.
    announced: u64,
}

impl Fragments {
    /// What the initialization section has told, without any media.
    pub(super) fn into_description(mut self) -> Self {
        for track in &mut self.tracks {
            (track.first, track.ticks, track.announced) = (None, 0, 0);
        }
        Self { tracks: self.tracks, format: self.format, ..Self::default() }
    }

    pub(super) fn is_described(&self) -> bool {
        self.described
    }

    pub(super) fn begin(&mut self, kind: [u8; 4]) {
        self.kind = kind;
        self.kept.clear();
        self.come = 0;
    }

    pub(super) fn content(&mut self, bytes: &[u8]) {
        self.come = self.come.saturating_add(bytes.len() as u64);
        if self.is_read() {
            let room = (MOST_BOX_BYTES + 1).saturating_sub(self.kept.len());
            self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    fn is_read(&self) -> bool {
        matches!(&self.kind, b"moov" | b"moof")
    }

    pub(super) fn end(&mut self) {
        let kept = std::mem::take(&mut self.kept);
        match &self.kind {
            b"moov" | b"moof" if kept.len() > MOST_BOX_BYTES => {
                self.incomplete = true;
                self.described |= self.kind == *b"moov";
            }
            // nothing is in it
            b"moov" | b"moof" if kept.is_empty() => {}
            b"moov" => self.describe(&Movie::parse(&kept)),
            b"moof" => self.announce(Fragment::new(&kept)),
            // media is there once its bytes are
            b"mdat" => {
                self.needed = 0;
                for track in &mut self.tracks {
                    track.ticks = track.ticks.saturating_add(std::mem::take(&mut track.announced));
                }
            }
            _ => {}
        }
        self.kept = kept;
    }

    /// Ends a box that is open to the end; returns whether all that was announced of it has come. Only
    /// media may be so: of anything else nothing is read.
    pub(super) fn end_open(&mut self) -> bool {
        let is_media = self.kind == *b"mdat";
        let is_whole = !is_media || self.come >= self.needed;
        if is_media && is_whole {
            self.end();
        }
        is_whole
    }

    /// Takes note of the tracks of an initialization section.
    fn describe(&mut self, movie: &Movie<'_>) {
        self.described |= !movie.tracks.is_empty();
        let codecs = movie.tracks.iter().map(|track| track.entry.codec());
        let audio = codecs.filter(|codec| codec.is_audio()).collect();
        let video = movie.tracks.iter().find(|track| track.entry.codec().is_video());
        let format = match video {
            None => Some(Format { packing: Packing::Fmp4, video: None, audio }),
            Some(track) => picture_size(track).map(|size| {
                let video = Some(Picture { codec: track.entry.codec(), size });
                Format { packing: Packing::Fmp4, video, audio }
            }),
        };
        // what it begins with
        self.format = self.format.take().or(format);
        self.tracks.clear();
        self.tracks.extend(movie.tracks.iter().filter_map(|track| {
            let is_video = match track.entry.codec() {
                Codec::Data | Codec::Unknown => return None,
                codec => codec.is_video(),
            };
            let (id, timescale, defaults) = (track.id, track.timescale, track.defaults);
            Some(Track { id, timescale, is_video, defaults, first: None, ticks: 0, announced: 0 })
        }));
    }

    /// Adds up what a fragment says of its samples: how long each is decoded, since edit lists and the
    /// order of presentation change nothing about how long all of them last.
    fn announce(&mut self, fragment: Fragment<'_>) {
        for part in fragment.tracks() {
            let track = self.tracks.iter_mut().find(|track| track.id == part.id);
            let defaults = track.as_ref().and_then(|track| track.defaults);
            let sizes = part.runs(defaults).map(Run::bytes);
            self.needed = sizes.fold(self.needed, u64::saturating_add);
            let Some(track) = track else { continue };
            track.first = track.first.or(part.decode_time);
            for run in part.runs(track.defaults) {
                track.announced = track.announced.saturating_add(run.duration());
            }
        }
    }

    pub(super) fn media_time(&self) -> Option<MediaTime> {
        let longest = |is_video| {
            let of_kind = self.tracks.iter().filter(|track| track.is_video == is_video);
            let with_media = of_kind.filter(|track| track.ticks > 0 && !self.incomplete);
            with_media.max_by_key(|track| track.micros(track.ticks))
        };
        let (video, audio) = (longest(true), longest(false));
        let first = |track: &Track| track.first.map(|first| track.micros(first));
        let lag = video
            .and_then(first)
            .zip(audio.and_then(first))
            .and_then(|(video, audio)| i64::try_from(audio).ok()?.checked_sub_unsigned(video));
        let measured =
            |track: &Track| Measured { micros: track.micros(track.ticks), doubt: 0, step: 0 };
        let told = MediaTime::new(video.map(measured), audio.map(measured), lag);
        told.or_else(|| self.nothing())
    }

    /// No time at all, where tracks are announced whose fragments have not come: so a segment looks of
    /// which hardly anything came. `None` where it cannot be told.
    fn nothing(&self) -> Option<MediaTime> {
        let announces = |is_video| {
            let mut of_kind = self.tracks.iter().filter(|track| track.is_video == is_video);
            of_kind.any(|track| track.defaults.is_some()).then_some(Measured {
                micros: 0,
                doubt: 0,
                step: 0,
            })
        };
        if self.incomplete { None } else { MediaTime::new(announces(true), announces(false), None) }
    }

    pub(super) fn format(&self) -> Option<Format> {
        self.format.clone()
    }
}

impl Track {
    fn micros(&self, ticks: u64) -> u64 {
        let micros = u128::from(ticks) * 1_000_000 / u128::from(self.timescale);
        u64::try_from(micros).unwrap_or(u64::MAX)
    }
}
