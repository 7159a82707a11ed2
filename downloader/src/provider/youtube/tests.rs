use std::path::PathBuf;

use super::*;

/// A program that does what the script says that its last argument leads to. It is not written here, as
/// a file cannot be run while any child of this process may still hold it open for writing.
const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/yt-dlp.sh");

/// A script in a folder of its own.
struct Script {
    folder: tempfile::TempDir,
}

impl Script {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("script"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn resolve(&self) -> Result<Offer, ResolveError> {
        let url = format!("https://www.youtube.com{}", self.path("script").display());
        resolve(Path::new(STAND_IN), &url.parse().unwrap()).await
    }
}

async fn resolved(script: &str) -> Result<Offer, ResolveError> {
    Script::new(script).resolve().await
}

async fn failed(script: &str) -> ResolveError {
    resolved(script).await.unwrap_err()
}

/// A program that fails with these lines.
async fn complained(lines: &str) -> ResolveError {
    failed(&format!("cat >&2 <<'END'\n{lines}\nEND\nexit 1\n")).await
}

fn prints(json: &str) -> String {
    format!("cat <<'END'\n{json}\nEND\n")
}

const LIVE: &str = r#"{"id": "x", "is_live": true, "live_status": "is_live", "formats": [
    {"format_id": "sb0", "protocol": "mhtml", "url": "https://i.example/sb", "vcodec": "none", "acodec": "none"},
    {"format_id": "137", "protocol": "https", "url": "https://v.example/137", "height": 2160, "vcodec": "avc1"},
    {"format_id": "233", "protocol": "m3u8_native", "url": "https://m.example/233", "vcodec": "none", "acodec": null, "tbr": 64.5},
    {"format_id": "614", "protocol": "m3u8_native", "url": "https://m.example/614", "width": 2560, "height": 1440, "fps": 60.0, "vcodec": "vp09", "acodec": "none"},
    {"format_id": "95", "protocol": "m3u8_native", "url": "https://m.example/95", "manifest_url": "https://m.example/all", "width": 1280, "height": 720, "fps": 30.0, "vcodec": "avc1", "acodec": "mp4a", "tbr": 1500.2},
    {"format_id": "300", "protocol": "m3u8_native", "url": "https://m.example/300", "width": 1280, "height": 720, "fps": 60.0, "vcodec": "avc1", "acodec": "mp4a", "tbr": 2500},
    {"format_id": "91", "protocol": "m3u8", "manifest_url": "https://m.example/91", "width": 256, "height": 144, "fps": 15, "vcodec": "avc1", "acodec": "mp4a", "tbr": 100}
]}"#;

#[tokio::test]
async fn qualities_go_by_their_height_rate_and_number() {
    let offer = resolved(&prints(LIVE)).await.unwrap();
    for (name, path) in [
        ("source", Some("/300")),
        ("720p60", Some("/300")),
        ("720p", Some("/95")),
        ("720p30", Some("/95")),
        ("144p", Some("/91")),
        ("95", Some("/95")),
        ("1440p60", Some("/614")),
        ("614", Some("/614")),
        ("233", Some("/233")),
        ("137", None),
        ("2160p", None),
        ("sb0", None),
        ("480p", None),
    ] {
        let chosen = offer.choose(name).ok();
        assert_eq!(chosen.map(|quality| quality.url.path()), path, "{name}");
    }
    assert!(offer.choose("614").unwrap().lacks_sound);
    assert!(!offer.choose("source").unwrap().lacks_sound);
    let told = offer.choose("480p").unwrap_err().to_string();
    assert!(told.contains("it has 720p60, 720p, 144p, 1440p60, 233"), "{told}");
}

#[tokio::test]
async fn the_program_is_called_so_that_no_address_is_an_option() {
    let script = Script::new("");
    let print = format!("printf '%s\\n' \"$@\" > {}\n", script.path("arguments").display());
    std::fs::write(script.path("script"), print + &prints(LIVE)).unwrap();
    script.resolve().await.unwrap();
    let arguments = std::fs::read_to_string(script.path("arguments")).unwrap();
    let url = format!("https://www.youtube.com{}", script.path("script").display());
    assert_eq!(arguments, format!("--dump-json\n--no-playlist\n--playlist-items\n1\n--\n{url}\n"));
}

#[tokio::test]
async fn only_the_first_video_counts_and_chatter_does_not() {
    let script = format!("echo 'WARNING: something' >&2\n{}{}", prints(LIVE), prints("{}"));
    assert!(resolved(&script).await.is_ok());
}

#[tokio::test]
async fn what_is_missing_goes_with_what_was_found() {
    let said =
        "WARNING: No supported JavaScript runtime\nWARNING: other\nWARNING: challenge solver?";
    let script = format!("cat >&2 <<'END'\n{said}\nEND\n{}", prints(LIVE));
    let warning = format!(
        "{STAND_IN} found the channel, but warns: No supported JavaScript runtime; challenge solver?"
    );
    assert_eq!(resolved(&script).await.unwrap().warnings(), [warning]);
    assert_eq!(resolved(&prints(LIVE)).await.unwrap().warnings(), [""; 0]);
}

#[test]
fn a_program_that_hangs_is_told_with_what_it_lacks() {
    let hung = |said: &str| {
        let patience = Duration::from_secs(9);
        Complaint::read(said).hung(Path::new("yt-dlp"), patience).to_string()
    };
    let nothing = hung("");
    assert!(nothing.contains("within 9 s, and said nothing; bring it up to date"), "{nothing}");
    let lacks = hung("WARNING: no JS runtime\n");
    assert!(lacks.contains("and warned; no JS runtime; install a JavaScript runtime"), "{lacks}");
    let both = hung("solving\nWARNING: no JS runtime\n");
    assert!(both.contains("last said: solving; no JS runtime; install a JavaScript"), "{both}");
}

#[tokio::test]
async fn a_video_that_is_not_live_is_offline() {
    for (fields, expected) in [
        (r#""live_status": "is_upcoming""#, "the stream has not begun"),
        (r#""live_status": "was_live", "is_live": false"#, "the stream has ended"),
        (r#""live_status": "post_live""#, "the stream has ended"),
        (r#""is_live": false"#, "the video is not live"),
    ] {
        let error = failed(&prints(&format!("{{{fields}, \"formats\": []}}"))).await;
        assert_eq!(error, ResolveError::Offline(expected.to_owned()));
    }
}

#[tokio::test]
async fn what_yt_dlp_says_tells_the_state() {
    use ResolveError::{Changed, Offline, Refused, Unreachable};
    type Fits = fn(&ResolveError) -> bool;
    let offline: Fits = |error| matches!(error, Offline(_));
    let refused: Fits = |error| matches!(error, Refused(_));
    let changed: Fits = |error| matches!(error, Changed(_));
    let unreachable: Fits = |error| matches!(error, Unreachable(_));
    for (said, fits) in [
        ("This live event will begin in 5 hours.", offline),
        ("This live event will begin in a few moments.", offline),
        ("Premieres in 3 days", offline),
        ("The channel is not currently live", offline),
        ("This live event has ended.", offline),
        ("This live stream recording is not available.", offline),
        ("Private video. Sign in if you've been granted access to this video", refused),
        ("Join this channel to get access to members-only content like this video", refused),
        ("This video is available to this channel’s members on level: Gold", refused),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", refused),
        ("Sign in to confirm you’re not a bot. Use --cookies-from-browser", refused),
        ("The uploader has not made this video available in your country", refused),
        ("This video is DRM protected", refused),
        ("Unable to download webpage: HTTP Error 403: Forbidden", refused),
        (
            "This content isn't available, try again later. The current session has been rate-limited",
            unreachable,
        ),
        ("Unable to download API page: HTTP Error 429: Too Many Requests", unreachable),
        ("Unable to download webpage: HTTP Error 503: Service Unavailable", unreachable),
        (
            "Unable to download webpage: <urlopen error [Errno -3] Temporary failure in name resolution>",
            unreachable,
        ),
        ("Unable to download API page: The read operation timed out", unreachable),
        ("Unable to download webpage: HTTP Error 404: Not Found", changed),
        ("Unable to extract yt initial data; please report this issue", changed),
        ("No video formats found!; please report this issue", changed),
        ("Video unavailable. This video has been removed by the uploader", changed),
    ] {
        let error = complained(&format!("WARNING: whatever\nERROR: [youtube] x: {said}")).await;
        assert!(fits(&error), "{said}: {error:?}");
        assert!(error.to_string().contains(&said[..18]), "{error}");
    }
}

#[tokio::test]
async fn a_runtime_that_is_missing_is_named() {
    let warning = "WARNING: [youtube] No supported JavaScript runtime could be found. Only deno is \
        enabled by default; to use another runtime add  --js-runtimes RUNTIME[:PATH]  to your config.";
    let warnings = format!("{warning}\nWARNING: unrelated\n{warning}\n");
    let error = complained(&format!("{warnings}ERROR: [youtube] x: No video formats found!")).await;
    let text = error.to_string();
    assert!(matches!(error, ResolveError::Changed(_)), "{text}");
    for part in [
        "No video formats found!; [youtube] No supported JavaScript runtime",
        "install a JavaScript runtime",
        "or give another program with --yt-dlp",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(text.matches("No supported").count(), 1, "{text}");
    assert!(!text.contains("unrelated"), "{text}");

    // before the stream begins is the time to install it
    let soon = "ERROR: [youtube] x: This live event will begin in 5 hours.";
    let error = complained(&format!("{warnings}{soon}")).await;
    assert!(matches!(error, ResolveError::Offline(_)), "{error:?}");
    assert!(error.to_string().contains("No supported JavaScript runtime"), "{error}");

    // nothing to record, and it is known why
    let none = LIVE.replace("m3u8", "https");
    let script = format!("echo '{}' >&2\n{}", warning, prints(&none));
    let text = failed(&script).await.to_string();
    assert!(text.contains("none of 7 formats is to be had over HLS"), "{text}");
    assert!(text.contains("install a JavaScript runtime"), "{text}");

    let error =
        failed("echo \"/usr/bin/env: 'python3': No such file or directory\" >&2; exit 127").await;
    let text = error.to_string();
    assert!(text.contains("exit status: 127") && text.contains("install the Python"), "{text}");
}

#[tokio::test]
async fn a_program_that_does_not_do_its_work_is_told_with_what_to_do() {
    let missing = resolve(Path::new("/nowhere/yt-dlp"), &"https://host/".parse().unwrap()).await;
    let text = missing.unwrap_err().to_string();
    assert!(text.starts_with("cannot start /nowhere/yt-dlp (No such file"), "{text}");
    assert!(text.ends_with("install yt-dlp, or give another program with --yt-dlp"), "{text}");
    for (script, expected) in [
        ("kill -9 $$", "it was ended from outside (signal: 9 (SIGKILL))"),
        ("exit 1", "it ended with exit status: 1: it said nothing"),
        ("echo odd >&2; exit 2", "it ended with exit status: 2: odd"),
        ("", "its answer is empty"),
        ("echo no JSON", "its answer is not the JSON of a video"),
        ("echo '[]'", "its answer is not the JSON of a video"),
        ("echo '{\"live_status\": \"is_live\"'", "its answer is not the JSON of a video"),
        ("echo '{\"live_status\": \"is_live\"}'", "its answer names no formats"),
        ("echo '{\"formats\": []}'", "none of 0 formats"),
        (
            "echo '{\"live_status\": \"not_live\", \"formats\": []}'",
            "of no stream, but \"not_live\"",
        ),
        ("while :; do echo '          '; done", "it answered with more than 16777216 bytes"),
    ] {
        let error = failed(script).await;
        assert!(matches!(error, ResolveError::Changed(_)), "{script}: {error:?}");
        let text = error.to_string();
        assert!(text.contains(expected), "{script}: {text}");
        assert!(text.contains("--yt-dlp"), "{script}: {text}");
    }
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_what_it_started() {
    let script = Script::new("");
    let (new, pids) = (script.path("new"), script.path("pids"));
    let hang = format!(
        "echo WARNING: one >&2; echo Retrying two >&2; echo three >&2\n\
        sleep 600 & echo $$ $! > {new}; mv {new} {pids}; wait",
        new = new.display(),
        pids = pids.display()
    );
    std::fs::write(script.path("script"), hang).unwrap();
    let started = async {
        while !pids.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::pause();
    };
    let (resolved, ()) = tokio::join!(script.resolve(), started);
    let error = resolved.unwrap_err();
    assert!(matches!(error, ResolveError::Changed(_)), "{error:?}");
    let text = error.to_string();
    let told =
        "it did not end within 60 s, and last said: Retrying two; three; bring it up to date";
    assert!(text.contains(told) && !text.contains("network"), "{text}");
    tokio::time::resume();
    let ids = std::fs::read_to_string(&pids).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while ids.split_whitespace().any(is_running) {
        assert!(std::time::Instant::now() < deadline, "one of {ids} is left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether there is such a process that is no zombie, which whoever inherited it has yet to bury.
fn is_running(id: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}
