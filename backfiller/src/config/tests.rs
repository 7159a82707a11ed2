use clap::Parser;

use super::*;

fn config(arguments: &[&str]) -> anyhow::Result<Config> {
    let base = tempfile::tempdir().unwrap();
    let base_dir = base.path().to_str().unwrap().to_owned();
    let arguments = [&["backfiller", "--base-dir", &base_dir], arguments].concat();
    Config::new(Options::try_parse_from(arguments)?)
}

fn complaint(arguments: &[&str]) -> String {
    format!("{:#}", config(arguments).unwrap_err())
}

fn names(folders: &[FolderName]) -> Vec<&str> {
    folders.iter().map(FolderName::as_str).collect()
}

#[test]
fn the_defaults_are_those_of_the_manual() {
    let config = config(&["chan"]).unwrap();
    let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
    assert_eq!(config.feeds, [feed]);
    assert_eq!(names(&config.extras), ["notes"]);
    assert_eq!(config.concurrency, 5);
    assert_eq!(config.recent_cutoff, TimeDelta::seconds(120));
    assert_eq!(config.order, Order::Newest);
    assert_eq!(config.listen, "0.0.0.0:8002".parse().unwrap());
    assert_eq!(config.interval, Duration::from_mins(2));
    assert!(!config.run_once && config.start.is_none() && config.static_nodes.is_empty());
}

#[test]
fn channels_are_taken_as_the_downloader_takes_them() {
    let config = config(&[
        "one!",
        "two:url:https://host/a.m3u8",
        "three!:youtube:x",
        "one",
        "--qualities=source,360p,chat",
    ])
    .unwrap();
    let feeds: Vec<String> =
        config.feeds.iter().map(|feed| format!("{}/{}", feed.channel, feed.quality)).collect();
    let expected = ["one", "two", "three"]
        .map(|channel| ["source", "360p", "chat"].map(|quality| format!("{channel}/{quality}")));
    assert_eq!(feeds, expected.concat());
}

#[test]
fn an_empty_list_is_an_empty_list() {
    let config = config(&["chan", "--static-nodes=", "--extras=", "--node-file="]).unwrap();
    assert!(config.static_nodes.is_empty() && config.extras.is_empty());
    assert!(config.node_file.is_none());
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(complaint(&["../up"]), "CHANNEL: \"../up\": a name must not start with a dot");
    assert_eq!(
        complaint(&["chan", "--static-nodes", "http://b,node-c:8000"]),
        "--static-nodes: \"node-c:8000\" is no node's address: write it like \
         http://node.example:8000"
    );
    assert_eq!(complaint(&["chan", "--extras", "notes,chan"]), "--extras: chan is a channel");
    assert!(complaint(&["chan", "--start", "soon"]).starts_with("--start: \"soon\" is neither"));
    assert!(complaint(&["chan", "--delete-old"]).starts_with("--delete-old is not supported yet"));
    assert_eq!(complaint(&["chan", "--interval=0"]), "--interval: must be at least 0.1 seconds");
    assert!(complaint(&["chan", "--recent-cutoff=-1"]).contains("not from 0 to"));
    assert!(complaint(&["chan", "--download-concurrency=0"]).contains("0 is not in 1..=256"));
    assert!(complaint(&["chan", "--base-dir=/does/not/exist"]).contains("cannot be used"));
}

#[test]
fn a_password_is_never_shown() {
    let config = config(&[
        "chan",
        "--static-nodes=http://me:secret@b",
        "--node-database=postgres://me:secret@db/wub",
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("secret"), "{config:?}");
    assert!(!complaint(&["chan", "--node-database=secret"]).contains("secret"));
}

#[test]
fn the_own_node_is_known_by_its_name() {
    let b = Node::named("b", "http://host-b:8000").unwrap();
    let own = |arguments: &[&str]| config(&[&["chan"], arguments].concat()).unwrap().own_name;
    assert!(own(&["--localhost=b"]).is_of(&b));
    assert!(own(&["--localhost=host-b"]).is_of(&b), "by its host, when that was given");
    assert!(own(&["--name=b"]).is_of(&b));
    assert!(!own(&["--name=host-b"]).is_of(&b));
    assert!(own(&["--localhost=b", "--name=c"]).is_of(&b), "what is said to us wins");
    assert!(!own(&["--localhost=c"]).is_of(&b));
}
