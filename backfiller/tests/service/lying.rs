//! Copying from nodes that lie, break off, stall or never end: what can be copied is, and nothing
//! else happens.

use std::time::Duration;

use crate::support::here::{Here, until};
use crate::support::peer::{FakePeer, Reply};
use crate::support::{HOUR, path, segment, tombstone};

#[tokio::test]
async fn a_file_that_cannot_be_had_does_not_end_the_pass() {
    for reply in [Reply::Status(404), Reply::Status(500), Reply::Broken, Reply::Silence] {
        let dangling = path(HOUR, "00:02.000000", "dangling");
        let whole = [
            path("2026-11-20T09", "00:00.000000", "a"),
            path(HOUR, "00:00.000000", "a"),
            path(HOUR, "00:04.000000", "a"),
            path(HOUR, "00:00.000000", "a").replace("source", "360p"),
        ];
        let peer = FakePeer::with(whole.clone().map(|name| (name, "a")));
        peer.put(&dangling, "dangling");
        peer.reply(format!("segments/{dangling}"), reply.clone());
        let here = Here::new().from(&[&peer]).with(&["--qualities=source,360p"]);
        here.run_once().await.unwrap_err();
        let mut whole = whole.to_vec();
        whole.sort();
        assert_eq!(here.files(), whole, "{reply:?}");
    }
}

#[tokio::test]
async fn a_listing_that_cannot_be_had_does_not_end_the_pass() {
    for reply in [
        Reply::Status(500),
        Reply::Status(404),
        Reply::Text("<html>".to_owned()),
        Reply::Text("{\"a\": []}".to_owned()),
        Reply::Silence,
        Reply::Stall("["),
        Reply::Trickle,
        Reply::Endless("[", "\"x\","),
        Reply::Endless("[\"", "x"),
        Reply::Endless("", "["),
    ] {
        for bad in ["files/bad/source", "files/chan/source/2026-11-20T10"] {
            let older = path("2026-11-20T09", "00:00.000000", "a");
            let peer = FakePeer::with([
                (path(HOUR, "00:00.000000", "a"), "a"),
                (older.clone(), "a"),
                (older.replace("chan", "bad"), "a"),
            ]);
            peer.reply(bad, reply.clone());
            let here = Here::new().from(&[&peer]).with(&["bad"]);
            here.run_once().await.unwrap_err();
            assert!(here.files().contains(&older), "{bad} {reply:?}");
            assert_eq!(here.files().len(), 2, "{bad} {reply:?}");
        }
    }
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_never_followed() {
    let good = path(HOUR, "00:00.000000", "a");
    let peer = FakePeer::with([(good.clone(), "a")]);
    let here = Here::new().from(&[&peer]).with(&["--extras=notes,pictures"]);
    let outside = here.outer().join("evil");
    let outside = outside.to_str().unwrap();
    let name = segment("00:02.000000", "a");
    let evil_names = [
        format!("../../../../{name}"),
        format!("../../../../{}", tombstone(&name)),
        format!("{outside}/{name}"),
        format!("{outside}/{}", tombstone(&name)),
        "../../../../x.tombstone".to_owned(),
        format!("{outside}.tombstone"),
        "00:00-2-temp-/../../../../../x.ts".to_owned(),
        format!("{name}\0"),
        format!("a\n{name}"),
        "..".to_owned(),
        String::new(),
        segment("00:00.000000", "a"),
    ];
    let evil_hours = ["../../outdir/2026-11-20T10", "..", outside, "2026-11-20T10/../x", HOUR];
    let evil_files = [
        "../../evil",
        "a/../../../evil",
        outside,
        "notes/../../evil",
        "a//b",
        ".evil",
        "a\0b",
        "ok",
    ];
    let listed: Vec<&str> = evil_names.iter().map(String::as_str).collect();
    peer.list(format!("files/chan/source/{HOUR}"), &listed);
    peer.list("files/chan/source", &evil_hours);
    for extra in ["notes", "pictures"] {
        peer.list(format!("extras/{extra}"), &evil_files);
        peer.put(format!("{extra}/ok"), "a\n");
    }
    // whatever it is asked for, it has it
    for path in ["segments/x.ts", "segments/evil", "segments/pictures/evil"] {
        peer.reply(path, Reply::Text("a".to_owned()));
    }
    let (outcome, metrics) = here.run_once_counting().await;
    outcome.unwrap();
    assert_eq!(here.files(), [good, "pictures/ok".to_owned()]);
    let skipped = metrics.lines().find(|line| line.starts_with("names_skipped_total")).unwrap();
    // of the names and files all but the hidden and the good ones, of the hours too, of the notes all
    assert!(skipped.ends_with(" 28"), "{skipped}");
}

#[tokio::test]
async fn items_that_are_no_text_do_not_spoil_the_others() {
    let name = segment("00:00.000000", "a");
    let peer = FakePeer::with([(format!("chan/source/{HOUR}/{name}"), "a")]);
    let others = r#"null, 7, -1.5e300, true, {"a": [{}]}, [["b"]]"#;
    for (path, good) in [("files/chan/source", HOUR), ("files/chan/source/2026-11-20T10", &name)] {
        peer.reply(path, Reply::Text(format!("[{others}, \"{good}\", {others}]")));
    }
    let here = Here::new().from(&[&peer]);
    here.run_once().await.unwrap();
    assert_eq!(here.files().len(), 1);
}

#[tokio::test]
async fn wrong_bytes_are_never_published() {
    let [good, wrong, empty, longer] = ["good", "wrong", "empty", "longer"]
        .map(|text| path(HOUR, &format!("00:0{}.000000", text.len()), text));
    let peer = FakePeer::with([
        (good.clone(), "good"),
        (wrong.clone(), "wr0ng"),
        (empty, ""),
        (longer, "longer than that"),
    ]);
    let here = Here::new().from(&[&peer]);
    let (outcome, metrics) = here.run_once_counting().await;
    outcome.unwrap_err();
    assert_eq!(here.files(), [good]);
    let node = peer.url.strip_prefix("http://").unwrap();
    for name in [
        format!(
            "hash_mismatches_total{{channel=\"chan\",hour=\"{HOUR}\",quality=\"source\",remote=\"{node}\"}}"
        ),
        format!("backfill_errors_total{{remote=\"{node}\"}}"),
    ] {
        assert!(metrics.contains(&format!("\n{name} 3\n")), "{name} in {metrics}");
    }

    // another node has the right ones
    let honest = FakePeer::with([(wrong.clone(), "wrong")]);
    let here = here.with(&[&format!("--static-nodes={}", honest.url)]);
    let _incomplete = here.run_once().await;
    assert!(here.files().contains(&wrong));
}

#[tokio::test]
async fn a_file_that_does_not_end_is_given_up() {
    // true to its name, but too long
    let long: &'static str = "c".repeat((1 << 20) + 1).leak();
    let [good, slow, endless, longest, long_one] = [
        ("00:00.0", "a"),
        ("00:02.0", "b"),
        ("00:04.0", "c"),
        ("00:06.0", &long[1..]),
        ("00:08.0", long),
    ]
    .map(|(start, text)| path(HOUR, start, text));
    let peer = FakePeer::with([
        (good.clone(), "a"),
        (slow.clone(), "b"),
        (endless.clone(), "c"),
        (longest.clone(), &long[1..]),
        (long_one, long),
    ]);
    peer.reply(format!("segments/{slow}"), Reply::Trickle);
    peer.reply(format!("segments/{endless}"), Reply::Endless("", "c"));
    let here = Here::new().from(&[&peer]).taking_files_of(1 << 20);
    here.run_once().await.unwrap_err();
    assert_eq!(here.files(), [good, longest]);
}

#[tokio::test]
async fn a_wrong_file_is_not_fetched_in_every_pass() {
    let [wrong, later] =
        [("00:00.0", "a"), ("00:02.0", "b")].map(|(start, text)| path(HOUR, start, text));
    let peer = FakePeer::with([(wrong.clone(), "not a")]);
    let here = Here::new().from(&[&peer]).with(&["--interval=0.1"]);
    let running = here.start();
    let passes = || peer.requests("files/chan/source/").len();
    until("some passes went by", || passes() >= 5).await;
    peer.put(&later, "b");
    here.until_there(&later).await;
    running.stop().await.unwrap();
    assert_eq!(peer.requests(&format!("segments/{wrong}")).len(), 1);
}

#[tokio::test]
async fn a_node_that_stalls_delays_no_other() {
    let name = path(HOUR, "00:00.000000", "a");
    let stalling = FakePeer::with([(name.clone(), "a")]);
    stalling.reply("files/chan/source", Reply::Silence);
    let good = FakePeer::with([(name.clone(), "a")]);
    let here = Here::new().from(&[&stalling, &good]);
    let running = here.start();
    here.until_there(&name).await;
    assert!(stalling.requests("files/").len() <= 1, "it is still at its first request");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_is_away_is_tried_again() {
    let name = path(HOUR, "00:00.000000", "a");
    let peer = FakePeer::with([(name.clone(), "a")]);
    peer.reply("files/chan/source", Reply::Status(503));
    let here = Here::new().from(&[&peer]).with(&["--interval=0.1"]);
    let running = here.start();
    until("it was asked twice", || peer.requests("files/chan/source").len() >= 2).await;
    peer.repent("files/chan/source");
    here.until_there(&name).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_node_that_gives_nothing_is_not_asked_for_every_file() {
    let names: Vec<String> =
        (0..60).map(|second| path(HOUR, &format!("00:{second:02}.000000"), "a")).collect();
    let older = path("2026-11-20T09", "00:00.000000", "a");
    let peer = FakePeer::with(names.iter().map(|name| (name.clone(), "a")));
    peer.put(&older, "a");
    for name in &names {
        peer.reply(format!("segments/{name}"), Reply::Silence);
    }
    let here = Here::new().from(&[&peer]);
    let started = std::time::Instant::now();
    here.run_once().await.unwrap_err();
    assert_eq!(here.files(), [older], "older hours have their turn");
    let asked = peer.requests("segments/").len();
    assert!(asked <= 11, "{asked} files were asked for");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_million_names_are_no_trouble() {
    let name = path("2026-11-20T09", "00:00.000000", "a");
    let peer = FakePeer::with([(name.clone(), "a"), (path(HOUR, "00:00.000000", "a"), "a")]);
    let names: Vec<String> = (0..1_000_000).map(|number| format!("{number}.ts")).collect();
    let listing = serde_json::to_string(&names).unwrap();
    peer.reply(format!("files/chan/source/{HOUR}"), Reply::Text(listing));
    let here = Here::new().from(&[&peer]);
    here.run_once().await.unwrap_err();
    assert_eq!(here.files(), [name]);
}

#[tokio::test]
async fn what_is_here_is_never_overwritten() {
    let name = path(HOUR, "00:00.000000", "a");
    let tombstone = format!("chan/source/{HOUR}/{}", tombstone(&segment("00:02.000000", "b")));
    let peer = FakePeer::with([(name.clone(), "a"), (tombstone.clone(), "")]);
    peer.put("pictures/x", "theirs");
    let here = Here::new().from(&[&peer]).with(&["--extras=pictures"]);
    here.put(&name, "damaged");
    here.put(&tombstone, "ours");
    here.put("pictures/x", "ours");
    here.run_once().await.unwrap();
    let texts: Vec<String> = here.everything().into_values().collect();
    assert_eq!(texts, ["damaged", "ours", "ours"]);
}
