//! What is written down beside a video.

use common::base::time::Timestamp;
use common::io::store::TempFile;
use serde::Serialize;

use crate::upload::Video;

/// The file of information, for people and for programs that sort videos.
#[derive(Serialize)]
struct Info<'a> {
    event_id: &'a str,
    video_id: String,
    title: &'a str,
    description: &'a str,
    tags: Vec<&'a str>,
    public: bool,
    channel: &'a str,
    quality: &'a str,
    /// Start and end of each range.
    ranges: Vec<[Timestamp; 2]>,
    size_bytes: u64,
    sha256: String,
}

/// Describes `video`, whose bytes are in `file`, as JSON.
pub(super) fn describe(video: &Video, file: &TempFile) -> Vec<u8> {
    let edit = &video.edit;
    let info = Info {
        event_id: &video.event_id,
        video_id: video.id.to_string(),
        title: &edit.video_title,
        description: &edit.video_description,
        tags: video.tags(),
        public: edit.public,
        channel: &edit.video_channel,
        quality: &edit.video_quality,
        ranges: edit.video_ranges.iter().map(|range| [range.start, range.end]).collect(),
        size_bytes: file.size(),
        sha256: hex(file.hash().as_bytes()),
    };
    let mut json = serde_json::to_vec_pretty(&info).expect("it holds only texts and numbers");
    json.push(b'\n');
    json
}

/// As `sha256sum` writes it.
fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
