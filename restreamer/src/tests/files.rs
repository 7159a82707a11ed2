use common::base::hash::ContentHash;
use common::format::segment::Completeness;

use super::Served;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Two packets of MPEG-TS and a little more.
fn transport_stream() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=250).cycle().take(400).collect();
    bytes[0] = 0x47;
    bytes[188] = 0x47;
    bytes
}

#[tokio::test]
async fn a_segment_is_served_whole_and_for_ever() {
    let served = Served::new();
    let bytes = transport_stream();
    let path = served.segment("source", 0, Completeness::Full, &bytes).await;
    let answer = served.get(&path).await;
    assert_eq!((answer.status, answer.body == bytes), (200, true));
    assert_eq!(answer.header("content-type"), Some("video/mp2t"));
    assert_eq!(answer.header("content-length"), Some("400"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(answer.header("cache-control"), Some(IMMUTABLE));
    let etag = format!("\"{}\"", ContentHash::of(&bytes));
    assert_eq!(answer.header("etag"), Some(etag.as_str()));

    let head = served.send("HEAD", &path, &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("400"));
    assert_eq!(head.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn a_segment_that_is_known_is_not_sent_again() {
    let served = Served::new();
    let path = served.segment("source", 0, Completeness::Full, b"video").await;
    let etag = ContentHash::of(b"video");
    let asked =
        async |tag: String| served.send("GET", &path, &[&format!("If-None-Match: {tag}")]).await;
    for tag in [format!("\"{etag}\""), format!("\"other\", W/\"{etag}\""), "*".to_owned()] {
        let answer = asked(tag).await;
        assert_eq!((answer.status, answer.body.len()), (304, 0));
        assert_eq!(answer.header("cache-control"), Some(IMMUTABLE));
        assert_eq!(answer.header("etag"), Some(format!("\"{etag}\"").as_str()));
    }
    for tag in ["\"other\"".to_owned(), format!("W/W/\"{etag}\"")] {
        assert_eq!(asked(tag.clone()).await.status, 200, "{tag}");
    }
}

#[tokio::test]
async fn a_part_is_served_as_such() {
    let served = Served::new();
    let bytes = transport_stream();
    let path = served.segment("source", 0, Completeness::Full, &bytes).await;
    let part =
        async |range: &str| served.send("GET", &path, &[&format!("Range: bytes={range}")]).await;
    for (range, expected) in
        [("0-0", 0..1), ("100-199", 100..200), ("390-", 390..400), ("-5", 395..400)]
    {
        let answer = part(range).await;
        assert_eq!((answer.status, &answer.body[..]), (206, &bytes[expected.clone()]), "{range}");
        let told = format!("bytes {}-{}/400", expected.start, expected.end - 1);
        assert_eq!(answer.header("content-range"), Some(told.as_str()));
        assert_eq!(answer.header("content-length"), Some(expected.len().to_string().as_str()));
    }
    let past_the_end = part("400-").await;
    assert_eq!((past_the_end.status, past_the_end.text()), (416, "the file has 400 bytes\n"));
    assert_eq!(past_the_end.header("content-range"), Some("bytes */400"));
    assert_eq!(part("0-1,3-4").await.status, 200, "several parts are the whole");
    let another = ["Range: bytes=0-0", "If-Range: \"another\""];
    assert_eq!(served.send("GET", &path, &another).await.status, 200);
}

#[tokio::test]
async fn a_large_file_comes_whole_through_our_own_client() {
    let served = Served::new();
    let bytes: Vec<u8> = (0..=250).cycle().take(3_000_000).collect();
    let path = served.segment("source", 0, Completeness::Full, &bytes).await;
    let request = served.client.get(served.url(&path));
    let answer = served.client.send("test", request).await.unwrap();
    assert_eq!(answer.content_length(), Some(3_000_000));
    assert!(answer.bytes(4_000_000).await.unwrap() == bytes);
}

#[tokio::test]
async fn parts_of_a_large_segment_are_its_bytes() {
    let served = Served::new();
    let bytes: Vec<u8> = (0..=250).cycle().take(3_000_000).collect();
    let path = served.segment("source", 0, Completeness::Full, &bytes).await;
    for (first, last) in
        [(0, 2_999_999), (1, 1_048_577), (1_048_575, 2_500_000), (2_999_999, 2_999_999)]
    {
        let range = format!("Range: bytes={first}-{last}");
        let answer = served.send("GET", &path, &[&range]).await;
        assert_eq!(answer.status, 206, "{range}");
        assert!(answer.body == bytes[first..=last], "{range}");
    }
    let head = served.send("HEAD", &path, &["Range: bytes=5-9"]).await;
    assert_eq!((head.body.len(), head.header("content-length")), (0, Some("5")));
}

#[tokio::test]
async fn links_within_the_base_folder_are_followed() {
    let served = Served::new();
    let path = served.segment("source", 0, Completeness::Full, b"video").await;
    let base = served.base.path();
    for (target, link) in [
        (base.join("chan"), "absolute"),
        ("chan".into(), "relative"),
        ("../chan/source".into(), "other"),
    ] {
        let link = if link == "other" { base.join("absolute/other") } else { base.join(link) };
        std::os::unix::fs::symlink(target, link).unwrap();
    }
    for channel in ["absolute", "relative"] {
        let linked = path.replace("/chan/", &format!("/{channel}/"));
        assert_eq!(served.get(&linked).await.text(), "video", "{channel}");
    }
    assert_eq!(served.get(&path.replace("/source/", "/other/")).await.text(), "video");
    std::fs::write(served.stored(&path.replace(".ts", ".tombstone")), b"").unwrap();
    for channel in ["absolute", "relative"] {
        let linked = path.replace("/chan/", &format!("/{channel}/"));
        assert_eq!(served.get(&linked).await.status, 404, "a tombstone holds through links too");
    }
}

#[tokio::test]
async fn what_is_no_file_is_not_there() {
    let served = Served::new();
    let base = served.base.path();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        base.join("pipe.ts"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(base.join("socket.ts")).unwrap();
    std::fs::create_dir(base.join("folder.ts")).unwrap();
    for name in ["pipe.ts", "socket.ts", "folder.ts"] {
        let answer = served.get(&format!("/segments/{name}")).await;
        assert_eq!((answer.status, answer.text()), (404, "there is no such file\n"), "{name}");
    }
}

#[tokio::test]
async fn a_new_tombstone_counts_at_once() {
    let served = Served::new();
    let path = served.segment("source", 0, Completeness::Full, b"video").await;
    // that there is none is then known by heart
    for _ in 0..3 {
        assert_eq!(served.get(&path).await.status, 200);
    }
    std::fs::write(served.stored(&path.replace(".ts", ".tombstone")), b"").unwrap();
    assert_eq!(served.get(&path).await.status, 404);
}

#[tokio::test]
async fn types_are_those_of_the_content() {
    let served = Served::new();
    let fragmented =
        served.segment("source", 0, Completeness::Full, b"\0\0\0\x18ftypiso5moov").await;
    let damaged = served.segment("source", 2, Completeness::Suspect, b"<html>").await;
    let empty = served.segment("source", 4, Completeness::Suspect, b"").await;
    served.file("chan/chat/2026-11-20T10/00:00.0-60.0-full-x.json", b"{}");
    served.file("extra/picture.PNG", b"");
    served.file("extra/page.html", b"");
    served.file("extra/nothing", b"");
    let octets = "application/octet-stream";
    for (path, expected) in [
        (fragmented.as_str(), "video/mp4"),
        (&damaged, octets),
        (&empty, octets),
        ("/segments/chan/chat/2026-11-20T10/00:00.0-60.0-full-x.json", "application/json"),
        ("/segments/extra/picture.PNG", "image/png"),
        ("/segments/extra/page.html", octets),
        ("/segments/extra/nothing", octets),
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(expected), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn a_file_without_a_hash_may_change() {
    let served = Served::new();
    served.file("notes/node/chan/x.jsonl", b"one\ntwo\n");
    // outside of an hour it buries nothing
    served.file("notes/node/chan/x.tombstone", b"");
    let path = "/segments/notes/node/chan/x.jsonl";
    let answer = served.get(path).await;
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.header("etag"), None);
    let growth = served.send("GET", path, &["Range: bytes=4-"]).await;
    assert_eq!((growth.status, growth.text()), (206, "two\n"));
    let known = served.send("GET", path, &["If-None-Match: *"]).await;
    assert_eq!(known.status, 200, "nothing says that it is the same");
}

#[tokio::test]
async fn what_must_not_be_read_is_not_there() {
    let served = Served::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.ts"), b"secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), served.base.path().join("out")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.ts"), served.base.path().join("x.ts"))
        .unwrap();
    served.file("chan/source/2026-11-20T10/00:00.000000-2.0-temp-x.ts", b"half");
    let buried = served.segment("source", 2, Completeness::Full, b"video").await;
    let tombstone = buried.replace(".ts", ".tombstone");
    std::fs::write(served.stored(&tombstone), b"").unwrap();
    for path in [
        "/segments/out/secret.ts",
        "/segments/x.ts",
        "/segments/chan/source/2026-11-20T10/00:00.000000-2.0-temp-x.ts",
        &buried,
    ] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.text()), (404, "there is no such file\n"), "{path}");
    }
    assert_eq!(served.get(&tombstone).await.status, 200, "tombstones replicate as files");
}
