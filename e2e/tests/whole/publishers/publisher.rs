//! Encoders that publish live: each writes a playlist and segments, and deletes none of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::base::time::Timestamp;
use common::format::hls::MediaPlaylist;
use common::io::process;
use rustix::process::Signal;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::web::Web;
use crate::support::{PATIENCE, Process, eventually};

/// What ffmpeg encodes: a picture with a key frame every second, and a tone.
const PICTURE: [&str; 8] =
    ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-re", "-f", "lavfi"];
const CODECS: &str = "-i sine=sample_rate=48000 -pix_fmt yuv420p -c:v libx264 -preset veryfast \
    -bf 2 -g 25 -keyint_min 25 -sc_threshold 0 -c:a aac -b:a 64k";

/// The playlist that each of them writes.
pub(super) const LIST: &str = "live.m3u8";
/// ffmpeg's exit status when it was interrupted.
const INTERRUPTED: i32 = 255;

/// A publisher at work.
#[derive(Debug)]
pub(super) struct Publisher {
    process: Process,
    folder: PathBuf,
    /// How the names of its segments begin and end.
    name: (&'static str, &'static str),
    /// What it ends with when it is interrupted.
    status: i32,
}

/// A segment as it was published.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Published {
    pub(super) name: String,
    /// What is stored of it: fragmented MP4 has its initialization section in front.
    pub(super) bytes: Vec<u8>,
    /// When it was whole.
    pub(super) written: Timestamp,
}

impl Publisher {
    /// ffmpeg's HLS muxer: MPEG-TS segments of a second, called `prefix` and a number, with dates or
    /// without, of which the newest `listed` are listed. No other prefix makes the same bytes.
    pub(super) fn ffmpeg_ts(web: &Web, prefix: &'static str, dated: bool, listed: usize) -> Self {
        let flags = if dated { "temp_file+program_date_time" } else { "temp_file" };
        let muxer = format!(
            "-f hls -hls_time 1 -hls_list_size {listed} -hls_flags {flags} \
             -metadata service_name={prefix} -hls_segment_filename {prefix}%06d.ts live.m3u8"
        );
        Self::new(web, ffmpeg(&muxer), (prefix, ".ts"), INTERRUPTED)
    }

    /// ffmpeg's HLS muxer: fragmented MP4 segments of two seconds with dates.
    pub(super) fn ffmpeg_fmp4(web: &Web) -> Self {
        let muxer = "-f hls -hls_time 2 -hls_list_size 8 -hls_flags temp_file+program_date_time \
            -hls_segment_type fmp4 -hls_segment_filename %06d.m4s live.m3u8";
        Self::new(web, ffmpeg(muxer), ("", ".m4s"), INTERRUPTED)
    }

    /// nginx's RTMP module, to which ffmpeg sends: MPEG-TS segments of a second without dates.
    pub(super) fn nginx_rtmp(web: &Web) -> Self {
        let muxer = format!("-f flv {}", web.rtmp("live"));
        Self::new(web, ffmpeg(&muxer), ("live-", ".ts"), INTERRUPTED)
    }

    /// GStreamer's hlssink2: MPEG-TS segments of a second without dates.
    pub(super) fn gstreamer(web: &Web) -> Self {
        let mut command = process::command("gst-launch-1.0");
        let pipeline = "-e -q videotestsrc is-live=true pattern=ball ! \
            video/x-raw,width=320,height=180,framerate=25/1 ! x264enc key-int-max=25 \
            tune=zerolatency ! h264parse ! hlssink2 name=sink location=%06d.ts \
            playlist-location=live.m3u8 target-duration=1 max-files=0 playlist-length=12 \
            audiotestsrc is-live=true ! audioconvert ! voaacenc ! aacparse ! sink.audio";
        command.args(pipeline.split_whitespace());
        Self::new(web, command, ("", ".ts"), 0)
    }

    fn new(
        web: &Web,
        mut command: Command,
        name: (&'static str, &'static str),
        status: i32,
    ) -> Self {
        let folder = web.folder();
        command.current_dir(&folder);
        let process = Process::start(command);
        Self { process, folder, name, status }
    }

    /// The playlist as it is now, once there is one.
    pub(super) fn list(&self) -> Option<MediaPlaylist> {
        let text = fs::read(self.folder.join(LIST)).ok()?;
        Some(MediaPlaylist::parse(&text).expect("it is one"))
    }

    /// The number of the first segment that is listed now, counted from the first one ever.
    pub(super) fn first_listed(&self) -> usize {
        let first = self.list().expect("there is one").media_sequence;
        usize::try_from(first).expect("there are few")
    }

    /// Waits until it lists its first segment.
    pub(super) async fn is_listed(&mut self) {
        let listed = async || self.list().filter(|list| !list.segments.is_empty());
        eventually("a first segment", listed).await;
        assert_eq!(self.first_listed(), 0);
    }

    /// Waits until it has published `count` segments.
    pub(super) async fn has_published(&mut self, count: usize) {
        let expected = Duration::from_secs(2 * u64::try_from(count).expect("there are few"));
        let deadline = Instant::now() + PATIENCE + expected;
        while self.names().len() < count {
            assert!(self.process.lives(), "it ended: {:?}", self.process);
            assert!(Instant::now() < deadline, "it is too slow: {:?}", self.process);
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends it; returns everything that it ever published, in order.
    pub(super) async fn stop(&mut self) -> Vec<Published> {
        self.process.signal(Signal::INT);
        let status = self.process.ended(PATIENCE).await;
        assert_eq!(status.code(), Some(self.status), "{:?}", self.process);
        let map = self.list().and_then(|list| list.segments.last()?.map.clone());
        let init = map.map(|map| self.read(&map.uri)).unwrap_or_default();
        let whole = |name: String| {
            let bytes = [init.as_slice(), &self.read(&name)].concat();
            let written = self.folder.join(&name).metadata().and_then(|file| file.modified());
            let written = written.map(DateTime::<Utc>::from).expect("it has a time");
            Published { name, bytes, written: Timestamp::from_naive(written.naive_utc()) }
        };
        self.names().into_iter().map(whole).collect()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names of its segments, in order.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = numbered(&self.folder, self.name);
        names.sort();
        names.into_iter().map(|(_, name)| name).collect()
    }
}

fn ffmpeg(muxer: &str) -> Command {
    let mut command = process::command("ffmpeg");
    command.args(["-nostdin", "-v", "error"]).args(PICTURE);
    command.args(CODECS.split_whitespace()).args(muxer.split_whitespace());
    command
}

/// The files in `folder` whose names are a number between a prefix and a suffix, with that number.
fn numbered(folder: &Path, (prefix, suffix): (&str, &str)) -> Vec<(u64, String)> {
    let files = fs::read_dir(folder).expect("it is there");
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let number = |name: &str| name.strip_prefix(prefix)?.strip_suffix(suffix)?.parse::<u64>().ok();
    names.filter_map(|name| Some((number(&name)?, name))).collect()
}
