//! Queries and bodies: parameters that are missing, given twice, or not what they should be.

use super::{Served, check, refused};

const A: &str = "2026-11-20T10:00:00";
const B: &str = "2026-11-20T10:00:02";
const RANGE: &str = "start=2026-11-20T10:00:00&end=2026-11-20T10:00:02";
const TWICE: &str = "it is given more than once";
const MISSING: &str = "it is missing";
const TIME: &str = "is no time: write it like 2026-11-20T10:00:00 or 2026-11-20T10:00:00.5Z (UTC)";

/// Every parameter that is an instant, at the end of an address that is right so far.
const TIMES: [&str; 14] = [
    "/playlist/chan.m3u8?start=",
    "/playlist/chan.m3u8?end=",
    "/playlist/chan/source.m3u8?start=",
    "/playlist/chan/source.m3u8?end=",
    "/cut/chan/source.ts?start=",
    "/cut/chan/source.ts?start=2026-11-20T10:00&end=",
    "/waveform/chan/source.png?start=",
    "/waveform/chan/source.png?start=2026-11-20T10:00&end=",
    "/frame/chan/source.png?timestamp=",
    "/thumbnail/chan/source.png?timestamp=",
    "/thumbnail/chan/source.png?template=x&timestamp=",
    "/chan/chat.json?start=",
    "/chan/chat.json?start=2026-11-20T10:00&end=",
    "/chan/chat.json?end=2026-11-20T10:00&start=",
];

#[tokio::test]
async fn what_is_no_time_is_named() {
    let served = Served::with(&[0]).await;
    let long = "9".repeat(1000);
    let quoted = "9".repeat(40);
    for address in TIMES {
        let parameter = address.trim_end_matches('=').rsplit(['?', '&']).next().unwrap();
        for (value, read) in [
            ("", ""),
            ("yesterday", "yesterday"),
            ("now", "now"),
            ("2026-11-20", "2026-11-20"),
            ("2026-11-20%2010:00", "2026-11-20 10:00"),
            ("2026-11-20T10", "2026-11-20T10"),
            ("2026-02-30T10:00", "2026-02-30T10:00"),
            ("2026-11-20T24:00:00", "2026-11-20T24:00:00"),
            ("2026-11-20T10:00:60", "2026-11-20T10:00:60"),
            ("2026-11-20T10:00:00.", "2026-11-20T10:00:00."),
            ("2026-11-20T10:00:00.1234567890", "2026-11-20T10:00:00.1234567890"),
            ("2026-11-20T10:00:00CET", "2026-11-20T10:00:00CET"),
            ("1763632800", "1763632800"),
            ("-60s", "-60s"),
            ("%ff", "\u{fffd}"),
            ("%00", "\\0"),
            ("../x", "../x"),
            (&long, &quoted),
        ] {
            let hint = if read.contains(' ') { "; a + is written %2B" } else { "" };
            let sentence = format!("{parameter}: \"{read}\" {TIME}{hint}");
            refused(&served, &format!("{address}{value}"), 400, &sentence).await;
        }
        let unescaped = format!("{address}2026-11-20T10:00:00+01:00");
        let sentence =
            format!("{parameter}: \"2026-11-20T10:00:00 01:00\" {TIME}; a + is written %2B");
        refused(&served, &unescaped, 400, &sentence).await;
        let twice = format!("{address}{A}&{parameter}={B}");
        refused(&served, &twice, 400, &format!("{parameter}: {TWICE}")).await;
        let often = format!("{address}{A}{}", format!("&{parameter}={A}").repeat(600));
        refused(&served, &often, 400, &format!("{parameter}: {TWICE}")).await;
    }
}

#[tokio::test]
async fn what_is_no_range_is_named() {
    let served = Served::with(&[-36_000, 0, 7200]).await;
    let backwards = "start: it must be before end";
    for address in [
        "/playlist/chan.m3u8?",
        "/playlist/chan/source.m3u8?",
        "/cut/chan/source.ts?",
        "/waveform/chan/source.png?",
        "/chan/chat.json?",
    ] {
        for (start, end) in [(B, A), (A, A), (A, "2026-11-20T11:00%2B02:00")] {
            let path = format!("{address}start={start}&end={end}");
            refused(&served, &path, 400, backwards).await;
        }
    }
    for address in ["/cut/chan/source.ts?", "/waveform/chan/source.png?", "/chan/chat.json?"] {
        let missing = |parameter| format!("{parameter}: {MISSING}");
        refused(&served, address, 400, &missing("start")).await;
        refused(&served, &format!("{address}end={B}"), 400, &missing("start")).await;
        refused(&served, &format!("{address}start={A}"), 400, &missing("end")).await;
    }
    let too_long = "without it the playlist would be longer than 12 hours";
    for (query, missing) in
        [("", "start"), ("?start=2026-11-20T00:00", "end"), ("?end=2026-11-20T12:30", "start")]
    {
        let path = format!("/playlist/chan/source.m3u8{query}");
        refused(&served, &path, 400, &format!("{missing}: {too_long}")).await;
    }
    for (address, hours, end) in [
        ("/waveform/chan/source.png", 6, "2026-11-20T16:00:00.000001"),
        ("/waveform/chan/source.png", 6, "9999-12-31T23:59:59"),
        ("/chan/chat.json", 2, "2026-11-20T12:00:00.000001"),
        ("/chan/chat.json", 2, "9999-12-31T23:59:59"),
    ] {
        let sentence = format!("end: it must be at most {hours} hours after start");
        refused(&served, &format!("{address}?start={A}&end={end}"), 400, &sentence).await;
    }
}

#[tokio::test]
async fn bad_cuts_are_named() {
    let served = Served::with(&[0]).await;
    let span = RANGE;
    let many = format!("range={A},{B}&").repeat(201);
    let form = "transition: it must be TYPE,SECONDS, or empty for a hard cut";
    let number = "transition: there must be one fewer than ranges";
    let kind = "type: it must be rough, fast, smart, mpegts or webm";
    let flag = "allow_holes: it must be true or false";
    let later = "this node makes no transitions yet: ask for hard cuts";
    for (query, status, sentence) in [
        (format!("{span}&range={A},{B}"), 400, "range: give either ranges or start and end"),
        (format!("start={A}&range={A},{B}"), 400, "range: give either ranges or start and end"),
        ("range=".to_owned(), 400, "range: it must be START,END"),
        (format!("range={A}"), 400, "range: it must be START,END"),
        (format!("range={B},{A}"), 400, "range: its start must be before its end"),
        (format!("range={A},x"), 400, &format!("range: \"x\" {TIME}")),
        (format!("range=,{A}"), 400, &format!("range: \"\" {TIME}")),
        (format!("range={A},{B},{B}"), 400, &format!("range: \"{B},{B}\" {TIME}")),
        (many, 400, "range: there are more than 200"),
        (
            "range=2000-01-01T00:00,2026-01-01T00:00".to_owned(),
            400,
            "range: the ranges are longer than 400 hours in all",
        ),
        (format!("{span}&transition="), 400, number),
        (format!("range={A},{B}&range={A},{B}&transition=&transition="), 400, number),
        (format!("range={A},{B}&range={A},{B}&transition=fade"), 400, form),
        (format!("range={A},{B}&range={A},{B}&transition=,1"), 400, form),
        (format!("range={A},{B}&range={A},{B}&transition=../x,1"), 400, form),
        (format!("{span}&type="), 400, kind),
        (format!("{span}&type=best"), 400, kind),
        (format!("{span}&type=ROUGH"), 400, kind),
        (format!("{span}&type=rough&type=rough"), 400, &format!("type: {TWICE}")),
        (format!("{span}&allow_holes="), 400, flag),
        (format!("{span}&allow_holes=1"), 400, flag),
        (
            format!("{span}&allow_holes=true&allow_holes=true"),
            400,
            &format!("allow_holes: {TWICE}"),
        ),
        (format!("range={A},{B}&range={A},{B}&transition=fade,1&type=smart"), 501, later),
    ] {
        refused(&served, &format!("/cut/chan/source.ts?{query}"), status, sentence).await;
    }
    for seconds in ["", "0", "-1", "1e3", "nan", "inf", "+1", "3601", "1,2", "500ms", "0.5s"] {
        let query = format!("range={A},{B}&range={A},{B}&transition=fade,{seconds}");
        refused(&served, &format!("/cut/chan/source.ts?{query}"), 400, form).await;
    }
}

#[tokio::test]
async fn bad_flags_and_sizes_are_named() {
    let served = Served::with(&[0]).await;
    let tombstones = "/files/chan/source/2026-11-20T10?tombstones=";
    for value in ["", "yes", "TRUE", "1", "true%00"] {
        let sentence = "tombstones: it must be true or false";
        refused(&served, &format!("{tombstones}{value}"), 400, sentence).await;
    }
    let twice = format!("{tombstones}true&tombstones=true");
    refused(&served, &twice, 400, &format!("tombstones: {TWICE}")).await;

    let waveform = format!("/waveform/chan/source.png?{RANGE}&size=");
    let size = "size: it must be WIDTHxHEIGHT in pixels, like 1024x64, and at most 4096x4096";
    for value in [
        "",
        "1024",
        "x",
        "1024x",
        "x64",
        "0x64",
        "1024x0",
        "4097x64",
        "1024x4097",
        "-1x64",
        "+1x64",
        "1024X64",
        "1024x64x2",
        "1024,64",
        "10cmx5cm",
        "1e3x64",
        "99999999999999999999x64",
        "1024x64px",
    ] {
        refused(&served, &format!("{waveform}{value}"), 400, size).await;
    }
    let twice = format!("{waveform}10x10&size=10x10");
    refused(&served, &twice, 400, &format!("size: {TWICE}")).await;
}

#[tokio::test]
async fn bad_rectangles_are_named() {
    let served = Served::with(&[0]).await;
    for parameter in ["crop", "location"] {
        let thumbnail = format!("/thumbnail/chan/source.png?timestamp={A}&template=x&{parameter}=");
        let sentence = format!(
            "{parameter}: it must be LEFT,TOP,RIGHT,BOTTOM in pixels, like 0,0,1280,720, left before \
             right, top before bottom, and none over 4096"
        );
        for value in [
            "",
            "1",
            "0,0,1280",
            "0,0,1280,720,1",
            "0,0,0,720",
            "0,0,1280,0",
            "5,0,4,720",
            "-1,0,5,5",
            "0,0,1280,4097",
            "0.5,0,1,1",
            "0,0,50%25,50%25",
            "a,b,c,d",
            "0,%200,1280,720",
            "0x0x1x1",
        ] {
            refused(&served, &format!("{thumbnail}{value}"), 400, &sentence).await;
        }
        let twice = format!("{thumbnail}0,0,1,1&{parameter}=0,0,1,1");
        refused(&served, &twice, 400, &format!("{parameter}: {TWICE}")).await;
    }
}

#[tokio::test]
async fn bad_windows_and_updates_are_named() {
    let served = Served::with(&[0]).await;
    let seconds = "last: it must be a whole number of seconds from 1 to 43200";
    for playlist in ["/playlist/chan.m3u8", "/playlist/chan/source.m3u8"] {
        for value in ["", "0", "-1", "+1", "1.5", "43201", "99999999999999999999", "1h", "%201"] {
            refused(&served, &format!("{playlist}?last={value}"), 400, seconds).await;
        }
        refused(&served, &format!("{playlist}?last=1&last=1"), 400, &format!("last: {TWICE}"))
            .await;
        for other in [format!("start={A}"), format!("end={A}")] {
            let sentence = "last: give either last or start and end";
            refused(&served, &format!("{playlist}?last=60&{other}"), 400, sentence).await;
        }
    }
    for value in ["", "NO", "yes", "v3"] {
        let query = format!("/playlist/chan/source.m3u8?_HLS_skip={value}");
        refused(&served, &query, 400, "_HLS_skip: it must be YES or v2").await;
    }
}

#[tokio::test]
async fn bad_instants_and_templates_are_named() {
    let served = Served::with(&[0]).await;
    let thumbnail = format!("/thumbnail/chan/source.png?timestamp={A}");
    let long = format!("{thumbnail}&template={}", "x".repeat(256));
    let dot = "template: a name must not start with a dot";
    let character = "template: a name must not hold a slash, a backslash or a control character";
    for (path, status, sentence) in [
        ("/frame/chan/source.png", 400, "timestamp: it is missing"),
        ("/frame/chan/source.png?time=x", 400, "timestamp: it is missing"),
        (
            &format!("/frame/chan/source.png?timestamp={B}"),
            406,
            "there is no video at that instant",
        ),
        (
            "/frame/chan/source.png?timestamp=0001-01-01T00:00",
            406,
            "there is no video at that instant",
        ),
        (
            "/frame/chan/source.png?timestamp=9999-12-31T23:59:59.999999",
            400,
            "timestamp: it is the end of time",
        ),
        ("/thumbnail/chan/source.png", 400, "timestamp: it is missing"),
        ("/thumbnail/chan/source.png?template=x", 400, "timestamp: it is missing"),
        (&thumbnail, 400, "template: it is missing"),
        (
            &format!("{thumbnail}&template=x&template=x"),
            400,
            "template: it is given more than once",
        ),
        (&format!("{thumbnail}&template="), 400, "template: a name must not be empty"),
        (&format!("{thumbnail}&template=.."), 400, dot),
        (&format!("{thumbnail}&template=%2e%2e%2fx"), 400, dot),
        (&format!("{thumbnail}&template=a/b"), 400, character),
        (&format!("{thumbnail}&template=a%00b"), 400, character),
        (&long, 400, "template: a name must not be longer than 255 bytes"),
        (&format!("{thumbnail}&template=x"), 501, "this node makes no thumbnails yet"),
        (
            &format!("{thumbnail}&template=x&crop=0,0,4096,4096&location=1,1,2,2"),
            501,
            "this node makes no thumbnails yet",
        ),
    ] {
        refused(&served, path, status, sentence).await;
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand more";

#[tokio::test]
async fn bad_bodies_are_named() {
    let served = Served::with(&[0]).await;
    let thumbnail = format!("/thumbnail/chan/source.png?timestamp={A}");
    let huge = [PNG, &vec![0; 16 << 20]].concat();
    let name = "template: give either a template's name or, by POST, the template itself";
    for (path, body, status, sentence) in [
        ("/thumbnail/chan/source.png", PNG, 400, "timestamp: it is missing"),
        (&format!("{thumbnail}&template=x"), PNG, 400, name),
        (&thumbnail, b"", 400, "body: it must be a PNG image"),
        (&thumbnail, b"\x89PNG", 400, "body: it must be a PNG image"),
        (&thumbnail, b"\xff\xd8\xff", 400, "body: it must be a PNG image"),
        (&thumbnail, huge.as_slice(), 413, "the body is larger than 16777216 bytes"),
        (&thumbnail, PNG, 501, "this node makes no thumbnails yet"),
    ] {
        check(&served.post(path, body).await, path, status, sentence);
    }
}

#[tokio::test]
async fn bad_lists_of_videos_are_named() {
    let served = Served::with(&[0]).await;
    let range = format!("[\"{A}\",\"{B}\"]");
    let names = |count: usize| {
        let videos: Vec<String> = (0..count).map(|n| format!("\"{n}\":{range}")).collect();
        format!("{{{}}}", videos.join(","))
    };
    let called = |name: &str| format!("{{\"{name}\":{range}}}");
    let at_line = |problem: &str, column: usize| {
        format!(
            "body: it must be JSON like {{\"name\": [\"start\", \"end\"]}}: {problem} at line 1 column {column}"
        )
    };
    let from = |start: &str, end: &str| format!("{{\"x\":[\"{start}\",\"{end}\"]}}");
    for (body, status, sentence) in [
        ("{}".to_owned(), 400, "body: it names no video".to_owned()),
        ("x".to_owned(), 400, at_line("expected value", 1)),
        ("[]".to_owned(), 400, at_line("invalid type: sequence, expected an object", 0)),
        (format!("{} x", called("x")), 400, at_line("trailing characters", 53)),
        (called(".."), 400, at_line("a name must not start with a dot", 5)),
        (called(""), 400, at_line("a name must not be empty", 3)),
        (
            called("a/b"),
            400,
            at_line("a name must not hold a slash, a backslash or a control character", 6),
        ),
        (called(&"x".repeat(201)), 400, at_line("a name is longer than 200 bytes", 204)),
        (
            format!("{{\"x\":{range},\"x\":{range}}}"),
            400,
            at_line("a name is given more than once", 54),
        ),
        (names(101), 400, at_line("there are more than 100 names", 5096)),
        (from(A, A), 400, at_line("a start must be before its end", 51)),
        (from(A, "x"), 400, at_line(&format!("\"x\" {TIME}"), 32)),
        (
            format!("{{\"x\":[\"{A}\"]}}"),
            400,
            at_line("invalid length 1, expected a tuple of size 2", 28),
        ),
        (
            "{\"x\":[1,2]}".to_owned(),
            400,
            at_line("invalid type: integer `1`, expected a string", 7),
        ),
        (
            from("2000-01-01T00:00", "2026-01-01T00:00"),
            400,
            "body: the ranges are longer than 400 hours in all".to_owned(),
        ),
        (" ".repeat((1 << 20) + 1), 413, "the body is larger than 1048576 bytes".to_owned()),
        (names(100), 501, "this node writes no videos yet; ask for /cut instead".to_owned()),
    ] {
        let answer = served.post("/generate_videos/chan/source", body.as_bytes()).await;
        check(&answer, &body[..body.len().min(200)], status, &sentence);
    }
}
