//! Streams whose pictures can be told apart, and whose sound is different at every instant.

use std::path::Path;
use std::process::Stdio;

use chrono::TimeDelta;
use common::base::time::{Hour, TimeRange, Timestamp};
use common::format::segment::{Completeness, MediaDuration};
use common::io::process;
use common::io::store::{Access, Feed, Store};
use tokio::io::AsyncWriteExt;

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
    pub(crate) kind: Kind,
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    /// When each picture is shown.
    pub(crate) times: Vec<Timestamp>,
    /// Each picture as it is decoded.
    pub(crate) pictures: Vec<u8>,
    /// What is heard.
    pub(crate) sound: Vec<i16>,
    /// How long it is heard before the first picture is shown, in microseconds.
    pub(crate) lead: i64,
    _base: tempfile::TempDir,
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

/// Runs ffmpeg and returns what it writes to standard output; nothing may be complained about.
pub(crate) async fn ffmpeg(arguments: &str, input: Vec<u8>) -> Vec<u8> {
    run("ffmpeg", &format!("-nostdin -v error -xerror -y {arguments}"), input).await
}

pub(crate) async fn run(program: &str, arguments: &str, input: Vec<u8>) -> Vec<u8> {
    let mut command = process::command(program);
    command.args(arguments.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let fed = async move {
        // one that has seen enough need not read all
        let _ = stdin.write_all(&input).await;
    };
    let ((), output) = tokio::join!(fed, child.wait_with_output());
    let output = output.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments}: {complaint}");
    assert_eq!(complaint, "", "{program} {arguments}");
    output.stdout
}

/// What is shown in a video.
pub(crate) async fn decoded_pictures(path: &Path) -> Vec<u8> {
    let arguments = format!(
        "-i {} -map 0:v:0 -fps_mode passthrough -f rawvideo -pix_fmt yuv420p pipe:1",
        path.display()
    );
    ffmpeg(&arguments, Vec::new()).await
}

/// What is heard in a video from its first picture on, if that is shown `lead` seconds after the first sound.
pub(crate) async fn decoded_sound(path: &Path) -> Vec<i16> {
    let arguments = format!(
        "-i {} -map 0:a:0 -af aresample={SOUND_RATE} -ac 1 -f s16le pipe:1",
        path.display()
    );
    let bytes = ffmpeg(&arguments, Vec::new()).await;
    let (samples, _) = bytes.as_chunks();
    samples.iter().map(|sample| i16::from_le_bytes(*sample)).collect()
}

/// When packets are decoded and shown, in ticks, as ffprobe tells.
pub(crate) async fn stamps(path: &Path, stream: char) -> Vec<(i64, i64)> {
    let arguments = format!(
        "-v error -select_streams {stream}:0 -show_entries packet=pts,dts -of csv=p=0 {}",
        path.display()
    );
    let told = String::from_utf8(run("ffprobe", &arguments, Vec::new()).await).unwrap();
    let pair = |line: &str| {
        let mut numbers = line.split(',').map_while(|number| number.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    };
    told.lines().filter_map(pair).collect()
}

impl Source {
    /// Makes one.
    pub(crate) async fn make(kind: Kind) -> Self {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path();
        let (rate, per) = kind.rate;
        let count = usize::try_from(kind.seconds * rate / per).unwrap();
        let (_, sound_rate, channels) = kind.sound;
        let samples: Vec<u8> = (0..kind.seconds * sound_rate)
            .flat_map(|index| {
                let sample = sample(f64::from(index) / f64::from(sound_rate)).to_le_bytes();
                std::iter::repeat_n(sample, usize::try_from(channels).unwrap()).flatten()
            })
            .collect();
        let wave = folder.join("sound.raw");
        std::fs::write(&wave, samples).unwrap();
        let pictures: Vec<u8> = (0..count).flat_map(picture).collect();
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
        Self::store(kind, base).await
    }

    async fn store(kind: Kind, base: tempfile::TempDir) -> Self {
        let folder = base.path();
        std::fs::create_dir(folder.join("store")).unwrap();
        let store = Store::open(folder.join("store"), Access::Write).unwrap();
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let list = std::fs::read_to_string(folder.join("list.m3u8")).unwrap();
        let lengths = list.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        let lengths: Vec<f64> =
            lengths.map(|rest| rest.trim_end_matches(',').parse().unwrap()).collect();
        let (begin, mut passed, mut all) = (begin(), 0.0, Vec::new());
        for (index, length) in lengths.iter().enumerate() {
            let bytes = std::fs::read(folder.join(format!("{index}.ts"))).unwrap();
            let duration = MediaDuration::from_seconds(*length).unwrap();
            let mut segment =
                store.begin_segment(&feed, begin + seconds(passed), duration).await.unwrap();
            segment.write(&bytes).await.unwrap();
            segment.publish(Completeness::Full).await.unwrap();
            all.extend(bytes);
            passed += length;
        }
        let whole = folder.join("whole.ts");
        std::fs::write(&whole, all).unwrap();
        let pictures = decoded_pictures(&whole).await;
        let mut stamps_shown: Vec<i64> =
            stamps(&whole, 'v').await.iter().map(|(pts, _)| *pts).collect();
        // the first in the stream is what names tell
        let first = stamps_shown[0];
        stamps_shown.sort_unstable();
        let time = |stamp: &i64| begin + TimeDelta::nanoseconds((stamp - first) * 100_000 / 9);
        let times: Vec<Timestamp> = stamps_shown.iter().map(time).collect();
        assert_eq!(times.len(), pictures.len() / PICTURE_BYTES);
        for (index, picture) in pictures.chunks(PICTURE_BYTES).enumerate() {
            assert_eq!(number(picture), Some(index), "a source shows what was drawn");
        }
        let sound = decoded_sound(&whole).await;
        let heard = stamps(&whole, 'a').await[0].0;
        let lead = (stamps_shown[0] - heard) * 100 / 9;
        Self { kind, store, feed, times, pictures, sound, lead, _base: base }
    }

    /// What is shown of the picture of this number.
    pub(crate) fn picture(&self, number: usize) -> &[u8] {
        &self.pictures[number * PICTURE_BYTES..][..PICTURE_BYTES]
    }

    /// The number of the picture that is shown then.
    pub(crate) fn shown(&self, time: Timestamp) -> usize {
        let tolerance = TimeDelta::milliseconds(1);
        self.times.partition_point(|shown| *shown <= time + tolerance).saturating_sub(1)
    }

    /// Seconds after the first picture.
    pub(crate) fn range(&self, start: f64, end: f64) -> TimeRange {
        TimeRange::new(begin() + seconds(start), begin() + seconds(end)).unwrap()
    }
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
