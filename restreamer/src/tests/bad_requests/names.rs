//! Paths: names that lead elsewhere, names of nothing, and addresses of nothing.

use super::{Served, refused};

const DOT: &str = "the address names no file: a name must not start with a dot";
const CHARACTER: &str =
    "the address names no file: a name must not hold a slash, a backslash or a control character";
const ENCODING: &str = "the address names no file: a name must be UTF-8";
const LENGTH: &str = "the address names no file: a name must not be longer than 255 bytes";
const EMPTY: &str = "the address names no file: a name is empty";
const NOTHING: &str = "there is nothing at this address";

/// Names that must not be used, wherever in a path they are.
const BAD_NAMES: [(&str, &str); 16] = [
    ("..", DOT),
    (".", DOT),
    (".hidden", DOT),
    ("%2e%2e", DOT),
    ("%2E%2E%2Fsecret", DOT),
    ("..%5csecret", DOT),
    ("a%2fb", CHARACTER),
    ("a%2F..%2Fsecret", CHARACTER),
    ("%2fetc", CHARACTER),
    ("a%5Cb", CHARACTER),
    ("a%00b", CHARACTER),
    ("%00", CHARACTER),
    ("a%0Ab", CHARACTER),
    ("a%7fb", CHARACTER),
    ("a%ffb", ENCODING),
    ("%c0%ae%c0%ae", ENCODING),
];

/// Every place in a path where a name can be, as `*`.
const PLACES: [&str; 25] = [
    "/files/*",
    "/files/*/source",
    "/files/*/source/2026-11-20T10",
    "/files/chan/*",
    "/files/chan/*/2026-11-20T10",
    "/files/chan/source/*",
    "/extras/*",
    "/extras/chan/*/source",
    "/segments/*",
    "/segments/chan/source/2026-11-20T10/*",
    "/segments/*/secret",
    "/playlist/*.m3u8",
    "/playlist/*/source.m3u8",
    "/playlist/chan/*.m3u8",
    "/playlist/chan/*.m3u",
    "/cut/*/source.ts",
    "/cut/chan/*.ts",
    "/waveform/*/source.png",
    "/waveform/chan/*.png",
    "/frame/*/source.png",
    "/frame/chan/*.png",
    "/thumbnail/*/source.png",
    "/thumbnail/chan/*.png",
    "/*/chat.json",
    "/extras/notes/*",
];

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused_everywhere() {
    let served = Served::with(&[0]).await;
    served.file("secret", b"secret");
    let long = "x".repeat(256);
    let longer = "%c3%bc".repeat(2100);
    let long_names = [(long.as_str(), LENGTH), (longer.as_str(), LENGTH)];
    for place in PLACES {
        for (name, sentence) in BAD_NAMES.iter().chain(&long_names) {
            refused(&served, &place.replace('*', name), 403, sentence).await;
        }
    }
    for (name, sentence) in BAD_NAMES.iter().chain(&long_names) {
        for place in ["/thumbnail/*/source.png", "/generate_videos/*/source"] {
            let path = place.replace('*', name);
            let answer = served.send("POST", &path, &[]).await;
            super::check(&answer, &format!("POST {path}"), 403, sentence);
        }
    }
}

#[tokio::test]
async fn unknown_things_are_not_found_but_for_listings() {
    let served = Served::with(&[0]).await;
    served.file("chan/chat/2026-11-20T10/00:00.000000-60.0-full-x.json", b"{}");
    served.file("file", b"");
    let file = "there is no such file";
    let chat = "chat is no video";
    let nobody = "nothing is stored of nobody/source";
    let no_quality = "nothing is stored of chan/1080p";
    let span = "start=2026-11-20T10:00&end=2026-11-20T11:00";
    let instant = "timestamp=2026-11-20T10:00";
    let long_path = format!("/segments/{}", vec!["x".repeat(255); 20].join("/"));
    for (path, sentence) in [
        ("/segments/nobody/source/2026-11-20T10/x.ts", file),
        ("/segments/chan/1080p/2026-11-20T10/x.ts", file),
        ("/segments/chan/source/2026-11-20T11/x.ts", file),
        ("/segments/chan/source/2026-11-20T10/x.ts", file),
        ("/segments/chan/source/2026-11-20T10", file),
        ("/segments/chan/source/2026-11-20T10/x.ts/y", file),
        (&long_path, file),
        ("/playlist/nobody.m3u8", "nothing is stored of nobody"),
        ("/playlist/nobody/source.m3u8", nobody),
        ("/playlist/chan/1080p.m3u8", no_quality),
        ("/playlist/chan/chat.m3u8", chat),
        ("/playlist/chan/chat.m3u", chat),
        (&format!("/cut/nobody/source.ts?{span}"), nobody),
        (&format!("/cut/chan/1080p.ts?{span}"), no_quality),
        (&format!("/cut/chan/chat.ts?{span}"), chat),
        (&format!("/waveform/nobody/source.png?{span}"), nobody),
        (&format!("/waveform/chan/1080p.png?{span}"), no_quality),
        (&format!("/waveform/chan/chat.png?{span}"), chat),
        (&format!("/frame/nobody/source.png?{instant}"), nobody),
        (&format!("/frame/chan/1080p.png?{instant}"), no_quality),
        (&format!("/frame/chan/chat.png?{instant}"), chat),
        (&format!("/thumbnail/chan/chat.png?{instant}"), chat),
        (&format!("/nobody/chat.json?{span}"), "nothing is stored of nobody"),
        (&format!("/file/chat.json?{span}"), "nothing is stored of file"),
    ] {
        refused(&served, path, 404, sentence).await;
    }
    for path in [
        "/files/nobody",
        "/files/nobody/source",
        "/files/file",
        "/files/file/source",
        "/files/chan/1080p",
        "/files/chan/source/2026-11-20T11",
        "/files/chan/source/notanhour",
        "/files/chan/source/2026-11-20T24",
        "/extras/nobody",
        "/extras/nobody/below",
        "/extras/file",
    ] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.text()), (200, "[]"), "{path}");
    }
}

#[tokio::test]
async fn addresses_of_nothing_are_told_so() {
    let served = Served::with(&[0]).await;
    for (path, sentence) in [
        ("/", NOTHING),
        ("//", NOTHING),
        ("/chan", NOTHING),
        ("/files/", NOTHING),
        ("/files//source", EMPTY),
        ("/files/chan/", NOTHING),
        ("/files/chan/source/2026-11-20T10/x.ts", NOTHING),
        ("/extras", NOTHING),
        ("/extras/", NOTHING),
        ("/extras/notes//x", EMPTY),
        ("/segments", NOTHING),
        ("/segments/chan//x.ts", EMPTY),
        ("/segments/chan/", EMPTY),
        ("/playlist/chan", "the address does not end in .m3u8"),
        ("/playlist/chan/source", "the address does not end in .m3u8"),
        ("/playlist/chan/source.m3", "the address does not end in .m3u8"),
        ("/playlist/chan/source.M3U8", "the address does not end in .m3u8"),
        ("/playlist/.m3u8", ""),
        ("/playlist//source.m3u8", EMPTY),
        ("/playlist/chan/source.m3u8/x", NOTHING),
        ("/cut/chan", NOTHING),
        ("/cut/chan/source", "the address does not end in .ts"),
        ("/cut/chan/source.webm", "the address does not end in .ts"),
        ("/waveform/chan", NOTHING),
        ("/waveform/chan/source.jpg", "the address does not end in .png"),
        ("/frame/chan/source", "the address does not end in .png"),
        ("/thumbnail/chan/source.jpeg", "the address does not end in .png"),
        ("/chan/chat", NOTHING),
        ("/chan/chat.json/x", NOTHING),
        ("/chan/chat%2ejson", NOTHING),
        ("//chat.json", EMPTY),
        ("/generate_videos/chan", NOTHING),
        ("/metrics/other", NOTHING),
    ] {
        match sentence {
            // a name that is all extension starts with a dot
            "" => refused(&served, path, 403, DOT).await,
            _ => refused(&served, path, 404, sentence).await,
        }
    }
}

#[tokio::test]
async fn the_address_of_chat_takes_none_from_others() {
    let served = Served::with(&[0]).await;
    for (path, status) in [
        ("/files/chat.json", 200),
        ("/extras/chat.json", 200),
        ("/segments/chat.json", 404),
        ("/playlist/chat.json", 404),
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.text().starts_with("start:"), "{path}: {}", answer.text());
    }
}
