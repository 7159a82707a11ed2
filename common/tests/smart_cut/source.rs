//! Streams whose pictures can be told apart, and whose sound is different at every instant.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use common::base::time::{Hour, TimeRange, Timestamp};
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::{Access, Feed, Store};
use rand::RngExt;
use rand::rngs::StdRng;

use super::media::{decoded_pictures, decoded_sound, ffmpeg, stamps};

pub(crate) const WIDTH: usize = 320;
pub(crate) const HEIGHT: usize = 176;
/// Of a decoded picture: planes of brightness and, at half the size, of two colours.
pub(crate) const PICTURE_BYTES: usize = WIDTH * HEIGHT * 3 / 2;

/// The side of a square that shows one bit.
const SQUARE: usize = 16;
/// How many bits a number has.
const BITS: usize = 16;

/// How sound is compared: one channel of so many samples in a second.
pub(crate) const SOUND_RATE: usize = 8000;

/// What a source is like.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// Pictures in a second.
    pub(crate) rate: (u32, u32),
    pub(crate) seconds: u32,
    /// ffmpeg's arguments for pictures and for sound.
    pub(crate) video: &'static str,
    pub(crate) audio: &'static str,
    /// Samples in a frame of sound and in a second, and channels.
    pub(crate) sound: (u32, u32, u32),
    /// When its first picture is shown on its own clock, in seconds.
    pub(crate) clock: f64,
}

/// A source in a store, and what it shows.
pub(crate) struct Source {
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    /// When each picture is shown.
    pub(crate) times: Vec<Timestamp>,
    /// Each picture as it is decoded.
    pictures: Vec<u8>,
    pub(crate) parts: Vec<Part>,
    /// Each file, and the numbers of its pictures as they are decoded.
    segments: Vec<(PathBuf, Vec<usize>)>,
    /// Pictures that are not in the store any more, or cannot be decoded without those.
    lost: BTreeSet<usize>,
    base: tempfile::TempDir,
}

/// What came from one run of an encoder.
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// The number of its first picture.
    pub(crate) first: usize,
    /// What is heard in it.
    pub(crate) sound: Vec<i16>,
    /// How long it is heard before the first picture is shown, in microseconds.
    pub(crate) lead: i64,
}

/// The brightness of a picture: its number in bits, each and its opposite, above a pattern that moves.
pub(crate) fn picture(number: usize) -> Vec<u8> {
    let mut picture = vec![128; PICTURE_BYTES];
    for row in 0..HEIGHT {
        for column in 0..WIDTH {
            let (bit, line) = (column / SQUARE, row / SQUARE);
            picture[row * WIDTH + column] = if bit < BITS && line < 2 {
                if (number >> bit & 1 == 1) == (line == 0) { 210 } else { 40 }
            } else {
                let wave = (column + 3 * number) * (row + number) / 61 % 128;
                u8::try_from(wave + 60).unwrap()
            };
        }
    }
    picture
}

/// The number that a picture carries; `None` where its bits and their opposites do not agree.
pub(crate) fn number(picture: &[u8]) -> Option<usize> {
    let bright = |bit: usize, line: usize| {
        let middle = (line * SQUARE + SQUARE / 2) * WIDTH + bit * SQUARE + SQUARE / 2;
        picture[middle] > 125
    };
    let is_sound = (0..BITS).all(|bit| bright(bit, 0) != bright(bit, 1));
    is_sound.then(|| (0..BITS).map(|bit| usize::from(bright(bit, 0)) << bit).sum())
}

/// Noise without high notes: a new value in each sixteenth of a millisecond or so, and a line between two.
fn sample(at: f64) -> i16 {
    const VALUES_PER_SECOND: f64 = 5000.0;
    let place = at * VALUES_PER_SECOND;
    let value = |place: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole")]
        let mut state =
            (place as i64).cast_unsigned().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^= state >> 29;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        f64::from(i16::from_le_bytes([state.to_le_bytes()[5], state.to_le_bytes()[6]])) * 0.3
    };
    let (before, part) = (place.floor(), place.fract());
    #[expect(clippy::cast_possible_truncation, reason = "it is within")]
    let sample = (value(before) * (1.0 - part) + value(before + 1.0) * part) as i16;
    sample
}

impl Source {
    /// Makes one of an encoder that is started anew for each of `kinds`.
    pub(crate) async fn make(kinds: Vec<Kind>) -> Self {
        let source = Self::make_unlike(kinds).await;
        for index in 0..source.times.len() {
            let shown = number(source.picture(index));
            assert_eq!(shown, Some(index), "a source shows what was drawn");
        }
        source
    }

    /// As [`Source::make`], of any sizes.
    pub(crate) async fn make_unlike(kinds: Vec<Kind>) -> Self {
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("store");
        std::fs::create_dir(&root).unwrap();
        let mut source = Self {
            store: Store::open(root, Access::Write).unwrap(),
            feed: Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() },
            times: Vec::new(),
            pictures: Vec::new(),
            parts: Vec::new(),
            segments: Vec::new(),
            lost: BTreeSet::new(),
            base,
        };
        let mut start = begin();
        for (index, kind) in kinds.into_iter().enumerate() {
            let folder = source.base.path().join(index.to_string());
            std::fs::create_dir(&folder).unwrap();
            encode(&kind, &folder, source.times.len(), start).await;
            start = source.take(kind, &folder, start).await;
        }
        source
    }

    /// Stores what was encoded in `folder`, from `start` on. Returns when it ends.
    async fn take(&mut self, kind: Kind, folder: &Path, start: Timestamp) -> Timestamp {
        let list = std::fs::read_to_string(folder.join("list.m3u8")).unwrap();
        let lengths = list.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        let (mut passed, mut all, mut files) = (0.0, Vec::new(), Vec::new());
        for (index, length) in lengths.enumerate() {
            let length: f64 = length.trim_end_matches(',').parse().unwrap();
            let file = folder.join(format!("{index}.ts"));
            let bytes = std::fs::read(&file).unwrap();
            let stored = self.publish(start + seconds(passed), length, &bytes).await;
            files.push((stored, stamps(&file, 'v').await));
            all.extend(bytes);
            passed += length;
        }
        let whole = folder.join("whole.ts");
        std::fs::write(&whole, all).unwrap();
        let mut shown: Vec<i64> = stamps(&whole, 'v').await.iter().map(|(pts, _)| *pts).collect();
        // the first in the stream is what names tell
        let named = shown[0];
        shown.sort_unstable();
        let first = self.times.len();
        let time = |stamp: &i64| start + TimeDelta::nanoseconds((stamp - named) * 100_000 / 9);
        self.times.extend(shown.iter().map(time));
        self.pictures.extend(decoded_pictures(&whole).await);
        for (path, stamps) in files {
            let number = |(pts, _): &(i64, i64)| first + shown.binary_search(pts).unwrap();
            self.segments.push((path, stamps.iter().map(number).collect()));
        }
        let end = start + seconds(passed);
        let sound = decoded_sound(&whole).await;
        let heard = stamps(&whole, 'a').await[0].0;
        let lead = (shown[0] - heard) * 100 / 9;
        self.parts.push(Part { kind, first, sound, lead });
        end
    }

    async fn publish(&self, start: Timestamp, length: f64, bytes: &[u8]) -> PathBuf {
        let duration = MediaDuration::from_seconds(length).unwrap();
        let mut segment = self.store.begin_segment(&self.feed, start, duration).await.unwrap();
        segment.write(bytes).await.unwrap();
        segment.publish(Completeness::Full).await.unwrap().path
    }

    /// Spoils the segment of this number somehow, as disks and networks do.
    pub(crate) fn damage(&mut self, segment: usize, rng: &mut StdRng) {
        let (path, _) = &self.segments[segment];
        let mut bytes = std::fs::read(path).unwrap();
        let place = |rng: &mut StdRng, bytes: &[u8]| rng.random_range(0..bytes.len());
        match rng.random_range(0..5) {
            0 => (0..20).for_each(|_| {
                let place = place(rng, &bytes);
                bytes[place] ^= 1 << rng.random_range(0..8);
            }),
            1 => bytes.truncate(place(rng, &bytes)),
            2 => {
                let (one, other) = (place(rng, &bytes), place(rng, &bytes));
                bytes.drain(one.min(other)..one.max(other));
            }
            3 => {
                let (one, other) = (place(rng, &bytes), place(rng, &bytes));
                bytes[one.min(other)..one.max(other)].fill(0);
            }
            // packets that are scrambled, as they say
            _ => (0..bytes.len() / 188).filter(|_| rng.random_bool(0.05)).for_each(|packet| {
                bytes[packet * 188 + 3] |= 0x80;
            }),
        }
        std::fs::write(path, bytes).unwrap();
    }

    /// Takes the segment of this number out of the store.
    pub(crate) fn lose(&mut self, segment: usize) {
        let (path, numbers) = &self.segments[segment];
        std::fs::remove_file(path).unwrap();
        self.lost.extend(numbers);
        // what leads the first picture of the next one
        if let Some((_, next)) = self.segments.get(segment + 1) {
            self.lost.extend(next.iter().filter(|number| **number < next[0]));
        }
    }

    /// What is shown of the picture of this number.
    pub(crate) fn picture(&self, number: usize) -> &[u8] {
        &self.pictures[number * PICTURE_BYTES..][..PICTURE_BYTES]
    }

    /// The number of the picture that is shown then.
    fn shown(&self, time: Timestamp) -> usize {
        let tolerance = TimeDelta::milliseconds(1);
        self.times.partition_point(|shown| *shown <= time + tolerance).saturating_sub(1)
    }

    /// The pictures of `range` that are there, as stretches of which each goes on without a break.
    pub(crate) fn stretches(&self, range: TimeRange) -> Vec<Range<usize>> {
        let (first, end) =
            (self.shown(range.start()), self.shown(range.end()).max(self.shown(range.start()) + 1));
        let begins_part = |number: usize| self.parts.iter().any(|part| part.first == number);
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for number in (first..end).filter(|number| !self.lost.contains(number)) {
            match stretches.last_mut() {
                Some(last) if last.end == number && !begins_part(number) => last.end += 1,
                _ => stretches.push(number..number + 1),
            }
        }
        stretches
    }

    /// Whether the picture before this one is not in the store.
    pub(crate) fn is_lost_before(&self, number: usize) -> bool {
        number > 0 && self.lost.contains(&(number - 1))
    }

    /// Whether this one is not.
    pub(crate) fn is_lost_from(&self, number: usize) -> bool {
        self.lost.contains(&number)
    }

    /// The part that a picture is of.
    pub(crate) fn part_of(&self, number: usize) -> &Part {
        let behind = self.parts.partition_point(|part| part.first <= number);
        &self.parts[behind - 1]
    }

    /// How long these pictures are shown, in microseconds.
    pub(crate) fn lasts(&self, numbers: Range<usize>) -> i64 {
        (self.times[numbers.end] - self.times[numbers.start]).num_microseconds().unwrap()
    }

    /// Whether all pictures are shown equally long, but for rounding.
    pub(crate) fn is_even(&self) -> bool {
        let mut lengths = (1..self.times.len()).map(|number| self.lasts(number - 1..number));
        let first = lengths.next().unwrap();
        lengths.all(|length| length.abs_diff(first) < 50)
    }

    /// When `range` starts and ends, in seconds after the first sound or picture and with a comma between.
    pub(crate) fn in_file(&self, range: TimeRange) -> String {
        let first = self.times[0] - TimeDelta::microseconds(self.parts[0].lead.max(0));
        let after = |time: Timestamp| (time - first).num_microseconds().unwrap();
        let text = |micros: i64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        [range.start(), range.end()].map(after).map(text).join(",")
    }

    /// All segments of an encoder's run in one file.
    pub(crate) fn whole(&self, part: usize) -> PathBuf {
        self.base.path().join(part.to_string()).join("whole.ts")
    }

    /// How long it is, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.parts.iter().map(|part| f64::from(part.kind.seconds)).sum()
    }
}

/// Encodes what `kind` says in segments, from the picture `first` on, which is shown at `start`.
async fn encode(kind: &Kind, folder: &Path, first: usize, start: Timestamp) {
    let (rate, per) = kind.rate;
    let count = usize::try_from(kind.seconds * rate / per).unwrap();
    let (_, sound_rate, channels) = kind.sound;
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    let passed = (start - begin()).num_microseconds().unwrap() as f64 / 1e6;
    let samples: Vec<u8> = (0..kind.seconds * sound_rate)
        .flat_map(|index| {
            let sample = sample(passed + f64::from(index) / f64::from(sound_rate)).to_le_bytes();
            std::iter::repeat_n(sample, usize::try_from(channels).unwrap()).flatten()
        })
        .collect();
    let wave = folder.join("sound.raw");
    std::fs::write(&wave, samples).unwrap();
    let pictures: Vec<u8> = (first..first + count).flat_map(picture).collect();
    let arguments = format!(
        "-f rawvideo -pix_fmt yuv420p -s {WIDTH}x{HEIGHT} -r {rate}/{per} -i pipe:0 \
         -f s16le -ar {sound_rate} -ac {channels} -i {wave} {video} {audio} -output_ts_offset {clock} \
         -f hls -hls_time 2 -hls_list_size 0 -hls_segment_filename {folder}/%d.ts {folder}/list.m3u8",
        wave = wave.display(),
        video = kind.video,
        audio = kind.audio,
        clock = kind.clock,
        folder = folder.display(),
    );
    ffmpeg(&arguments, pictures).await;
}

/// A range of a source, in seconds after its first picture.
pub(crate) fn range(start: f64, end: f64) -> TimeRange {
    TimeRange::new(begin() + seconds(start), begin() + seconds(end)).unwrap()
}

/// When the first segment of a source starts: shortly before an hour is over.
pub(crate) fn begin() -> Timestamp {
    let hour: Hour = "2026-11-20T10".parse().unwrap();
    hour.start() + TimeDelta::seconds(3590)
}

fn seconds(seconds: f64) -> TimeDelta {
    #[expect(clippy::cast_possible_truncation, reason = "they are few")]
    let micros = (seconds * 1e6).round() as i64;
    TimeDelta::microseconds(micros)
}
