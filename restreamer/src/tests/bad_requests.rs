//! Requests that must be refused, each with its status and its sentence.

use super::Served;

const TIME: &str = "is no time: write it like 2026-11-20T10:00:00 or 2026-11-20T10:00:00.5Z (UTC)";
const DOT: &str = "the address names no file: a name must not start with a dot";
const CHARACTER: &str =
    "the address names no file: a name must not hold a slash, a backslash or a control character";

async fn check(served: &Served, path: &str, status: u16, sentence: &str) {
    let answer = served.get(path).await;
    assert_eq!(answer.status, status, "{path}: {}", answer.text());
    assert_eq!(answer.text(), format!("{sentence}\n"), "{path}");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused_everywhere() {
    let served = Served::with(&[0]).await;
    served.file("secret", b"secret");
    let long = "x".repeat(256);
    let long = long.as_str();
    for (name, problem) in [
        ("..", DOT),
        (".", DOT),
        (".hidden", DOT),
        ("%2e%2e", DOT),
        ("%2E%2E%2Fsecret", DOT),
        ("a%2fb", CHARACTER),
        ("a%5Cb", CHARACTER),
        ("a%00b", CHARACTER),
        ("a%0Ab", CHARACTER),
        ("a%ff", "the address names no file: a name must be UTF-8"),
        ("%c0%ae%c0%ae", "the address names no file: a name must be UTF-8"),
        (long, "the address names no file: a name must not be longer than 255 bytes"),
    ] {
        for path in [
            format!("/files/{name}"),
            format!("/files/{name}/source/2026-11-20T10"),
            format!("/files/chan/{name}"),
            format!("/files/chan/source/{name}"),
            format!("/extras/{name}"),
            format!("/extras/chan/{name}/source"),
            format!("/segments/{name}"),
            format!("/segments/chan/source/2026-11-20T10/{name}"),
            format!("/segments/{name}/secret"),
            format!("/playlist/{name}.m3u8"),
            format!("/playlist/{name}/source.m3u8"),
            format!("/playlist/chan/{name}.m3u8"),
            format!("/cut/{name}/source.ts"),
            format!("/cut/chan/{name}.ts"),
        ] {
            check(&served, &path, 403, problem).await;
        }
    }
}

#[tokio::test]
async fn unknown_things_are_not_found_but_for_listings() {
    let served = Served::with(&[0]).await;
    served.file("chan/chat/2026-11-20T10/00:00.000000-60.0-full-x.json", b"{}");
    served.file("file", b"");
    let file = "there is no such file";
    let long_path = format!("/segments/{}", vec!["x".repeat(255); 20].join("/"));
    let span = "?start=2026-11-20T10:00&end=2026-11-20T11:00";
    let empty = "the address names no file: a name is empty";
    for (path, sentence) in [
        ("/segments/nobody/source/2026-11-20T10/x.ts", file),
        ("/segments/chan/source/2026-11-20T10", file),
        ("/segments/chan/source/2026-11-20T10/x.ts/y", file),
        (long_path.as_str(), file),
        ("/segments/chan//x.ts", empty),
        ("/segments/chan/", empty),
        ("/playlist/chan/source.m3u", "the address does not end in .m3u8"),
        ("/playlist/chan", "the address does not end in .m3u8"),
        ("/cut/chan/source.webm", "the address does not end in .ts"),
        ("/playlist/nobody.m3u8", "nothing is stored of nobody"),
        ("/playlist/nobody/source.m3u8", "nothing is stored of nobody/source"),
        ("/playlist/chan/1080p.m3u8", "nothing is stored of chan/1080p"),
        ("/playlist/chan/chat.m3u8", "chat is no video"),
        (&format!("/cut/chan/chat.ts{span}"), "chat is no video"),
        (&format!("/cut/nobody/source.ts{span}"), "nothing is stored of nobody/source"),
        (&format!("/cut/chan/1080p.ts{span}"), "nothing is stored of chan/1080p"),
        ("/waveform/chan/source.png", "there is nothing at this address"),
        ("/", "there is nothing at this address"),
        ("/extras/", "there is nothing at this address"),
    ] {
        check(&served, path, 404, sentence).await;
    }
    for path in [
        "/files/nobody",
        "/files/nobody/source",
        "/files/file",
        "/files/file/source",
        "/files/chan/1080p",
        "/files/chan/source/2026-11-20T11",
        "/files/chan/source/notanhour",
        "/extras/nobody",
        "/extras/nobody/below",
    ] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.text()), (200, "[]"), "{path}");
    }
}

#[tokio::test]
async fn bad_spans_are_named() {
    let served = Served::with(&[0, 7200, 43_200]).await;
    for (query, sentence) in [
        ("start=", &format!("start: \"\" {TIME}")),
        ("start=yesterday", &format!("start: \"yesterday\" {TIME}")),
        ("end=2026-11-20", &format!("end: \"2026-11-20\" {TIME}")),
        ("end=2026-11-20T24:00:00", &format!("end: \"2026-11-20T24:00:00\" {TIME}")),
        ("end=1763632800", &format!("end: \"1763632800\" {TIME}")),
        (
            "start=2026-11-20T10:00:00+01:00",
            &format!("start: \"2026-11-20T10:00:00 01:00\" {TIME}; a + is written %2B"),
        ),
        ("start=%ff", &format!("start: \"\u{fffd}\" {TIME}")),
        (
            "start=2026-11-20T10:00&start=2026-11-20T11:00",
            &"start: it is given more than once".to_owned(),
        ),
        ("start=2026-11-20T10:00&end=2026-11-20T10:00", &"start: it must be before end".to_owned()),
        (
            "start=2026-11-20T10:00&end=2026-11-20T11:00%2B02:00",
            &"start: it must be before end".to_owned(),
        ),
    ] {
        check(&served, &format!("/playlist/chan.m3u8?{query}"), 400, sentence).await;
        check(&served, &format!("/playlist/chan/source.m3u8?{query}"), 400, sentence).await;
    }
    let too_long = "without it the playlist would be longer than 12 hours";
    for (query, missing) in
        [("", "start"), ("?start=2026-11-20T10:00", "end"), ("?end=2026-11-20T22:30", "start")]
    {
        let path = format!("/playlist/chan/source.m3u8{query}");
        check(&served, &path, 400, &format!("{missing}: {too_long}")).await;
    }
}

#[tokio::test]
async fn bad_cuts_are_named() {
    let served = Served::with(&[0]).await;
    let (a, b) = ("2026-11-20T10:00:00", "2026-11-20T10:00:02");
    let span = format!("start={a}&end={b}");
    let many = format!("range={a},{b}&").repeat(201);
    for (query, status, sentence) in [
        (String::new(), 400, "start: it is missing"),
        (format!("end={b}"), 400, "start: it is missing"),
        (format!("start={a}"), 400, "end: it is missing"),
        (format!("start={b}&end={a}"), 400, "start: it must be before end"),
        (format!("{span}&range={a},{b}"), 400, "range: give either ranges or start and end"),
        (format!("start={a}&range={a},{b}"), 400, "range: give either ranges or start and end"),
        (format!("range={a}"), 400, "range: it must be START,END"),
        (format!("range={b},{a}"), 400, "range: its start must be before its end"),
        (format!("range={a},x"), 400, &format!("range: \"x\" {TIME}")),
        (format!("range={a},{b},{b}"), 400, &format!("range: \"{b},{b}\" {TIME}")),
        (many, 400, "range: there are more than 200"),
        (
            "range=2000-01-01T00:00,2026-01-01T00:00".to_owned(),
            400,
            "range: the ranges are longer than 400 hours in all",
        ),
        (format!("{span}&transition="), 400, "transition: there must be one fewer than ranges"),
        (
            format!("range={a},{b}&range={a},{b}&transition=fade"),
            400,
            "transition: it must be TYPE,SECONDS, or empty for a hard cut",
        ),
        (format!("{span}&type=best"), 400, "type: it must be rough, fast, smart, mpegts or webm"),
        (format!("{span}&allow_holes=1"), 400, "allow_holes: it must be true or false"),
        (format!("{span}&type=smart"), 501, "this node makes rough cuts only: ask for type=rough"),
    ] {
        check(&served, &format!("/cut/chan/source.ts?{query}"), status, sentence).await;
    }
    for seconds in ["", "0", "-1", "1e3", "nan", "inf", "+1", "3601", "1,2"] {
        let query = format!("range={a},{b}&range={a},{b}&transition=fade,{seconds}");
        let sentence = "transition: it must be TYPE,SECONDS, or empty for a hard cut";
        check(&served, &format!("/cut/chan/source.ts?{query}"), 400, sentence).await;
    }
}

#[tokio::test]
async fn other_bad_parameters_are_named() {
    let served = Served::with(&[0]).await;
    let path = "/files/chan/source/2026-11-20T10?tombstones=yes";
    check(&served, path, 400, "tombstones: it must be true or false").await;
    let answer = served.send("DELETE", "/files", &[]).await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn what_went_wrong_inside_stays_inside() {
    let served = Served::with(&[0]).await;
    // a folder that is a link in a circle cannot be listed, which is no client's fault
    std::os::unix::fs::symlink("circle", served.base.path().join("circle")).unwrap();
    for path in ["/files/circle", "/segments/circle", "/extras/circle"] {
        let answer = served.get(path).await;
        assert_eq!(answer.status, 500, "{path}");
        assert_eq!(answer.text(), "something is wrong on this node; its log says what\n");
    }
}
