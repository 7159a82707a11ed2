use std::path::Path;

use common::format::codec::nal::Syntax;
use common::format::segment::Completeness;
use common::io::http::client::Error;

use super::{Served, at};

/// One range, in seconds.
fn range(start: i64, end: i64) -> String {
    format!("range={},{}", at(start), at(end))
}

async fn cut(served: &Served, query: &str) -> (u16, String) {
    let answer = served.get(&format!("/cut/chan/source.ts?{query}")).await;
    (answer.status, answer.text().to_owned())
}

#[tokio::test]
async fn a_cut_is_the_segments_of_its_ranges() {
    let served = Served::with(&[0, 2, 4, 6]).await;
    let span = format!("start={}&end={}", at(1), at(5));
    assert_eq!(cut(&served, &span).await, (200, "024".to_owned()));
    let ranges = format!("{}&{}", range(4, 8), range(0, 2));
    assert_eq!(cut(&served, &ranges).await, (200, "460".to_owned()));
    for extra in ["&transition=", "&transition=fade,0.5", "&transition=a_b-c,1", "&type=rough"] {
        assert_eq!(cut(&served, &format!("{ranges}{extra}")).await.0, 200, "{extra}");
    }
}

#[tokio::test]
async fn missing_video_is_named() {
    let served = Served::with(&[0, 4]).await;
    let whole = range(0, 6);
    let lacks = "source lacks 2026-11-20 10:00:02.000 to 10:00:04.000\n";
    assert_eq!(cut(&served, &whole).await, (406, lacks.to_owned()));
    assert_eq!(cut(&served, &format!("{whole}&allow_holes=false")).await.0, 406);
    let allowed = cut(&served, &format!("{whole}&allow_holes=true")).await;
    assert_eq!(allowed, (200, "04".to_owned()));
    let nothing = cut(&served, &format!("{}&allow_holes=true", range(2, 4))).await;
    let has_none = "source has no video from 2026-11-20 10:00:02.000 to 10:00:04.000\n";
    assert_eq!(nothing, (406, has_none.to_owned()));
}

#[tokio::test]
async fn a_cut_tells_its_container() {
    let served = Served::new();
    let mut packet = vec![0; 188];
    packet[0] = 0x47;
    let full = Completeness::Full;
    served.segment("source", 0, full, &packet).await;
    served.segment("fmp4", 0, full, b"\0\0\0\x18ftypiso5").await;
    for (quality, expected) in [("source", "video/mp2t"), ("fmp4", "video/mp4")] {
        let answer = served.get(&format!("/cut/chan/{quality}.ts?{}", range(0, 2))).await;
        assert_eq!(answer.header("content-type"), Some(expected));
    }
}

#[tokio::test]
async fn a_cut_that_breaks_off_does_not_pass_as_whole() {
    let served = Served::new();
    let full = Completeness::Full;
    // more than is held anywhere on the way, so that the client has some when the end fails
    served.segment("source", 0, full, &vec![0; 8 << 20]).await;
    let gone = served.segment("source", 2, full, b"soon gone").await;
    vanish(&served.stored(&gone));
    let request = served.client.get(served.url(&format!("/cut/chan/source.ts?{}", range(0, 4))));
    let answer = served.client.send("test", request).await.unwrap();
    assert_eq!(answer.status(), 200, "it begins before anybody knows");
    let body = answer.bytes(16 << 20).await;
    assert!(matches!(body, Err(Error::Transport(_))), "{body:?}");
    // what fails before anything was sent can still be told
    let (status, sentence) = cut(&served, &range(2, 4)).await;
    assert_eq!(status, 500, "{sentence}");
}

/// Replaces a file by a link that leads nowhere, which is listed like the file that it was.
fn vanish(path: &Path) {
    std::fs::remove_file(path).unwrap();
    std::os::unix::fs::symlink("nowhere", path).unwrap();
}

/// 12 pictures in 0.4 s, of which the first can be decoded by itself, and sound.
const TS: &[u8] = include_bytes!("../../../common/testdata/media/h264-aac.ts");
const MP4: &[u8] = include_bytes!("../../../common/testdata/media/h264-aac.mp4");

/// When each picture of a transport stream is shown, in ticks of 90 kHz.
fn shown(bytes: &[u8]) -> Vec<u64> {
    let pictures = common::format::media::pictures(bytes, 0x100, Syntax::H264).pictures;
    pictures.iter().map(|picture| picture.pts).collect()
}

#[tokio::test]
async fn an_exact_cut_begins_and_ends_where_it_is_told() {
    let served = Served::new();
    served.segment("source", 0, Completeness::Full, TS).await;
    let hour = "2026-11-20T10:00";
    let query = format!("start={hour}:00.1&end={hour}:00.3&allow_holes=true");
    let answer = served.get(&format!("/cut/chan/source.ts?{query}&type=smart")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("video/mp2t")));
    let expected: Vec<u64> = (0..6).map(|picture| picture * 3000).collect();
    assert_eq!(shown(&answer.body), expected);
    // with the time stamps of the recording
    let answer = served.get(&format!("/cut/chan/source.ts?{query}&type=fast")).await;
    let begin = shown(TS)[3];
    let expected: Vec<u64> = (0..6).map(|picture| begin + picture * 3000).collect();
    assert_eq!(shown(&answer.body), expected);
}

#[tokio::test]
async fn a_full_cut_shows_the_same_coded_anew() {
    let served = Served::new();
    served.segment("source", 0, Completeness::Full, TS).await;
    let hour = "2026-11-20T10:00";
    let query = format!("start={hour}:00.1&end={hour}:00.3&allow_holes=true");
    let answer = served.get(&format!("/cut/chan/source.ts?{query}&type=mpegts")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("video/mp2t")));
    let (shown, first) = (shown(&answer.body), shown(&answer.body)[0]);
    let mut after: Vec<u64> = shown.iter().map(|pts| pts - first).collect();
    after.sort_unstable();
    assert_eq!(after, (0..6).map(|picture| picture * 3000).collect::<Vec<_>>());
    let answer = served.get(&format!("/cut/chan/source.ts?{query}&type=webm")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("video/webm")));
    assert!(answer.body.windows(5).any(|bytes| bytes == b"V_VP9"));
    // what cannot be cut exactly is refused here as well
    served.segment("fmp4", 0, Completeness::Full, MP4).await;
    let refused = served.get(&format!("/cut/chan/fmp4.ts?{}&type=mpegts", range(0, 2))).await;
    assert_eq!(refused.status, 406);
}

#[tokio::test]
async fn what_cannot_be_cut_exactly_is_refused_with_a_reason() {
    let served = Served::new();
    served.segment("source", 0, Completeness::Full, MP4).await;
    let sentence = "the segment at 2026-11-20T10:00:00.000000 cannot be cut exactly: it is no MPEG \
                    transport stream. Ask for a rough cut\n";
    for kind in ["smart", "fast"] {
        let query = format!("{}&type={kind}", range(0, 2));
        assert_eq!(cut(&served, &query).await, (406, sentence.to_owned()));
    }
}
