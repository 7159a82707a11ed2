use std::sync::Arc;

use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::{TimeRange, Timestamp};
use common::format::media::{Head, Tables};
use common::plan::listing::HourListing;
use common::plan::select::best_segments;

use super::super::media::Contents;
use super::*;

pub(in crate::playlist) const TS: Head =
    Head { container: TS_CONTAINER, independent: true, format: Some(1), decode_time: None };
/// Its tables stand behind another packet, as ffmpeg writes them.
const TS_CONTAINER: Container = Container::MpegTs { tables: Tables { start: 188, bytes: 376 } };
pub(in crate::playlist) const MP4: Head =
    Head { container: Container::Fmp4 { init_bytes: 700 }, format: Some(2), ..TS };
pub(in crate::playlist) const OTHER_MP4: Head =
    Head { container: Container::Fmp4 { init_bytes: 800 }, format: Some(3), ..TS };

/// Segments of 1000 bytes and two seconds, one after the other from `first` seconds after ten
/// o'clock.
pub(in crate::playlist) fn parts(first: u32, heads: &[Head]) -> Vec<Part> {
    let hash = ContentHash::of(b"");
    let start = |number: usize| first + 2 * u32::try_from(number).unwrap();
    let name = |number| {
        let second = start(number) % 3600;
        format!("{:02}:{:02}.000000-2.0-full-{hash}.ts", second / 60, second % 60)
    };
    let hour: Hour = "2026-11-20T10".parse().unwrap();
    let mut parts = Vec::new();
    for hour in [hour, hour.next().unwrap()] {
        let base = if parts.is_empty() && first < 3600 { 0 } else { 3600 };
        let within: Vec<usize> =
            (0..heads.len()).filter(|n| (base..base + 3600).contains(&start(*n))).collect();
        let names = within.iter().map(|number| name(*number));
        let listing = Arc::new(HourListing::new(hour, names, |_: &str| None));
        for (index, number) in (0..).zip(&within) {
            listing.heads().put(index, &heads[*number], 1000);
        }
        let range = TimeRange::new(Timestamp::MIN, Timestamp::MAX).unwrap();
        parts.extend(best_segments([&listing], range).into_parts());
    }
    parts
}

pub(in crate::playlist) fn playlist(parts: Vec<Part>) -> MediaPlaylist {
    MediaPlaylist {
        feed: common::io::store::Feed {
            channel: "c".parse().unwrap(),
            quality: "q".parse().unwrap(),
        },
        contents: Contents::of(&parts),
        parts,
        marks: Marks::AsFound(Vec::new()),
        gaps: Vec::new(),
        media_sequence: 0,
        discontinuity_sequence: 0,
        target_duration: 2,
        end: End::Open,
        grows: false,
    }
}

/// The text without the hash, the folder and what every segment has.
fn lines(playlist: MediaPlaylist, skip: usize) -> Vec<String> {
    let hash = ContentHash::of(b"").to_string();
    let pieces: Vec<String> = Text::new(playlist, skip).unwrap().map(Result::unwrap).collect();
    let text = pieces.concat().replace(&hash, "").replace("/segments/c/q/2026-11-20T", "");
    let is_boring = |line: &&str| {
        ["#EXTM3U", "#EXTINF", "#EXT-X-PROGRAM", "#EXT-X-TARGET", "#EXT-X-MEDIA-SEQ"]
            .iter()
            .any(|tag| line.starts_with(tag))
    };
    text.lines().filter(|line| !is_boring(line)).map(str::to_owned).collect()
}

#[test]
fn fragmented_mp4_is_addressed_in_its_own_file() {
    assert_eq!(
        lines(playlist(parts(0, &[MP4, MP4])), 0),
        [
            "#EXT-X-VERSION:6",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            "#EXT-X-MAP:URI=\"10/00:00.000000-2.0-full-.ts\",BYTERANGE=\"700@0\"",
            "#EXT-X-BYTERANGE:300@700",
            "10/00:00.000000-2.0-full-.ts",
            "#EXT-X-BYTERANGE:300@700",
            "10/00:02.000000-2.0-full-.ts",
        ]
    );
}

#[test]
fn a_change_of_format_is_marked_and_has_its_own_initialization() {
    assert_eq!(
        lines(playlist(parts(0, &[TS, MP4, OTHER_MP4, TS, TS])), 0),
        [
            "#EXT-X-VERSION:6",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            "10/00:00.000000-2.0-full-.ts",
            "#EXT-X-DISCONTINUITY",
            "#EXT-X-MAP:URI=\"10/00:02.000000-2.0-full-.ts\",BYTERANGE=\"700@0\"",
            "#EXT-X-BYTERANGE:300@700",
            "10/00:02.000000-2.0-full-.ts",
            "#EXT-X-DISCONTINUITY",
            "#EXT-X-MAP:URI=\"10/00:04.000000-2.0-full-.ts\",BYTERANGE=\"800@0\"",
            "#EXT-X-BYTERANGE:200@800",
            "10/00:04.000000-2.0-full-.ts",
            "#EXT-X-DISCONTINUITY",
            "#EXT-X-MAP:URI=\"10/00:06.000000-2.0-full-.ts\",BYTERANGE=\"376@188\"",
            "10/00:06.000000-2.0-full-.ts",
            "10/00:08.000000-2.0-full-.ts",
        ]
    );
}

#[test]
fn a_stream_that_shows_no_tables_or_format_is_its_own_initialization() {
    let hidden = Container::MpegTs { tables: Tables::default() };
    let untold = Head { container: hidden, format: None, ..TS };
    let maps = |heads: &[Head]| -> Vec<String> {
        let lines = lines(playlist(parts(0, heads)), 0).into_iter();
        lines.filter_map(|line| line.strip_prefix("#EXT-X-MAP:URI=").map(str::to_owned)).collect()
    };
    assert_eq!(
        maps(&[MP4, untold, untold])[1..],
        [
            "\"10/00:02.000000-2.0-full-.ts\",BYTERANGE=\"376@0\"",
            "\"10/00:04.000000-2.0-full-.ts\",BYTERANGE=\"376@0\"",
        ]
    );
}

#[test]
fn an_initialization_section_is_named_once_a_turn() {
    let maps = |playlist, skip| -> Vec<String> {
        lines(playlist, skip).into_iter().filter(|line| line.starts_with("#EXT-X-MAP")).collect()
    };
    let growing = |parts| MediaPlaylist {
        marks: Marks::Announced(Vec::new()),
        grows: true,
        ..playlist(parts)
    };
    let over_the_hour = || parts(3596, &[MP4, MP4, MP4, MP4]);
    let ten = "#EXT-X-MAP:URI=\"10/59:56.000000-2.0-full-.ts\",BYTERANGE=\"700@0\"";
    let eleven = "#EXT-X-MAP:URI=\"11/00:00.000000-2.0-full-.ts\",BYTERANGE=\"700@0\"";
    let whole = maps(growing(over_the_hour()), 0);
    assert_eq!(whole, [ten, eleven]);
    let update = maps(growing(over_the_hour()), 1);
    assert_eq!(update, whole, "what is skipped is still named");
    let mut trimmed = over_the_hour();
    trimmed[0] = trimmed[0].split_at(1).1.unwrap();
    assert_eq!(maps(growing(trimmed), 0), whole, "and so is what was taken away");
    let over_a_turn = maps(growing(parts(116, &[MP4, MP4, MP4, MP4])), 0);
    let first =
        |map: &str| map.replace("#EXT-X-MAP:URI=\"10/", "").split_once('-').unwrap().0.to_owned();
    assert_eq!(
        over_a_turn.iter().map(|map| first(map)).collect::<Vec<_>>(),
        ["01:56.000000", "02:00.000000"]
    );
}

/// Each segment with the initialization section in force.
fn in_force(lines: &[String]) -> Vec<String> {
    let mut map = "";
    let mut segments = Vec::new();
    for line in lines {
        if line.starts_with("#EXT-X-MAP") {
            map = line;
        } else if !line.starts_with('#') {
            segments.push(format!("{line} {map}"));
        }
    }
    segments
}

#[test]
fn an_update_names_the_initialization_section_in_force() {
    let unread = Head { container: Container::Unknown, ..TS };
    for heads in [[MP4, TS, TS, TS], [MP4, unread, TS, unread], [MP4, MP4, TS, MP4]] {
        let playlist = MediaPlaylist { grows: true, ..playlist(parts(0, &heads)) };
        let whole = in_force(&lines(playlist.clone(), 0));
        for skip in 1..heads.len() {
            assert_eq!(in_force(&lines(playlist.clone(), skip)), whole[skip..], "{heads:?} {skip}");
        }
    }
}

#[test]
fn an_update_leaves_out_what_is_known() {
    let growing = MediaPlaylist {
        marks: Marks::Announced(vec![
            "2026-11-20T10".parse::<Hour>().unwrap().start() + TimeDelta::seconds(4),
        ]),
        grows: true,
        discontinuity_sequence: 3,
        ..playlist(parts(0, &[TS; 4]))
    };
    assert_eq!(
        lines(growing, 2),
        [
            "#EXT-X-VERSION:9",
            "#EXT-X-DISCONTINUITY-SEQUENCE:3",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=60.0",
            "#EXT-X-SKIP:SKIPPED-SEGMENTS=2",
            "#EXT-X-DISCONTINUITY",
            "10/00:04.000000-2.0-full-.ts",
            "10/00:06.000000-2.0-full-.ts",
        ]
    );
}

#[test]
fn segments_are_called_independent_only_when_all_are() {
    let dependent = Head { independent: false, ..TS };
    let text = lines(playlist(parts(0, &[TS, dependent])), 0);
    assert_eq!(text[1], "10/00:00.000000-2.0-full-.ts");
    let unread = Head { container: Container::Unknown, independent: false, format: None, ..TS };
    assert_eq!(lines(playlist(parts(0, &[unread])), 0)[0], "#EXT-X-VERSION:3");
}

#[test]
fn only_what_is_older_than_the_boundary_can_be_skipped() {
    let growing = MediaPlaylist { grows: true, ..playlist(parts(3500, &[TS; 60])) };
    // of 120 s, the last 60 stay, and the segment that ends right there
    assert_eq!(growing.skippable(), 29);
    assert_eq!(MediaPlaylist { grows: false, ..growing }.skippable(), 0);
    let slow = MediaPlaylist { grows: true, target_duration: 15, ..playlist(parts(0, &[TS; 60])) };
    assert_eq!((slow.can_skip_until(), slow.skippable()), (Some(90), 14));
}

#[test]
fn the_digest_changes_with_the_text() {
    let base = || playlist(parts(0, &[TS, TS]));
    let digests: std::collections::HashSet<u64> = [
        base(),
        MediaPlaylist { end: End::Over, ..base() },
        MediaPlaylist { grows: true, ..base() },
        MediaPlaylist { media_sequence: 1, ..base() },
        MediaPlaylist { discontinuity_sequence: 1, ..base() },
        MediaPlaylist { target_duration: 3, ..base() },
        MediaPlaylist { marks: Marks::AsFound(vec![Timestamp::MIN]), ..base() },
        playlist(parts(0, &[TS])),
        playlist(parts(2, &[TS, TS])),
        playlist(parts(0, &[MP4, MP4])),
    ]
    .iter()
    .map(MediaPlaylist::digest)
    .collect();
    assert_eq!(digests.len(), 10);
    assert_eq!(base().digest(), base().digest());
}
