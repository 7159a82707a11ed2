use super::*;

const MEDIA: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n";
const MULTIVARIANT: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n";

#[test]
fn the_two_kinds_are_told_apart() {
    let kind = |text: &str| PlaylistKind::of(text.as_bytes()).unwrap();
    assert_eq!(kind(MEDIA), PlaylistKind::Media);
    assert_eq!(kind(MULTIVARIANT), PlaylistKind::Multivariant);
    assert_eq!(kind("#EXTM3U\n"), PlaylistKind::Media);
    assert_eq!(kind("#EXTM3U\n#EXT-X-VERSION:3\na.ts\n"), PlaylistKind::Media);
    assert_eq!(kind("#EXTM3U\n#EXT-X-MEDIA:TYPE=VIDEO\n"), PlaylistKind::Multivariant);
}

#[test]
fn a_list_with_the_tags_of_both_kinds_is_what_its_first_one_says() {
    let parse = |text: String| Playlist::parse(text.as_bytes()).unwrap();
    let media = format!("{MEDIA}#EXT-X-STREAM-INF:BANDWIDTH=1\nb.ts\n");
    let Playlist::Media(list) = parse(media) else { panic!("the first tag was a segment's") };
    assert_eq!(list.segments.len(), 2);
    let multivariant = format!("{MULTIVARIANT}#EXTINF:2,\nb.ts\n");
    let Playlist::Multivariant(list) = parse(multivariant) else { panic!("it was a variant's") };
    assert_eq!(list.variants.len(), 1);
}

#[test]
fn the_wrong_kind_says_what_it_is() {
    let error = MediaPlaylist::parse(MULTIVARIANT.as_bytes()).unwrap_err();
    let text = "this is a multivariant playlist where a media playlist was expected";
    assert_eq!(error.to_string(), text);
    let error = MultivariantPlaylist::parse(MEDIA.as_bytes()).unwrap_err();
    let text = "this is a media playlist where a multivariant playlist was expected";
    assert_eq!(error.to_string(), text);
}

#[test]
fn what_is_no_playlist_is_told_in_a_sentence() {
    let error = |bytes: &[u8]| Playlist::parse(bytes).unwrap_err();
    assert_eq!(error(b""), PlaylistError::Empty);
    assert_eq!(error(b"\xef\xbb\xbf \r\n\n"), PlaylistError::Empty);
    let page = error(b"\n<!DOCTYPE html>\n<html><body>502 Bad Gateway");
    let text = "the answer is a web page, not a playlist: it begins \"<!DOCTYPE html>\"";
    assert_eq!(page.to_string(), text);
    assert!(matches!(error(b"<HTML>"), PlaylistError::Html { .. }));
    let json = error(br#"[{"error":"not found"}]"#);
    assert!(matches!(&json, PlaylistError::NoHeader { begins } if begins.starts_with("[{")));
    let long = error(&[b'x'; 10_000]).to_string();
    assert!(long.len() < 200, "an error repeats only the beginning: {long}");
    assert!(matches!(error(b"\x00\x01\xff"), PlaylistError::NoHeader { .. }));
}

#[test]
fn a_playlist_of_fifty_megabytes_is_refused_before_it_is_read() {
    let bytes = vec![b'#'; 50 << 20];
    let expected = PlaylistError::TooLarge { bound: Bound::Bytes, limit: 16 << 20 };
    assert_eq!(Playlist::parse(&bytes), Err(expected));
}
