//! Properties of the playlist reader and writer.
//!
//! Covered: reading never panics and stays within its bounds, on bytes, on lines made of real tags
//! with absurd values, and on mangled samples; what the writer writes reads back as it was given.
//! Excluded: what players make of the written text, which the goldens beside the writer pin down.
//! A failing case prints its seed; `PROPTEST_CASES` sets how many are tried.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use common::base::time::Timestamp;
use common::format::hls::{
    ByteRange, Map, MediaHeader, MediaPlaylist, MediaPlaylistWriter, MultivariantPlaylist,
    MultivariantWriter, Playlist, PlaylistKind, PlaylistType, RenditionEntry, RenditionKind,
    Resolution, Segment, SegmentEntry, VariantEntry, Version, target_duration,
};
use proptest::prelude::*;
use proptest::sample::select;

const SAMPLES: [&[u8]; 7] = [
    include_bytes!("../testdata/playlists/twitch-multivariant.m3u8"),
    include_bytes!("../testdata/playlists/twitch-media.m3u8"),
    include_bytes!("../testdata/playlists/ffmpeg-fmp4.m3u8"),
    include_bytes!("../testdata/playlists/nginx-rtmp.m3u8"),
    include_bytes!("../testdata/playlists/byteranges-encrypted.m3u8"),
    include_bytes!("../testdata/playlists/delta-update.m3u8"),
    include_bytes!("../testdata/playlists/oddities.m3u8"),
];

const TAGS: [&str; 17] = [
    "#EXTINF:",
    "#EXT-X-BYTERANGE:",
    "#EXT-X-MAP:",
    "#EXT-X-KEY:",
    "#EXT-X-SKIP:",
    "#EXT-X-DATERANGE:",
    "#EXT-X-PROGRAM-DATE-TIME:",
    "#EXT-X-TARGETDURATION:",
    "#EXT-X-MEDIA-SEQUENCE:",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-GAP",
    "#EXT-X-STREAM-INF:",
    "#EXT-X-MEDIA:",
    "#EXT-X-TWITCH-PREFETCH:",
    "#",
    "",
    "\t ",
];

const VALUES: [&str; 16] = [
    "",
    "2.0,title",
    "-1,",
    "1e400,",
    "NaN",
    "18446744073709551616",
    "18446744073709551615@18446744073709551615",
    "5@5",
    "URI=\"a\",BYTERANGE=\"1@\"",
    "METHOD=NONE",
    "METHOD=\"AES",
    "SKIPPED-SEGMENTS=18446744073709551615",
    "ID=\"x\",START-DATE=\"9999-12-31T23:59:59.9999999-23:59\"",
    "0000-00-00T99:99:99+99:99",
    "=,=,=\"\",\"=",
    "TYPE=VIDEO,GROUP-ID=\"é\",RESOLUTION=1x,BANDWIDTH=-3",
];

/// Reads `bytes` every way there is; what comes out is no larger than what went in.
fn read_every_way(bytes: &[u8]) {
    let kind = PlaylistKind::of(bytes);
    let media = MediaPlaylist::parse(bytes);
    let multivariant = MultivariantPlaylist::parse(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').count();
    if let Ok(list) = &media {
        let kept = list.segments.len() + list.date_ranges.len() + list.other_tags.len();
        assert!(kept + list.prefetch.len() <= lines, "a line is at most one thing");
        let last = list.segments.len().saturating_sub(1);
        assert!(list.number_of(last) >= list.media_sequence);
    }
    if let Ok(list) = &multivariant {
        assert!(list.variants.len() + list.renditions.len() <= lines);
    }
    match &kind {
        Ok(PlaylistKind::Media) => assert!(media.is_ok()),
        Ok(PlaylistKind::Multivariant) => assert!(multivariant.is_ok() && media.is_err()),
        Err(error) => {
            assert!(media.is_err() && multivariant.is_err());
            assert!(error.to_string().len() < 500, "an error is a sentence: {error}");
        }
    }
    assert_eq!(Playlist::parse(bytes).is_ok(), kind.is_ok());
}

/// A line of a tag that exists with a value that may not fit it.
fn line() -> impl Strategy<Value = String> {
    let any_value = prop_oneof![select(&VALUES[..]).prop_map(str::to_owned), ".{0,20}"];
    (select(&TAGS[..]), any_value, select(&["\n", "\r\n", "\n\n"][..]))
        .prop_map(|(tag, value, end)| format!("{tag}{value}{end}"))
}

/// A sample with a piece of it replaced.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let patch = proptest::collection::vec(any::<u8>(), 0..8);
    (select(&SAMPLES[..]), any::<prop::sample::Index>(), 0..40_usize, patch).prop_map(
        |(sample, at, removed, patch)| {
            let start = at.index(sample.len());
            let mut bytes = sample.to_vec();
            bytes.splice(start..(start + removed).min(sample.len()), patch);
            bytes
        },
    )
}

fn byte_range() -> impl Strategy<Value = Option<ByteRange>> {
    let range = (any::<u64>(), any::<u64>())
        .prop_map(|(length, offset)| ByteRange { length, offset: Some(offset) });
    prop::option::of(range)
}

/// A segment as our writer can write it, without its initialization section.
fn segment() -> impl Strategy<Value = Segment> {
    let time = prop::option::of(0..4_000_000_000_000_000_i64);
    (
        "[a-zA-Z0-9%:/?=._-][a-zA-Z0-9%:/?=._-]{0,30}[a-z]",
        prop_oneof![0.0..3600.0, Just(2.0), Just(0.0), Just(1e-7)],
        "([a-zA-Z0-9,:|é][a-zA-Z0-9,:| é]{0,10}[a-z])?",
        time,
        any::<(bool, bool)>(),
        byte_range(),
    )
        .prop_map(|(uri, duration, title, time, (discontinuity, gap), byte_range)| Segment {
            uri,
            duration: Some(duration),
            title,
            program_date_time: time.map(Timestamp::from_micros),
            discontinuity,
            gap,
            byte_range,
            map: None,
            key: None,
        })
}

fn playlist() -> impl Strategy<Value = MediaPlaylist> {
    let segments = proptest::collection::vec(segment(), 0..20);
    let map = prop::option::of(("[a-z0-9?&=/.]{1,20}", byte_range()));
    let kind = prop::option::of(select(&[PlaylistType::Event, PlaylistType::Vod][..]));
    (segments, map, kind, any::<(u64, u64, bool)>()).prop_map(
        |(mut segments, map, playlist_type, (media_sequence, discontinuity_sequence, end_list))| {
            let map = map.map(|(uri, byte_range)| Map { uri, byte_range, key: None }.into());
            for segment in &mut segments {
                segment.map.clone_from(&map);
            }
            let durations = segments.iter().filter_map(|segment| segment.duration);
            #[expect(clippy::cast_precision_loss, reason = "at most 3600")]
            let target = target_duration(durations) as f64;
            MediaPlaylist {
                version: Some(6),
                target_duration: Some(target),
                media_sequence,
                discontinuity_sequence,
                playlist_type,
                end_list,
                segments,
                ..MediaPlaylist::default()
            }
        },
    )
}

fn write(list: &MediaPlaylist) -> String {
    let mut writer = MediaPlaylistWriter::new(&MediaHeader {
        version: Version::Maps,
        target_duration: target_duration(list.segments.iter().filter_map(|s| s.duration)),
        media_sequence: list.media_sequence,
        discontinuity_sequence: list.discontinuity_sequence,
        playlist_type: list.playlist_type,
        independent_segments: false,
        can_skip_until: None,
    });
    let mut text = String::new();
    for segment in &list.segments {
        let entry = SegmentEntry {
            uri: &segment.uri,
            duration: segment.duration.unwrap(),
            title: &segment.title,
            program_date_time: segment.program_date_time,
            discontinuity: segment.discontinuity,
            gap: segment.gap,
            byte_range: segment.byte_range,
            map: segment.map.as_deref(),
        };
        writer.segment(&entry).unwrap();
        text.push_str(&writer.take());
    }
    if list.end_list {
        writer.end_list().unwrap();
    }
    text + &writer.finish()
}

proptest! {
    #[test]
    fn reading_any_bytes_never_panics(bytes: Vec<u8>, headed: bool) {
        let header: &[u8] = if headed { b"#EXTM3U\n" } else { b"" };
        read_every_way(&[header, &bytes].concat());
    }

    #[test]
    fn reading_any_tags_never_panics(lines in proptest::collection::vec(line(), 0..40)) {
        read_every_way(format!("#EXTM3U\n{}", lines.concat()).as_bytes());
    }

    #[test]
    fn reading_mangled_samples_never_panics(bytes in mangled()) {
        read_every_way(&bytes);
    }

    #[test]
    fn a_written_media_playlist_reads_back(list in playlist()) {
        let text = write(&list);
        let read = MediaPlaylist::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(read, list, "{}", text);
    }

    #[test]
    fn a_written_multivariant_playlist_reads_back(
        uris in proptest::collection::vec("[a-z0-9/?=.]{1,20}", 0..6),
        numbers: (u64, u64, u32, u32),
        codecs in prop::option::of("[a-z0-9.,]{0,20}"),
        group in "[a-zA-Z0-9 ()é]{0,12}",
    ) {
        let (bandwidth, average, width, height) = numbers;
        let mut writer = MultivariantWriter::new();
        let rendition = RenditionEntry {
            kind: RenditionKind::Video, group_id: &group, name: &group, uri: None, default: true,
        };
        writer.rendition(&rendition).unwrap();
        let resolution = Resolution { width, height };
        for uri in &uris {
            writer.variant(&VariantEntry {
                uri,
                bandwidth,
                average_bandwidth: Some(average),
                resolution: Some(resolution),
                frame_rate: Some(29.97),
                codecs: codecs.as_deref(),
                video: Some(&group),
            }).unwrap();
        }
        let read = MultivariantPlaylist::parse(writer.finish().as_bytes()).unwrap();
        prop_assert_eq!(read.variants.len(), uris.len());
        for (variant, uri) in read.variants.iter().zip(&uris) {
            prop_assert_eq!(&variant.uri, uri);
            prop_assert_eq!(variant.bandwidth, Some(bandwidth));
            prop_assert_eq!(variant.average_bandwidth, Some(average));
            prop_assert_eq!(variant.resolution, Some(resolution));
            prop_assert_eq!(variant.frame_rate, Some(29.97));
            prop_assert_eq!(&variant.codecs, &codecs);
            prop_assert_eq!(&read.video_rendition(variant).unwrap().name, &group);
        }
    }
}
