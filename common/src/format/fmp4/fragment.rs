//! Movie fragments (§8.8): `moof` boxes, and what they say of the samples in the `mdat` behind.

use super::{Boxes, Defaults, Fields, find};

/// How many samples a run may have that has nothing to say of each.
const MOST_EQUAL_SAMPLES: u32 = 1 << 16;

/// One `moof` box.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a>(&'a [u8]);

impl<'a> Fragment<'a> {
    /// The content of a `moof` box.
    pub const fn new(moof: &'a [u8]) -> Self {
        Self(moof)
    }

    /// What there is of each track, in order. One that cannot be read is left out.
    pub fn tracks(self) -> impl Iterator<Item = TrackFragment<'a>> {
        let parts = Boxes::new(self.0).filter(|part| part.kind == *b"traf").enumerate();
        parts.filter_map(|(index, part)| TrackFragment::parse(part.content, index == 0))
    }
}

/// One `traf` box.
#[derive(Clone, Copy, Debug)]
pub struct TrackFragment<'a> {
    /// The track's id.
    pub id: u32,
    /// When its first sample is decoded, in the track's ticks (`tfdt`).
    pub decode_time: Option<u64>,
    /// Whether the places of runs count from the beginning of the `moof` box.
    pub from_fragment: bool,
    duration: Option<u32>,
    size: Option<u32>,
    flags: Option<u32>,
    content: &'a [u8],
}

impl<'a> TrackFragment<'a> {
    fn parse(traf: &'a [u8], is_first: bool) -> Option<Self> {
        let mut header = Fields(find(traf, b"tfhd")?);
        let (_, flags) = header.version_and_flags()?;
        let id = header.u32()?;
        let from_file = flags & 0x1 != 0;
        if from_file {
            header.u64()?;
        }
        let mut optional =
            |mask| if flags & mask == 0 { Some(None) } else { header.u32().map(Some) };
        optional(0x2)?; // sample_description_index
        let (duration, size, sample_flags) = (optional(0x8)?, optional(0x10)?, optional(0x20)?);
        let decode_time = find(traf, b"tfdt").and_then(|tfdt| {
            let mut fields = Fields(tfdt);
            let (version, _) = fields.version_and_flags()?;
            fields.long(version)
        });
        let from_fragment = !from_file && (is_first || flags & 0x2_0000 != 0);
        let (flags, content) = (sample_flags, traf);
        Some(Self { id, decode_time, from_fragment, duration, size, flags, content })
    }

    /// Its runs of samples. One that cannot be read is the last.
    pub fn runs(self, track: Option<Defaults>) -> impl Iterator<Item = Run<'a>> {
        let track = track.unwrap_or_default();
        let defaults = Defaults {
            duration: self.duration.unwrap_or(track.duration),
            size: self.size.unwrap_or(track.size),
            flags: self.flags.unwrap_or(track.flags),
        };
        let parts = Boxes::new(self.content).filter(|part| part.kind == *b"trun");
        parts.map_while(move |part| Run::parse(part.content, defaults))
    }
}

/// One `trun` box: samples whose bytes are one after another.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// Where the first sample begins, from where its [`TrackFragment`] says.
    pub data_offset: Option<i32>,
    flags: u32,
    /// Of samples that have not been given.
    left: u32,
    first_flags: Option<u32>,
    defaults: Defaults,
    fields: Fields<'a>,
}

impl<'a> Run<'a> {
    fn parse(trun: &'a [u8], defaults: Defaults) -> Option<Self> {
        let mut fields = Fields(trun);
        let (_, flags) = fields.version_and_flags()?;
        let count = fields.u32()?;
        let mut optional =
            |mask| if flags & mask == 0 { Some(None) } else { fields.u32().map(Some) };
        let data_offset = optional(0x1)?.map(u32::cast_signed);
        let first_flags = optional(0x4)?;
        let left = if flags & 0xf00 == 0 { count.min(MOST_EQUAL_SAMPLES) } else { count };
        Some(Self { data_offset, flags, left, first_flags, defaults, fields })
    }

    /// How long its samples last together, in the track's ticks. Takes no longer than its bytes are many,
    /// whatever number of samples it claims.
    pub fn duration(self) -> u64 {
        let each = self.defaults.duration;
        self.sum(0x100, each, |sample| sample.duration)
    }

    /// How many bytes its samples take together. Takes no longer than [`Run::duration`].
    pub fn bytes(self) -> u64 {
        let each = self.defaults.size;
        self.sum(0x200, each, |sample| sample.size)
    }

    /// Adds up what samples have of their own, if the flag says so, or else `each` has.
    fn sum(self, flag: u32, each: u32, own: fn(Sample) -> u32) -> u64 {
        let fields = (self.flags & 0xf00).count_ones();
        if self.flags & flag == 0 {
            let room = self.fields.0.len() / 4;
            let most = room.checked_div(fields as usize).and_then(|most| u32::try_from(most).ok());
            let samples = most.map_or(self.left, |most| self.left.min(most));
            return u64::from(samples) * u64::from(each);
        }
        self.map(|sample| u64::from(own(sample))).sum()
    }

    fn own(&mut self, mask: u32, default: u32) -> Option<u32> {
        if self.flags & mask == 0 { Some(default) } else { self.fields.u32() }
    }
}

impl Iterator for Run<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        self.left = self.left.checked_sub(1)?;
        let Defaults { duration, size, flags } = self.defaults;
        let (duration, size) = (self.own(0x100, duration)?, self.own(0x200, size)?);
        let flags = self.own(0x400, flags)?;
        self.own(0x800, 0)?; // sample_composition_time_offset
        // only the first sample's, once
        let flags = self.first_flags.take().unwrap_or(flags);
        Some(Sample { duration, size, flags })
    }
}

/// One sample: usually a picture, or a frame of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// In the track's ticks.
    pub duration: u32,
    /// In bytes.
    pub size: u32,
    /// §8.8.3.1.
    pub flags: u32,
}

impl Sample {
    /// Whether decoding can begin with it, as its flags say.
    pub const fn is_sync(self) -> bool {
        self.flags & 0x1_0000 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: &str, fields: &[u32]) -> Vec<u8> {
        let size = u32::try_from(8 + 4 * fields.len()).unwrap();
        let fields = fields.iter().flat_map(|field| field.to_be_bytes());
        size.to_be_bytes().into_iter().chain(kind.bytes()).chain(fields).collect()
    }

    fn fragment(parts: &[Vec<u8>]) -> Vec<u8> {
        let content = parts.concat();
        let mut moof = part("traf", &[]);
        moof[..4].copy_from_slice(&u32::try_from(8 + content.len()).unwrap().to_be_bytes());
        moof.extend(content);
        moof
    }

    const TRACK: Defaults = Defaults { duration: 100, size: 10, flags: 0x1_0000 };

    #[test]
    fn samples_have_their_own_values_or_those_nearest() {
        let moof = fragment(&[
            // default flags of the fragment, counted from its beginning
            part("tfhd", &[0x2_0020, 7, 0x0200_0000]),
            part("tfdt", &[0x0100_0000, 1, 2]),
            // place, first flags, and of each the duration and the composition offset
            part("trun", &[0x0905, 2, 120, 0, 33, 0xffff_ffff, 34, 5]),
            part("trun", &[0, 1]),
        ]);
        let track = Fragment::new(&moof).tracks().next().unwrap();
        assert_eq!(
            (track.id, track.decode_time, track.from_fragment),
            (7, Some(1 << 32 | 2), true)
        );
        let offsets: Vec<_> = track.runs(Some(TRACK)).map(|run| run.data_offset).collect();
        assert_eq!(offsets, [Some(120), None]);
        let sample = |duration, flags| Sample { duration, size: 10, flags };
        let samples: Vec<_> = track.runs(Some(TRACK)).flatten().collect();
        let own = 0x0200_0000;
        assert_eq!(samples, [sample(33, 0), sample(34, own), sample(100, own)]);
    }

    #[test]
    fn the_tracks_defaults_decide_where_the_fragment_is_silent() {
        let moof = fragment(&[part("tfhd", &[0, 7]), part("trun", &[0x4, 2, 0])]);
        let track = Fragment::new(&moof).tracks().next().unwrap();
        let sync: Vec<_> = track.runs(Some(TRACK)).flatten().map(Sample::is_sync).collect();
        assert_eq!(sync, [true, false]);
        assert!(track.from_fragment, "the first track's");
        let base = fragment(&[part("tfhd", &[1, 7, 0, 99])]);
        assert!(!Fragment::new(&base).tracks().next().unwrap().from_fragment);
        let all = [
            fragment(&[part("tfhd", &[0, 7])]),
            // counted from the end of the one before; from the fragment, as default-base-is-moof says
            fragment(&[part("tfhd", &[0, 8])]),
            fragment(&[part("tfhd", &[0x2_0000, 9])]),
        ];
        let all = all.concat();
        let all: Vec<_> =
            Fragment::new(&all).tracks().map(|track| (track.id, track.from_fragment)).collect();
        assert_eq!(all, [(7, true), (8, false), (9, true)]);
    }

    #[test]
    fn what_stands_before_a_default_is_passed_over() {
        // where data begins, the sample description, then duration, size and flags
        let header = part("tfhd", &[0x3b, 7, 0, 99, 1, 30, 40, 50]);
        let moof = fragment(&[header, part("trun", &[0, 1])]);
        let track = Fragment::new(&moof).tracks().next().unwrap();
        let samples: Vec<_> = track.runs(Some(TRACK)).flatten().collect();
        assert_eq!(samples, [Sample { duration: 30, size: 40, flags: 50 }]);
    }

    #[test]
    fn what_ends_early_is_the_last() {
        let moof = fragment(&[part("tfhd", &[0, 7]), part("trun", &[0x100, 9, 1, 2])]);
        let track = Fragment::new(&moof).tracks().next().unwrap();
        assert_eq!(track.runs(None).flatten().count(), 2);
        let headless = fragment(&[part("tfhd", &[0])]);
        assert_eq!(Fragment::new(&headless).tracks().count(), 0);
    }
}
