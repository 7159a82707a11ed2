//! Genuine media to publish: tiny pictures in segments of exactly a second, made by ffmpeg.
//!
//! Everything is made once for each process, which takes about two seconds, and kept in memory: a
//! segment is a few kB, so that hundreds of channels can share it at different offsets.

use std::path::Path;

use bytes::Bytes;
use common::base::hash::ContentHash;
use common::io::process;
use tokio::sync::OnceCell;

/// How long each segment lasts, in milliseconds.
pub const SEGMENT_MILLIS: i64 = 1000;
/// How many segments there are of each clip.
pub const SEGMENTS: usize = 60;
/// The key of everything that is encrypted.
pub const KEY: [u8; 16] = *b"a key of 16 byte";

/// What is to be seen, and how it is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Clip {
    /// H.264 in MPEG-TS.
    Ts,
    /// The same with a larger picture.
    LargeTs,
    /// H.264 in fragmented MP4.
    Fmp4,
    /// The same with a larger picture.
    LargeFmp4,
    /// HEVC in fragmented MP4.
    Hevc,
    /// What advertisements show; in MPEG-TS.
    Advertisement,
}

impl Clip {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Ts, Self::LargeTs, Self::Fmp4, Self::LargeFmp4, Self::Hevc, Self::Advertisement];

    /// Whether it is fragmented MP4, and so has an initialization section.
    pub const fn is_fmp4(self) -> bool {
        matches!(self, Self::Fmp4 | Self::LargeFmp4 | Self::Hevc)
    }

    /// Width and height of the picture.
    pub const fn size(self) -> (u32, u32) {
        match self {
            Self::LargeTs | Self::LargeFmp4 => (128, 96),
            _ => (64, 64),
        }
    }

    const fn source(self) -> &'static str {
        if matches!(self, Self::Advertisement) { "smptebars" } else { "testsrc2" }
    }
}

/// One clip, cut into segments.
#[derive(Debug)]
pub struct Reel {
    /// What its segments need in front of them; empty for MPEG-TS.
    pub init: Bytes,
    /// As they are published.
    pub segments: Vec<Bytes>,
    /// The same, encrypted with [`KEY`] and the index as initialization vector; only of [`Clip::Ts`].
    pub encrypted: Vec<Bytes>,
    /// The hash of what is to be stored: the initialization section and the plain segment.
    pub hashes: Vec<ContentHash>,
}

/// All clips.
#[derive(Debug)]
pub struct Footage {
    reels: Vec<Reel>,
}

impl Footage {
    /// The footage of this process, made at the first call.
    ///
    /// # Panics
    ///
    /// When ffmpeg or openssl is not installed, or fails.
    pub async fn get() -> &'static Self {
        static FOOTAGE: OnceCell<Footage> = OnceCell::const_new();
        FOOTAGE.get_or_init(Self::make).await
    }

    /// The segments of `clip`.
    pub fn reel(&self, clip: Clip) -> &Reel {
        let at = Clip::ALL.iter().position(|other| *other == clip);
        &self.reels[at.expect("every clip is one of all")]
    }

    /// Bytes that are no media, each segment's unlike any other's: for tests that play nothing.
    #[cfg(test)]
    pub(super) fn made_up() -> Self {
        let reel = |clip: Clip| {
            let segments: Vec<Bytes> =
                (0..SEGMENTS).map(|index| Bytes::from(format!("{clip:?} {index}"))).collect();
            let hashes = segments.iter().map(|segment| ContentHash::of(segment)).collect();
            Reel { init: Bytes::new(), encrypted: segments.clone(), segments, hashes }
        };
        Self { reels: Clip::ALL.map(reel).into() }
    }

    async fn make() -> Self {
        let mut reels = Vec::new();
        for clip in Clip::ALL {
            reels.push(film(clip).await);
        }
        Self { reels }
    }
}

async fn film(clip: Clip) -> Reel {
    let folder = tempfile::tempdir().expect("a folder can be made");
    run("ffmpeg", &arguments(clip), folder.path()).await;
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("it was written");
    check_list(&String::from_utf8_lossy(&read("list.m3u8")));
    let init = Bytes::from(if clip.is_fmp4() { read("init.mp4") } else { Vec::new() });
    let segments: Vec<Bytes> =
        (0..SEGMENTS).map(|index| read(&format!("{index}.seg")).into()).collect();
    let mut encrypted = Vec::new();
    if clip == Clip::Ts {
        for index in 0..SEGMENTS {
            let (plain, secret) = (format!("{index}.seg"), format!("{index}.enc"));
            let (key, vector) = (hexadecimal(&KEY), format!("{index:032x}"));
            let arguments = ["enc", "-aes-128-cbc", "-K", &key, "-iv", &vector];
            let arguments = [&arguments[..], &["-in", &plain, "-out", &secret]].concat();
            let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
            run("openssl", &arguments, folder.path()).await;
            encrypted.push(read(&secret).into());
        }
    }
    let stored = |segment: &Bytes| ContentHash::of(&[&init[..], &segment[..]].concat());
    let hashes = segments.iter().map(stored).collect();
    Reel { init, segments, encrypted, hashes }
}

/// Each segment must be what its EXTINF will say.
fn check_list(list: &str) {
    let durations: Vec<&str> =
        list.lines().filter_map(|line| line.strip_prefix("#EXTINF:")).collect();
    let right = durations.iter().all(|duration| *duration == "1.000000,");
    assert!(right && durations.len() == SEGMENTS, "ffmpeg cut otherwise than told: {list}");
}

fn arguments(clip: Clip) -> Vec<String> {
    let (width, height) = clip.size();
    let encoder = match clip {
        Clip::Hevc => {
            "libx265 -preset ultrafast -tag:v hvc1 -x265-params crf=40:keyint=25:min-keyint=25:\
             scenecut=0:open-gop=0:bframes=0:log-level=error:pools=1:frame-threads=1"
        }
        _ => "libx264 -preset ultrafast -tune zerolatency -crf 40 -sc_threshold 0",
    };
    let container = if clip.is_fmp4() { "fmp4" } else { "mpegts" };
    let source = clip.source();
    let all = format!(
        "-nostdin -v error -f lavfi -i {source}=size={width}x{height}:rate=25 \
         -f lavfi -i sine=sample_rate=16000 -t {SEGMENTS} -threads 1 -pix_fmt yuv420p \
         -c:v {encoder} -g 25 -keyint_min 25 -c:a aac -ac 1 -ar 16000 -b:a 8k \
         -f hls -hls_time 1 -hls_list_size 0 -hls_segment_filename %d.seg \
         -hls_segment_type {container} list.m3u8"
    );
    all.split_whitespace().map(str::to_owned).collect()
}

async fn run(program: &str, arguments: &[String], folder: &Path) {
    let output = process::command(program).args(arguments).current_dir(folder).output().await;
    let output = output
        .unwrap_or_else(|error| panic!("{program} is not installed; run: make setup ({error})"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
