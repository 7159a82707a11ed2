//! Playlists of real segments: what they are is read from their bytes.

use common::format::segment::Completeness;

use super::{Served, at};

const TS: &[u8] = include_bytes!("../../../common/testdata/media/h264-aac.ts");
const MID_GOP: &[u8] = include_bytes!("../../../common/testdata/media/h264-mid-gop.ts");
const MP4: &[u8] = include_bytes!("../../../common/testdata/media/h264-aac.mp4");
const AV1: &[u8] = include_bytes!("../../../common/testdata/media/av1-opus.mp4");

/// What is served of segments with these bytes, one after the other.
async fn served(segments: &[&[u8]]) -> Served {
    let served = Served::new();
    for (start, bytes) in (0..).step_by(2).zip(segments) {
        served.segment("source", start, Completeness::Full, bytes).await;
    }
    served
}

/// The tags of the media playlist that this is about.
async fn tags(served: &Served, end: i64) -> Vec<String> {
    let query = format!("?start={}Z&end={}Z", at(0), at(end));
    let text = served.get(&format!("/playlist/chan/source.m3u8{query}")).await;
    let is_wanted = |line: &&str| {
        ["MAP", "BYTERANGE", "DISCONT", "INDEP", "VERSION"]
            .iter()
            .any(|tag| line.strip_prefix("#EXT-X-").is_some_and(|line| line.starts_with(tag)))
    };
    let without_name = |line: &str| match (line.find("URI=\""), line.find("\",BYTE")) {
        (Some(from), Some(to)) => format!("{}{}", &line[..from], &line[to + 2..]),
        _ => line.to_owned(),
    };
    text.text().lines().filter(is_wanted).map(without_name).collect()
}

#[tokio::test]
async fn a_transport_stream_needs_nothing_more() {
    assert_eq!(
        tags(&served(&[TS, TS]).await, 4).await,
        ["#EXT-X-VERSION:3", "#EXT-X-INDEPENDENT-SEGMENTS"]
    );
    assert_eq!(tags(&served(&[TS, MID_GOP]).await, 4).await[0], "#EXT-X-VERSION:3");
    let dependent = tags(&served(&[TS, MID_GOP]).await, 4).await;
    assert!(!dependent.contains(&"#EXT-X-INDEPENDENT-SEGMENTS".to_owned()), "{dependent:?}");
}

#[tokio::test]
async fn fragmented_mp4_is_announced_with_its_initialization_section() {
    let served = served(&[MP4, MP4, AV1]).await;
    let is_moof = |bytes: &[u8], from: usize| {
        [b"moof", b"styp", b"sidx"].iter().any(|kind| bytes[from + 4..].starts_with(*kind))
    };
    let init = |bytes: &[u8]| (0..bytes.len()).find(|from| is_moof(bytes, *from)).unwrap();
    let (mp4, av1) = (init(MP4), init(AV1));
    assert_eq!(
        tags(&served, 6).await,
        [
            "#EXT-X-VERSION:6".to_owned(),
            "#EXT-X-INDEPENDENT-SEGMENTS".to_owned(),
            format!("#EXT-X-MAP:BYTERANGE=\"{mp4}@0\""),
            format!("#EXT-X-BYTERANGE:{}@{mp4}", MP4.len() - mp4),
            format!("#EXT-X-BYTERANGE:{}@{mp4}", MP4.len() - mp4),
            "#EXT-X-DISCONTINUITY".to_owned(),
            format!("#EXT-X-MAP:BYTERANGE=\"{av1}@0\""),
            format!("#EXT-X-BYTERANGE:{}@{av1}", AV1.len() - av1),
        ]
    );
}

#[tokio::test]
async fn a_transport_stream_after_fragmented_mp4_has_its_tables_for_initialization() {
    let served = served(&[MP4, TS, TS]).await;
    let tags = tags(&served, 6).await;
    assert_eq!(tags[4..], ["#EXT-X-DISCONTINUITY", "#EXT-X-MAP:BYTERANGE=\"376@188\""], "{tags:?}");
    // PAT and PMT; the packet in front is another one
    assert_eq!(
        (TS[188..192].to_vec(), TS[376..380].to_vec()),
        (vec![0x47, 0x40, 0, 0x10], vec![0x47, 0x50, 0, 0x10])
    );
}

#[tokio::test]
async fn a_list_names_a_playlist_for_each_container() {
    let served = served(&[TS, TS, MP4, MP4, TS]).await;
    let all = format!("?start={}Z&end={}Z", at(0), at(10));
    let list = served.get(&format!("/playlist/chan/source.m3u{all}")).await;
    assert_eq!((list.status, list.header("content-type")), (200, Some("audio/x-mpegurl")));
    let stretch = |start, end| format!("source.m3u8?start={}Z&end={}Z", at(start), at(end));
    let stretches = [stretch(0, 4), stretch(4, 8), stretch(8, 10)];
    assert_eq!(list.text(), format!("#EXTM3U\n{}\n", stretches.join("\n")));
    // together they are the whole, and each of them ends
    let mut segments = Vec::new();
    for stretch in stretches {
        let text = served.get(&format!("/playlist/chan/{stretch}")).await;
        assert!(text.text().ends_with("#EXT-X-ENDLIST\n"), "{}", text.text());
        assert!(!text.text().contains("DISCONTINUITY"), "{}", text.text());
        segments
            .extend(text.text().lines().filter(|line| line.starts_with('/')).map(str::to_owned));
    }
    let whole = served.get(&format!("/playlist/chan/source.m3u8{all}")).await;
    assert!(whole.text().lines().filter(|line| line.starts_with('/')).eq(segments));

    let open = served.get("/playlist/chan/source.m3u").await;
    assert!(open.text().ends_with(&format!("source.m3u8?start={}Z\n", at(8))), "{}", open.text());
    let one = served.get(&format!("/playlist/chan/source.m3u?end={}Z", at(3))).await;
    assert_eq!(one.text(), format!("#EXTM3U\nsource.m3u8?end={}Z\n", at(3)));
    assert_eq!(served.get("/playlist/chan/none.m3u").await.status, 404);
}

#[tokio::test]
async fn a_listed_playlist_ends_though_the_container_changes_behind_a_damaged_segment() {
    let served = served(&[TS, TS]).await;
    served.segment("source", 4, Completeness::Partial, TS).await;
    served.segment("source", 6, Completeness::Full, MP4).await;
    let list = served.get(&format!("/playlist/chan/source.m3u?end={}Z", at(8))).await;
    let entries: Vec<&str> = list.text().lines().skip(1).collect();
    assert_eq!(entries.len(), 2, "{entries:?}");
    for (entry, segments) in entries.into_iter().zip([2, 1]) {
        let text = served.get(&format!("/playlist/chan/{entry}")).await;
        let count = text.text().lines().filter(|line| line.starts_with('/')).count();
        assert_eq!(count, segments, "{}", text.text());
        assert!(text.text().ends_with("#EXT-X-ENDLIST\n"), "{}", text.text());
    }
}

#[tokio::test]
async fn a_variant_is_what_its_newest_segment_shows() {
    let served = Served::new();
    served.segment("source", 0, Completeness::Full, AV1).await;
    served.segment("source", 2, Completeness::Full, TS).await;
    let text = served.get("/playlist/chan.m3u8").await;
    let text = text.text();
    for attribute in ["CODECS=\"avc1.", ",mp4a.40.2\"", "RESOLUTION=", "FRAME-RATE="] {
        assert!(text.contains(attribute), "{attribute} in {text}");
    }
    served.segment("source", 4, Completeness::Full, AV1).await;
    let text = served.get("/playlist/chan.m3u8").await;
    assert!(text.text().contains("CODECS=\"av01."), "{}", text.text());
}

#[tokio::test]
async fn a_segment_that_shows_nothing_is_read_once() {
    let served = Served::new();
    let text = async || served.get("/playlist/chan.m3u8").await.text().to_owned();
    let garbage = served.segment("source", 0, Completeness::Full, b"garbage").await;
    assert!(!text().await.contains("CODECS"));
    // no file is ever changed, so who sees this one read it again
    std::fs::write(served.stored(&garbage), TS).unwrap();
    served.segment("source", 2, Completeness::Full, b"more garbage").await;
    assert!(!text().await.contains("CODECS"), "each new segment has the others read again");
}
