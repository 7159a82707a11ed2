//! Playlists: read whatever they are, and written again where the writer takes what was read.

use common::format::hls::{
    Map, MediaHeader, MediaPlaylist, MediaPlaylistWriter, MultivariantPlaylist, MultivariantWriter,
    Playlist, PlaylistKind, RenditionEntry, Segment, SegmentEntry, VariantEntry, Version,
};

/// A media playlist holds no more than its lines, and what the writer takes of it reads back as the
/// same segments and is written as the same text.
pub fn media_playlist(bytes: &[u8]) {
    kinds_agree(bytes);
    let Ok(list) = MediaPlaylist::parse(bytes) else { return };
    let things = [list.segments.len(), list.date_ranges.len(), list.other_tags.len()];
    assert!(things.iter().sum::<usize>() + list.prefetch.len() <= lines(bytes));

    let (text, written) = write_media(&list);
    let again = MediaPlaylist::parse(text.as_bytes()).expect("what we write is a playlist");
    assert_eq!(again.segments, written, "{text}");
    assert_eq!((again.media_sequence, again.end_list), (list.media_sequence, list.end_list));
    assert_eq!(write_media(&again).0, text);
}

/// Writes what the writer takes, and says which segments that were.
fn write_media(list: &MediaPlaylist) -> (String, Vec<Segment>) {
    let mut writer = MediaPlaylistWriter::new(&MediaHeader {
        version: Version::Maps,
        // what is longer is refused
        target_duration: 3600,
        media_sequence: list.media_sequence,
        discontinuity_sequence: list.discontinuity_sequence,
        playlist_type: list.playlist_type,
        independent_segments: false,
        can_skip_until: None,
    });
    let segments: Vec<Segment> = list.segments.iter().map(clear).collect();
    let is_written = |segment: &&Segment| {
        let entry = SegmentEntry {
            uri: &segment.uri,
            // refused like every other absurd one
            duration: segment.duration.unwrap_or(-1.0),
            title: &segment.title,
            program_date_time: segment.program_date_time,
            discontinuity: segment.discontinuity,
            gap: segment.gap,
            byte_range: segment.byte_range,
            map: segment.map.as_deref(),
        };
        writer.segment(&entry).is_ok()
    };
    let written = segments.iter().filter(is_written).cloned().collect();
    if list.end_list {
        writer.end_list().expect("it was not said before");
    }
    (writer.finish(), written)
}

/// A segment without its keys, which are not written: what is stored is not encrypted.
fn clear(segment: &Segment) -> Segment {
    let map = segment.map.as_ref().map(|map| Map { key: None, ..(**map).clone() }.into());
    Segment { map, key: None, ..segment.clone() }
}

/// A multivariant playlist holds no more than its lines, and what the writer takes of it reads back
/// as as many variants and renditions and is written as the same text.
pub fn multivariant(bytes: &[u8]) {
    kinds_agree(bytes);
    let Ok(list) = MultivariantPlaylist::parse(bytes) else { return };
    assert!(list.variants.len() + list.renditions.len() <= lines(bytes));
    for variant in &list.variants {
        let chosen = list.video_rendition(variant);
        assert_eq!(chosen.map(|one| &one.group_id), chosen.and(variant.video.as_ref()));
    }

    let (text, variants, renditions) = write_multivariant(&list);
    let again = MultivariantPlaylist::parse(text.as_bytes()).expect("what we write is a playlist");
    assert_eq!((again.variants.len(), again.renditions.len()), (variants, renditions), "{text}");
    assert_eq!(write_multivariant(&again).0, text);
}

/// Writes what the writer takes, and says how many variants and renditions that were.
fn write_multivariant(list: &MultivariantPlaylist) -> (String, usize, usize) {
    let mut writer = MultivariantWriter::new();
    let renditions = list.renditions.iter().filter(|rendition| {
        let entry = RenditionEntry {
            kind: rendition.kind,
            group_id: &rendition.group_id,
            name: &rendition.name,
            uri: rendition.uri.as_deref(),
            default: rendition.default,
        };
        writer.rendition(&entry).is_ok()
    });
    let renditions = renditions.count();
    let variants = list.variants.iter().filter(|variant| {
        let entry = VariantEntry {
            uri: &variant.uri,
            bandwidth: variant.bandwidth.unwrap_or_default(),
            average_bandwidth: variant.average_bandwidth,
            resolution: variant.resolution,
            frame_rate: variant.frame_rate,
            codecs: variant.codecs.as_deref(),
            video: variant.video.as_deref(),
        };
        writer.variant(&entry).is_ok()
    });
    let variants = variants.count();
    (writer.finish(), variants, renditions)
}

/// Every way of reading takes the same texts for playlists, and errors stay sentences.
fn kinds_agree(bytes: &[u8]) {
    let kind = PlaylistKind::of(bytes);
    match &kind {
        Ok(PlaylistKind::Media) => assert!(MediaPlaylist::parse(bytes).is_ok()),
        Ok(PlaylistKind::Multivariant) => assert!(MediaPlaylist::parse(bytes).is_err()),
        Err(error) => assert!(error.to_string().len() < 500, "{error}"),
    }
    assert_eq!(Playlist::parse(bytes).is_ok(), kind.is_ok());
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count()
}
