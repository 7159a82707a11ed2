use clap::CommandFactory;

use super::*;

fn parse(text: &str) -> anyhow::Result<Channel> {
    text.parse()
}

fn refused(text: &str) -> String {
    format!("{:#}", parse(text).unwrap_err())
}

fn configure(arguments: &[&str]) -> anyhow::Result<Config> {
    let base = tempfile::tempdir().unwrap();
    let base = base.path().to_str().unwrap();
    let common = ["downloader", "--base-dir", base, "--name", "node"];
    Config::new(Options::try_parse_from(common.iter().chain(arguments))?)
}

#[test]
fn the_options_are_consistent() {
    Options::command().debug_assert();
}

#[test]
fn a_channel_is_a_name_or_a_name_with_an_address() {
    let twitch = parse("DesertBus!").unwrap();
    assert_eq!(twitch.name.as_str(), "DesertBus");
    assert!(twitch.important);
    assert_eq!(twitch.source, Source::Twitch("desertbus".to_owned()));
    let url = parse("test:url:http://127.0.0.1:8080/a,b.m3u8?x=1:2").unwrap();
    assert!(!url.important);
    let address = "http://127.0.0.1:8080/a,b.m3u8?x=1:2".parse().unwrap();
    assert_eq!(url.source, Source::Url(address));
    assert!(parse("test!:url:https://host/").unwrap().important);
    let youtube = parse("live!:youtube:https://www.youtube.com/watch?v=a:b").unwrap();
    assert!(youtube.important);
    let address = "https://www.youtube.com/watch?v=a:b".parse().unwrap();
    assert_eq!(youtube.source, Source::Youtube(address));
}

#[test]
fn the_resolver_and_the_memory_can_be_chosen() {
    let config = configure(&["a"]).unwrap();
    assert_eq!(config.providers.yt_dlp, PathBuf::from("yt-dlp"));
    assert_eq!(config.max_held_bytes, 256 << 20);
    let config = configure(&["a", "--yt-dlp", "/opt/yt-dlp", "--max-held", "1"]).unwrap();
    assert_eq!(config.providers.yt_dlp, PathBuf::from("/opt/yt-dlp"));
    assert_eq!(config.max_held_bytes, 1 << 20);
    assert_eq!(configure(&["a", "--max-held", "65536"]).unwrap().max_held_bytes, 64 << 30);
}

#[test]
fn a_channel_that_cannot_be_recorded_is_refused_with_what_to_do() {
    assert!(refused("b:rtmp:rtmp://x").contains("NAME:url:URL or NAME:youtube:URL"));
    assert!(refused("b:youtube").contains("no valid URL after `youtube:`"));
    for no_address in ["dQw4w9WgXcQ", "--version", "https://", "https://[x"] {
        let text = refused(&format!("b:youtube:{no_address}"));
        assert!(text.contains("no valid URL after `youtube:`"), "{text}");
    }
    for other in ["http://www.youtube.com/x", "file:///etc/passwd"] {
        assert!(refused(&format!("b:youtube:{other}")).contains("must begin with https://"));
    }
    assert!(refused("b:url:nonsense").contains("no valid URL"));
    assert!(refused("b:url:file:///etc/passwd").contains("http://"));
    assert!(refused("../b:url:http://x/").contains("must not"));
    assert!(refused("!").contains("must not be empty"));
    assert!(refused("not twitch").contains("NAME:url:URL"));
}

#[test]
fn arguments_take_precedence_over_the_list_of_the_environment() {
    let config = configure(&["--channels", "a,b!", "c"]).unwrap();
    let names: Vec<_> = config.channels.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["c"]);
    let config = configure(&["--channels", "a,b!", "--qualities", "source,360p"]).unwrap();
    assert_eq!(config.channels.len(), 2);
    assert_eq!(config.qualities.len(), 2);
}

#[test]
fn bad_configuration_is_told_in_a_sentence() {
    let refused = |arguments: &[&str]| format!("{:#}", configure(arguments).unwrap_err());
    assert!(refused(&[]).contains("nothing to record"));
    assert!(refused(&["a", "a!"]).contains("named twice"));
    assert!(refused(&["a", "--qualities", "source,source"]).contains("named twice"));
    assert!(refused(&["a", "--qualities", "chat"]).contains("chat"));
    assert!(refused(&["a", "--qualities", ".x"]).contains("dot"));
    assert!(refused(&["a", "--name", "a/b"]).contains("--name"));
    assert!(refused(&["a", "--base-dir", "/nonexistent"]).contains("--base-dir"));
    assert!(refused(&["a", "--twitch-auth-file", "/nonexistent"]).contains("--twitch-auth-file"));
    assert!(refused(&["a", "--yt-dlp", ""]).contains("--yt-dlp"));
    for too_much_or_little in ["0", "65537", "-1", "1.5"] {
        let argument = format!("--max-held={too_much_or_little}");
        assert!(refused(&["a", &argument]).contains("--max-held"), "{argument}");
    }
}

#[test]
fn what_is_logged_shows_no_secret() {
    let config = configure(&["a:url:http://user:pass@host:81/live.m3u8?token=secret"]).unwrap();
    let logged = format!("{config:?}");
    assert!(logged.contains("http://host:81/live.m3u8"), "{logged}");
    assert!(!logged.contains("secret") && !logged.contains("pass"), "{logged}");
    let config = configure(&["a:youtube:https://www.youtube.com/watch?v=unlisted"]).unwrap();
    let logged = format!("{config:?}");
    assert!(logged.contains("youtube https://www.youtube.com/watch"), "{logged}");
    assert!(!logged.contains("unlisted"), "{logged}");
}
