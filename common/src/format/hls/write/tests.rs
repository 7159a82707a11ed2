use super::*;
use crate::base::time::Timestamp;
use crate::format::hls::{
    ByteRange, Map, MediaPlaylist, MultivariantPlaylist, PlaylistType, RenditionKind, Resolution,
};

fn header() -> MediaHeader {
    MediaHeader {
        version: Version::Durations,
        target_duration: 2,
        media_sequence: 7,
        discontinuity_sequence: 0,
        playlist_type: None,
        independent_segments: false,
        can_skip_until: None,
    }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse_http(text).unwrap()
}

#[test]
fn a_media_playlist_is_what_the_standard_wants() {
    let mut writer = MediaPlaylistWriter::new(&MediaHeader {
        discontinuity_sequence: 3,
        playlist_type: Some(PlaylistType::Event),
        independent_segments: false,
        can_skip_until: None,
        ..header()
    });
    let first = SegmentEntry {
        uri: "a.ts",
        duration: 2.0,
        program_date_time: Some(time("2026-11-20T10:00:00")),
        ..SegmentEntry::default()
    };
    let second = SegmentEntry {
        uri: "b.ts",
        duration: 1.967,
        title: "a, b",
        program_date_time: Some(time("2026-11-20T10:00:02.0004")),
        discontinuity: true,
        gap: true,
        ..SegmentEntry::default()
    };
    writer.segment(&first).unwrap();
    writer.segment(&second).unwrap();
    writer.end_list().unwrap();
    let expected = "\
#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:00.000Z
#EXTINF:2.0,
a.ts
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:02.000400Z
#EXT-X-GAP
#EXTINF:1.967,a, b
b.ts
#EXT-X-ENDLIST
";
    assert_eq!(writer.finish(), expected);
}

#[test]
fn a_map_is_written_where_it_changes() {
    let mut writer = MediaPlaylistWriter::new(&MediaHeader { version: Version::Maps, ..header() });
    let part = ByteRange { length: 5, offset: Some(0) };
    let maps = ["i1", "i1", "i2"].map(|uri| Map {
        uri: uri.to_owned(),
        byte_range: Some(part),
        key: None,
    });
    for map in &maps {
        let byte_range = Some(ByteRange { length: 9, offset: Some(5) });
        let entry =
            SegmentEntry { uri: "x", map: Some(map), byte_range, ..SegmentEntry::default() };
        writer.segment(&entry).unwrap();
    }
    let text = writer.finish();
    assert_eq!(text.matches("#EXT-X-MAP:URI=\"i1\",BYTERANGE=\"5@0\"\n").count(), 1);
    assert_eq!(text.matches("#EXT-X-MAP:").count(), 2);
    assert_eq!(text.matches("#EXT-X-BYTERANGE:9@5\n").count(), 3);
    let read = MediaPlaylist::parse(text.as_bytes()).unwrap();
    let read: Vec<_> = read.segments.iter().map(|s| s.map.as_deref().unwrap()).collect();
    assert_eq!(read, maps.iter().collect::<Vec<_>>());
}

#[test]
fn the_target_duration_is_the_longest_one_rounded() {
    assert_eq!(target_duration([]), 1);
    assert_eq!(target_duration([0.2, 0.0]), 1);
    assert_eq!(target_duration([2.4, 1.0]), 2);
    assert_eq!(target_duration([2.5, 1.0]), 3);
    assert_eq!(target_duration([3600.0]), 3600);
}

#[test]
fn what_a_player_would_stumble_over_is_refused() {
    let entry = SegmentEntry { uri: "a.ts", duration: 2.0, ..SegmentEntry::default() };
    let map = Map { uri: "init".to_owned(), byte_range: None, key: None };
    let open = Some(ByteRange { length: 1, offset: None });
    let target = WriteError::Duration { target: 2 };
    let refused = [
        (SegmentEntry { uri: "", ..entry.clone() }, WriteError::Uri),
        (SegmentEntry { uri: "#a", ..entry.clone() }, WriteError::Uri),
        (SegmentEntry { uri: "a\nb", ..entry.clone() }, WriteError::Uri),
        (SegmentEntry { title: "a\nb", ..entry.clone() }, WriteError::Title),
        (SegmentEntry { duration: 2.5, ..entry.clone() }, target.clone()),
        (SegmentEntry { duration: -1.0, ..entry.clone() }, target.clone()),
        (SegmentEntry { duration: f64::NAN, ..entry.clone() }, target),
        (SegmentEntry { byte_range: open, ..entry.clone() }, WriteError::ByteRange),
        (SegmentEntry { map: Some(&map), ..entry.clone() }, WriteError::Version { needed: 6 }),
    ];
    let mut writer = MediaPlaylistWriter::new(&header());
    let before = writer.take();
    assert!(before.starts_with("#EXTM3U\n"));
    for (entry, error) in refused {
        assert_eq!(writer.segment(&entry), Err(error), "{entry:?}");
    }
    writer.end_list().unwrap();
    assert_eq!(writer.segment(&entry), Err(WriteError::Ended));
    assert_eq!(writer.finish(), "#EXT-X-ENDLIST\n", "nothing of a refused segment was written");
}

#[test]
fn an_initialization_section_cannot_be_taken_back() {
    let mut writer = MediaPlaylistWriter::new(&MediaHeader { version: Version::Maps, ..header() });
    let map = Map { uri: "init".to_owned(), byte_range: None, key: None };
    let with = SegmentEntry { uri: "a", map: Some(&map), ..SegmentEntry::default() };
    writer.segment(&with).unwrap();
    let without = SegmentEntry { map: None, ..with };
    assert_eq!(writer.segment(&without), Err(WriteError::MapEnds));
}

#[test]
fn a_multivariant_playlist_reads_back() {
    let mut writer = MultivariantWriter::new();
    let rendition = RenditionEntry {
        kind: RenditionKind::Video,
        group_id: "source",
        name: "720p (source)",
        uri: None,
        default: true,
    };
    writer.rendition(&rendition).unwrap();
    let variant = VariantEntry {
        uri: "c/source.m3u8?start=1",
        bandwidth: 5_000_000,
        average_bandwidth: Some(4_000_000),
        resolution: Some(Resolution { width: 1280, height: 720 }),
        frame_rate: Some(30.0),
        codecs: Some("avc1.4d401f,mp4a.40.2"),
        video: Some("source"),
    };
    writer.variant(&variant).unwrap();
    let text = writer.finish();
    let expected = "\
#EXTM3U
#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"source\",NAME=\"720p (source)\",DEFAULT=YES,AUTOSELECT=YES
#EXT-X-STREAM-INF:BANDWIDTH=5000000,AVERAGE-BANDWIDTH=4000000,\
CODECS=\"avc1.4d401f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=30.000,VIDEO=\"source\"
c/source.m3u8?start=1
";
    assert_eq!(text, expected);
    let read = MultivariantPlaylist::parse(text.as_bytes()).unwrap();
    assert_eq!(read.variants[0].uri, variant.uri);
    assert_eq!(read.variants[0].resolution, variant.resolution);
    assert_eq!(read.video_rendition(&read.variants[0]).unwrap().name, rendition.name);
}

#[test]
fn attributes_that_would_break_out_are_refused() {
    let mut writer = MultivariantWriter::new();
    let bad = VariantEntry { uri: "a", video: Some("x\",URI=\"y"), ..VariantEntry::default() };
    assert_eq!(writer.variant(&bad), Err(WriteError::QuotedString));
    assert_eq!(writer.finish(), "#EXTM3U\n");
}
