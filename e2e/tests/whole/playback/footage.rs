//! Short films to be played, as a broadcaster's encoder and packager would make them.

use std::ffi::OsString;

use common::io::process;

use super::strip;

/// Pictures in a second.
pub(super) const RATE: usize = 25;

/// What a film is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Make {
    container: Container,
    encoder: &'static str,
    /// Width and height of its pictures.
    pub(super) size: (u32, u32),
    /// Where its timestamps begin, in seconds.
    timestamp: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    MpegTs,
    Fmp4,
}

/// H.264 that says its parameters in the stream, too: ffmpeg's demuxer knows only the first
/// initialization section of a playlist, whatever comes later.
const H264: &str = "libx264 -preset veryfast -bf 2 -sc_threshold 0 -flags +cgop \
                    -x264-params b-pyramid=none:repeat-headers=1";
const HEVC: &str = "libx265 -preset ultrafast -tag:v hvc1 \
                    -x265-params scenecut=0:open-gop=0:log-level=error";
const AV1: &str = "libsvtav1 -preset 12 -svtav1-params scd=0:lp=1";

const SMALL: (u32, u32) = (320, 180);
const LARGE: (u32, u32) = (640, 360);

impl Make {
    pub(super) const TS: Self = Self::new(Container::MpegTs, H264, SMALL, 0);
    /// Larger, and of another encoder's run.
    pub(super) const OTHER_TS: Self = Self::new(Container::MpegTs, H264, LARGE, 100);
    pub(super) const FMP4: Self = Self::new(Container::Fmp4, H264, SMALL, 0);
    /// Larger, and of another encoder's run.
    pub(super) const OTHER_FMP4: Self = Self::new(Container::Fmp4, H264, LARGE, 100);
    pub(super) const HEVC: Self = Self::new(Container::Fmp4, HEVC, SMALL, 0);
    pub(super) const AV1: Self = Self::new(Container::Fmp4, AV1, SMALL, 0);

    const fn new(
        container: Container,
        encoder: &'static str,
        size: (u32, u32),
        timestamp: u32,
    ) -> Self {
        Self { container, encoder, size, timestamp }
    }

    /// Films `segments` segments of `seconds` seconds each, as they are to be stored: fragmented MP4
    /// has its initialization section in front of each of them. The pictures are numbered.
    pub(super) async fn film(self, segments: usize, seconds: usize) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut command = process::command("ffmpeg");
        let output = command.args(self.arguments(segments, seconds)).current_dir(&folder).output();
        let output = output.await.expect("ffmpeg is installed; if not, run: make setup");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?}: {said}");
        let read = |name: &str| std::fs::read(folder.path().join(name)).expect("it was written");
        let init = match self.container {
            Container::MpegTs => Vec::new(),
            Container::Fmp4 => read("init.mp4"),
        };
        (0..segments).map(|index| [init.clone(), read(&format!("{index}.seg"))].concat()).collect()
    }

    fn arguments(self, segments: usize, seconds: usize) -> Vec<OsString> {
        let (width, height) = self.size;
        let (group, length) = (RATE * seconds, segments * seconds);
        let container = match self.container {
            Container::MpegTs => "mpegts",
            // the first picture is shown at the very time at which its segment starts
            Container::Fmp4 => "fmp4 -hls_segment_options movflags=+negative_cts_offsets",
        };
        let picture = format!("testsrc2=size={width}x{height}:rate={RATE},{}", strip::drawn());
        let words = |text: String| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let mut all = words("-nostdin -v error -f lavfi -i".to_owned());
        all.push(picture.into());
        all.extend(words(format!(
            "-f lavfi -i sine=sample_rate=48000 -t {length} -threads 2 -pix_fmt yuv420p -c:v"
        )));
        all.extend(self.encoder.split_whitespace().map(OsString::from));
        all.extend(words(format!(
            "-g {group} -keyint_min {group} -c:a aac -b:a 64k -output_ts_offset {} \
             -f hls -hls_time {seconds} -hls_list_size 0 -hls_segment_filename %d.seg \
             -hls_segment_type {container} list.m3u8",
            self.timestamp
        )));
        all
    }
}
