//! What the origin lists at a time: the newest segments of a list that holds them all. Pure.

use common::format::hls::{
    MediaHeader, MediaPlaylist, MediaPlaylistWriter, MultivariantWriter, RenditionEntry,
    RenditionKind, SegmentEntry, VariantEntry, Version, WriteError, target_duration,
};

use super::picture::{Picture, Quality};

/// How many segments are listed at a time.
///
/// Eight seconds: long enough for a downloader that is started again at once to miss nothing, and
/// too short for one that was away for ten seconds.
pub(super) const LISTED: u32 = 4;

/// RFC 6381's names of what the encoder makes.
const CODECS: &str = "avc1.64001f,mp4a.40.2";

/// The multivariant playlist; `list_name` is that of every quality's media playlist.
pub(super) fn multivariant(picture: Picture, list_name: &str) -> Result<String, WriteError> {
    let mut writer = MultivariantWriter::new();
    for Quality { name, title, resolution, bit_rate } in &picture.qualities() {
        writer.rendition(&RenditionEntry {
            kind: RenditionKind::Video,
            group_id: name,
            name: title,
            uri: None,
            default: true,
        })?;
        writer.variant(&VariantEntry {
            uri: &format!("{name}/{list_name}"),
            bandwidth: bit_rate * 5 / 4,
            average_bandwidth: Some(*bit_rate),
            resolution: Some(*resolution),
            frame_rate: Some(Picture::RATE.into()),
            codecs: Some(CODECS),
            video: Some(name),
        })?;
    }
    Ok(writer.finish())
}

/// The media playlist that lists only the newest segments of `whole`.
pub(super) fn newest(whole: &MediaPlaylist) -> Result<String, WriteError> {
    let skipped = whole.segments.len().saturating_sub(LISTED as usize);
    let listed = &whole.segments[skipped..];
    let durations = listed.iter().filter_map(|segment| segment.duration);
    let longest = durations.chain([Picture::SEGMENT_SECONDS.into()]);
    let mut writer = MediaPlaylistWriter::new(&MediaHeader {
        version: Version::Durations,
        target_duration: target_duration(longest),
        media_sequence: whole.number_of(skipped),
        discontinuity_sequence: 0,
        playlist_type: None,
        independent_segments: false,
        can_skip_until: None,
    });
    for segment in listed {
        writer.segment(&SegmentEntry {
            uri: &segment.uri,
            duration: segment.duration.unwrap_or_default(),
            program_date_time: segment.program_date_time,
            ..SegmentEntry::default()
        })?;
    }
    if whole.end_list {
        writer.end_list()?;
    }
    Ok(writer.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(segments: u32) -> String {
        let header = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n\
                      #EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-INDEPENDENT-SEGMENTS\n";
        let segment = |n| {
            format!(
                "#EXTINF:2.000000,\n#EXT-X-PROGRAM-DATE-TIME:2026-11-24T06:{n:02}:00.354+0000\n\
                 {n:06}.ts\n"
            )
        };
        header.to_owned() + &(0..segments).map(segment).collect::<String>()
    }

    #[test]
    fn the_newest_are_listed_under_their_own_numbers() {
        let newest = |text: &str| {
            let text = newest(&MediaPlaylist::parse(text.as_bytes()).unwrap()).unwrap();
            MediaPlaylist::parse(text.as_bytes()).unwrap()
        };
        let first = newest(&whole(1));
        assert_eq!((first.segments.len(), first.media_sequence), (1, 0));

        let later = newest(&whole(30));
        assert_eq!((later.segments.len(), later.media_sequence), (LISTED as usize, 26));
        assert_eq!(later.segments[0].uri, "000026.ts");
        let time = later.segments[0].program_date_time.unwrap();
        assert_eq!(time.to_string(), "2026-11-24T06:26:00.354000");
        assert!(!later.end_list);

        let ended = newest(&(whole(30) + "#EXT-X-ENDLIST\n"));
        assert!(ended.end_list);
        assert_eq!(ended.media_sequence, 26);
    }

    #[test]
    fn the_multivariant_playlist_names_the_source() {
        let text = multivariant(Picture::default(), "list.m3u8").unwrap();
        let list = common::format::hls::MultivariantPlaylist::parse(text.as_bytes()).unwrap();
        let best = &list.variants[0];
        assert_eq!(best.uri, "source/list.m3u8");
        assert_eq!(list.video_rendition(best).unwrap().name, "720p30 (source)");
        assert_eq!(list.variants[1].uri, "360p/list.m3u8");
    }
}
