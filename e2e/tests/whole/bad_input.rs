//! What is wrong is said in one line, which also says what to do.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::io::process;

use crate::support::{NoDatabase, Origin, Process, Service, arguments, body, eventually, program};

/// The exit status for bad arguments and configuration, before anything was started.
const REFUSED: i32 = 2;
/// The exit status for anything else.
const FAILED: i32 = 1;

/// Runs the service `name` to its end and returns its exit status and all that it said.
async fn outcome(name: &str, base: &Path, more: &[&str]) -> (Option<i32>, Vec<String>) {
    let arguments = arguments(name, base);
    let arguments: Vec<&str> =
        arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let mut process = Process::run(name, &arguments);
    let code = process.exit_code().await;
    assert!(process.stdout().all().is_empty(), "{process:?}");
    (code, process.stderr().all())
}

/// The lines of a log that somebody should read.
fn complaints(log: &[String]) -> Vec<&String> {
    log.iter().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect()
}

#[tokio::test]
async fn a_bad_flag_is_refused() {
    let base = tempfile::tempdir().unwrap();
    for name in Service::ALL {
        let (code, said) = outcome(name, base.path(), &["--no-such-flag"]).await;
        let line = format!("{name}: unexpected argument '--no-such-flag' found; see {name} --help");
        assert_eq!((code, said), (Some(REFUSED), vec![line]));
        let (code, said) = outcome(name, base.path(), &["--listen", "nowhere"]).await;
        assert_eq!((code, said.len()), (Some(REFUSED), 1), "{said:#?}");
        assert!(said[0].contains("'nowhere'") && said[0].contains("--listen"), "{said:#?}");
    }
    let mut demo = Process::run("demo", &["--twice"]);
    assert_eq!(demo.exit_code().await, Some(REFUSED));
    let line = "demo: unexpected argument '--twice' found; see demo --help";
    assert_eq!(demo.stderr().all(), [line]);
}

#[tokio::test]
async fn a_base_folder_that_is_none_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("file");
    std::fs::write(&file, "").unwrap();
    for name in Service::ALL {
        for (path, what_to_do) in
            [(base.path().join("missing"), "create it"), (file.clone(), "give a folder")]
        {
            let (code, said) = outcome(name, &path, &["--listen", "127.0.0.1:0"]).await;
            assert_eq!((code, said.len()), (Some(REFUSED), 1), "{said:#?}");
            let says_what = said[0].contains(path.to_str().unwrap());
            assert!(says_what && said[0].contains(what_to_do), "{said:#?}");
        }
    }
}

#[tokio::test]
async fn a_base_folder_that_cannot_be_read_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let locked = base.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    for name in Service::ALL {
        // permissions do not bind root unless it gives up the right to ignore them
        let mut command = process::command("setpriv");
        if rustix::process::getuid().is_root() {
            command.args(["--bounding-set", "-dac_override,-dac_read_search"]);
        }
        command.arg("--").arg(program(name)).args(arguments(name, &locked));
        let mut process = Process::start(command);
        let code = process.exit_code().await;
        let said = process.stderr().all();
        assert_eq!((code, said.len()), (Some(REFUSED), 1), "{said:#?}");
        assert!(said[0].contains("cannot be read; check its owner and mode"), "{said:#?}");
    }
}

#[tokio::test]
async fn a_taken_port_ends_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let base = tempfile::tempdir().unwrap();
    for name in Service::ALL {
        let (code, said) = outcome(name, base.path(), &["--listen", &address]).await;
        let complaints = complaints(&said);
        assert_eq!((code, complaints.len()), (Some(FAILED), 1), "{name}: {said:#?}");
        let expected = format!("cannot listen on {address}; give another address with --listen");
        assert!(complaints[0].contains(&expected), "{said:#?}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let database = NoDatabase::start();
    let base = tempfile::tempdir().unwrap();
    let dsn = format!("postgres://user:secret@{}/events", database.address);
    let arguments = arguments("cutter", base.path());
    let arguments = arguments.iter().map(String::as_str);
    let arguments = arguments.map(|argument| match argument {
        "postgres://nobody@127.0.0.1:9/none" => &dsn,
        other => other,
    });
    let cutter = Service::run("cutter", arguments).await;
    eventually("several tries", async || (database.asked() >= 5).then_some(())).await;
    assert_eq!(body(&format!("{}/healthz", cutter.url)).await.unwrap(), "ok\n");

    let log = cutter.process.stderr().all();
    let complaints = complaints(&log);
    assert_eq!(complaints.len(), 1, "{log:#?}");
    for part in ["cannot use the database", "check that it runs", "--database", "user@127.0.0.1"] {
        assert!(complaints[0].contains(part), "{part} in {log:#?}");
    }
    assert!(!log.iter().any(|line| line.contains("secret")), "{log:#?}");
}

#[tokio::test]
async fn a_playlist_that_is_none_is_told_and_asked_for_again() {
    let page = "<!DOCTYPE html><html><body>Please log in</body></html>";
    tokio::join!(
        tells_of_playlist(
            404,
            "",
            "offline",
            &["offline (status 404)", "check its name or address"]
        ),
        tells_of_playlist(
            200,
            "",
            "changed",
            &["empty where a playlist should be", "check the channel's"]
        ),
        tells_of_playlist(
            200,
            page,
            "changed",
            &["a web page, not a playlist", "check the channel's"]
        ),
        tells_of_playlist(
            200,
            "#EXTM3U\n",
            "failing",
            &["nothing new", "looks for the channel anew"]
        ),
    );
}

/// Gives a downloader a channel whose playlist is `answer`, which puts it into `state`.
async fn tells_of_playlist(status: u16, answer: &'static str, state: &str, parts: &[&str]) {
    let origin = Origin::start(status, answer);
    let base = tempfile::tempdir().unwrap();
    let channel = format!("chan!:url:{}", origin.url);
    let base_dir = base.path().to_str().unwrap();
    let downloader = Service::run("downloader", [&*channel, "--base-dir", base_dir]).await;
    let stderr = downloader.process.stderr();
    eventually("a complaint, and several tries", async || {
        let told = !complaints(&stderr.all()).is_empty();
        (told && origin.asked() >= 4).then_some(())
    })
    .await;
    // a channel that cannot be recorded is told, and is no reason to restart what records the others
    let health = body(&format!("{}/healthz", downloader.url)).await.unwrap();
    let line = health.lines().nth(1).unwrap();
    assert!(line.starts_with(&format!("chan source: {state} for ")), "{health}");
    assert!(line.contains(parts[0]), "{health}");
    if state == "changed" {
        assert!(health.starts_with("degraded\n"), "{health}");
    }

    let log = stderr.all();
    let complaints = complaints(&log);
    assert_eq!(complaints.len(), 1, "{log:#?}");
    for part in parts {
        assert!(complaints[0].contains(part), "{part} in {log:#?}");
    }
    println!("{}", complaints[0]);
}

#[tokio::test]
async fn a_demo_that_cannot_start_says_why() {
    let theirs = tempfile::tempdir().unwrap();
    std::fs::write(theirs.path().join("precious"), "").unwrap();
    let theirs = theirs.path().to_str().unwrap();
    let page = Origin::start(200, "<!DOCTYPE html><html></html>");
    let cases: [(&[&str], i32, [&str; 2]); 4] = [
        (&["--data", theirs], REFUSED, ["not empty", "--data"]),
        (&["--data", "/proc/none"], REFUSED, ["cannot create", "--data"]),
        (&["--url", "http://127.0.0.1:9/live.m3u8"], FAILED, ["Connection refused", "check"]),
        (&["--url", &page.url], FAILED, ["a web page, not a playlist", "check"]),
    ];
    let unused = tempfile::tempdir().unwrap();
    let unused = unused.path().join("demo-data");
    for (arguments, code, parts) in cases {
        let default = ["--data", unused.to_str().unwrap()];
        let default = if arguments[0] == "--data" { &[][..] } else { &default };
        let mut demo = Process::run("demo", &[arguments, default].concat());
        assert_eq!(demo.exit_code().await, Some(code), "{demo:?}");
        let said = demo.stderr().all();
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(parts.iter().all(|part| said[0].contains(part)), "{parts:?} in {said:#?}");
    }
    assert!(!unused.exists(), "nothing is made for a channel that is not there");
}

#[tokio::test]
async fn a_demo_without_its_programs_names_the_command_that_brings_them() {
    let mut command = process::command(program("demo"));
    command.env("PATH", "/nowhere");
    let mut demo = Process::start(command);
    assert_eq!(demo.exit_code().await, Some(REFUSED));
    let line = "demo: ffmpeg, ffprobe, setpriv not found; as root, run: apt-get install \
                --no-install-recommends ffmpeg util-linux";
    assert_eq!(demo.stderr().all(), [line]);
}

#[tokio::test]
async fn a_twitch_channel_that_is_not_there_is_told() {
    let twitch = Origin::start(200, r#"{"data": {"streamPlaybackAccessToken": null}}"#);
    let unused = tempfile::tempdir().unwrap();
    let mut command = process::command(program("demo"));
    command.args(["--twitch", "somebody", "--data"]).arg(unused.path().join("demo-data"));
    command.env("WUBLOADER_TWITCH_TOKEN_URL", &twitch.url);
    let mut demo = Process::start(command);
    assert_eq!(demo.exit_code().await, Some(FAILED));
    let said = demo.stderr().all();
    assert!(said.len() == 1 && said[0].contains("Twitch knows no channel somebody"), "{said:#?}");
    assert_eq!(twitch.asked(), 1);
    assert_eq!(std::fs::read_dir(unused.path()).unwrap().count(), 0);
}
