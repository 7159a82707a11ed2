//! Our playlist reader against the m3u8-rs crate, on well-formed playlists.
//!
//! The texts are put together here and not by our writer, so that a mistake which reader and writer
//! share would show. Left out is what that crate is known to read differently: titles with commas,
//! fractional target durations, several DATERANGEs before one segment.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use common::base::time::Timestamp;
use common::format::hls::{MediaPlaylist, MultivariantPlaylist, RenditionKind, Segment};
use m3u8_rs::AlternativeMediaType;
use proptest::prelude::*;

/// A well-formed segment: its tags in a fixed order, then its address.
fn segment() -> impl Strategy<Value = String> {
    (
        any::<(bool, bool)>(),
        prop::option::of(0..86_399_999_u32),
        prop::option::of((1..9_999_u32, 0..9_999_u32)),
        prop::option::of("[a-z]{1,8}"),
        1..9_999_u32,
        ("[A-Za-z|]{0,8}", "[a-z0-9]{1,12}"),
    )
        .prop_map(|((discontinuity, mapped), time, range, key, millis, (title, name))| {
            let mut lines = Vec::new();
            if discontinuity {
                lines.push("#EXT-X-DISCONTINUITY".to_owned());
            }
            if mapped {
                lines.push(format!("#EXT-X-MAP:URI=\"{name}.mp4\",BYTERANGE=\"100@7\""));
            }
            if let Some(key) = key {
                lines.push(format!("#EXT-X-KEY:METHOD=AES-128,URI=\"https://k/{key}\""));
            }
            if let Some(time) = time {
                let (hours, rest) = (time / 3_600_000, time % 3_600_000);
                let (minutes, rest) = (rest / 60_000, rest % 60_000);
                let (seconds, millis) = (rest / 1_000, rest % 1_000);
                let clock = format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}");
                lines.push(format!("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T{clock}+02:00"));
            }
            if let Some((length, offset)) = range {
                lines.push(format!("#EXT-X-BYTERANGE:{length}@{offset}"));
            }
            let (whole, fraction) = (millis / 1_000, millis % 1_000);
            lines.push(format!("#EXTINF:{whole}.{fraction:03},{title}\n{name}.ts\n"));
            lines.join("\n")
        })
}

fn media_playlist() -> impl Strategy<Value = String> {
    (1..60_u64, any::<u32>(), any::<u8>(), any::<bool>(), prop::collection::vec(segment(), 1..12))
        .prop_map(|(target, sequence, discontinuities, ended, segments)| {
            let end = if ended { "#EXT-X-ENDLIST\n" } else { "" };
            format!(
                "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:{target}\n\
                #EXT-X-MEDIA-SEQUENCE:{sequence}\n\
                #EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}\n{}{end}",
                segments.concat()
            )
        })
}

fn multivariant_playlist() -> impl Strategy<Value = String> {
    let variant = (1..99_999_999_u64, 1..4_000_u32, 1..3_000_u32, "[a-z]{1,8}", any::<bool>());
    prop::collection::vec(variant, 1..8).prop_map(|variants| {
        let mut lines = vec!["#EXTM3U\n".to_owned()];
        for (bandwidth, width, height, name, default) in variants {
            let default = if default { "YES" } else { "NO" };
            lines.push(format!(
                "#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"{name}\",NAME=\"{name}!\",DEFAULT={default}\n\
                #EXT-X-STREAM-INF:BANDWIDTH={bandwidth},AVERAGE-BANDWIDTH={bandwidth},\
                RESOLUTION={width}x{height},FRAME-RATE=29.970,CODECS=\"avc1.4d401f,mp4a.40.2\",\
                VIDEO=\"{name}\"\n{name}.m3u8\n"
            ));
        }
        lines.concat()
    })
}

/// The other reader puts maps and keys only where they are written.
fn compare_segment(ours: &Segment, theirs: &m3u8_rs::MediaSegment) {
    assert_eq!(ours.uri, theirs.uri);
    #[expect(clippy::cast_possible_truncation, reason = "theirs is an f32")]
    let duration = ours.duration.map(|seconds| seconds as f32);
    assert_eq!(duration, Some(theirs.duration));
    assert_eq!(ours.title, theirs.title.clone().unwrap_or_default());
    assert_eq!(ours.discontinuity, theirs.discontinuity);
    let time = theirs.program_date_time.map(|time| time.timestamp_micros());
    assert_eq!(ours.program_date_time.map(Timestamp::micros), time);
    let range = theirs.byte_range.as_ref().map(|range| (range.length, range.offset));
    assert_eq!(ours.byte_range.map(|range| (range.length, range.offset)), range);
    if let Some(map) = &theirs.map {
        assert_eq!(ours.map.as_ref().unwrap().uri, map.uri);
    }
    if let Some(key) = &theirs.key {
        assert_eq!(ours.key.as_ref().unwrap().uri, key.uri);
    }
}

proptest! {
    #[test]
    fn both_read_the_same_of_a_media_playlist(text in media_playlist()) {
        let ours = MediaPlaylist::parse(text.as_bytes()).unwrap();
        let (_, theirs) = m3u8_rs::parse_media_playlist(text.as_bytes()).unwrap();
        #[expect(clippy::cast_precision_loss, reason = "at most 60")]
        let target = theirs.target_duration as f64;
        prop_assert_eq!(ours.target_duration, Some(target));
        prop_assert_eq!(ours.media_sequence, theirs.media_sequence);
        prop_assert_eq!(ours.discontinuity_sequence, theirs.discontinuity_sequence);
        prop_assert_eq!(ours.end_list, theirs.end_list);
        prop_assert_eq!(ours.segments.len(), theirs.segments.len());
        for (ours, theirs) in ours.segments.iter().zip(&theirs.segments) {
            compare_segment(ours, theirs);
        }
    }

    #[test]
    fn both_read_the_same_of_a_multivariant_playlist(text in multivariant_playlist()) {
        let ours = MultivariantPlaylist::parse(text.as_bytes()).unwrap();
        let (_, theirs) = m3u8_rs::parse_master_playlist(text.as_bytes()).unwrap();
        prop_assert_eq!(ours.variants.len(), theirs.variants.len());
        for (ours, theirs) in ours.variants.iter().zip(&theirs.variants) {
            prop_assert_eq!(&ours.uri, &theirs.uri);
            prop_assert_eq!(ours.bandwidth, Some(theirs.bandwidth));
            prop_assert_eq!(ours.average_bandwidth, theirs.average_bandwidth);
            let resolution = theirs.resolution.map(|size| (size.width, size.height));
            let our_resolution =
                ours.resolution.map(|size| (u64::from(size.width), u64::from(size.height)));
            prop_assert_eq!(our_resolution, resolution);
            prop_assert_eq!(ours.frame_rate, theirs.frame_rate);
            prop_assert_eq!(&ours.codecs, &theirs.codecs);
            prop_assert_eq!(&ours.video, &theirs.video);
        }
        prop_assert_eq!(ours.renditions.len(), theirs.alternatives.len());
        for (ours, theirs) in ours.renditions.iter().zip(&theirs.alternatives) {
            prop_assert_eq!(ours.kind, RenditionKind::Video);
            prop_assert_eq!(&theirs.media_type, &AlternativeMediaType::Video);
            prop_assert_eq!(&ours.name, &theirs.name);
            prop_assert_eq!(ours.default, theirs.default);
        }
    }
}
