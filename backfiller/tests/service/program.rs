//! The program itself: what it says and how it exits.

use std::process::{Output, Stdio};
use std::time::Duration;

use common::io::process;

use crate::support::here::Here;
use crate::support::path;
use crate::support::peer::{FakePeer, Reply};

const PROGRAM: &str = env!("CARGO_BIN_EXE_backfiller");

async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = process::command(PROGRAM);
    let Output { status, stderr, .. } = command.args(arguments).output().await.unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn bad_arguments_are_one_line_and_exit_2() {
    for (arguments, complaint) in [
        (vec![], "there is nothing to copy; name at least one CHANNEL"),
        (vec!["chan", "--base-dir=/does/not/exist"], "it does not exist"),
        (vec!["chan", "--order=best"], "invalid value 'best' for '--order <ORDER>'"),
        (vec!["chan", "--static-nodes=node-b"], "--static-nodes: \"node-b\" is no node's address"),
        (vec!["chan", "--delete-old"], "--delete-old is not supported yet"),
    ] {
        let (status, said) = run(&arguments).await;
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.lines().count() == 1 && said.contains(complaint), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn a_taken_port_is_one_error_and_exit_1() {
    let here = Here::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base_dir = format!("--base-dir={}", here.base().display());
    let listen = format!("--listen={}", taken.local_addr().unwrap());
    let (status, said) = run(&["chan", &base_dir, &listen]).await;
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("give another address with --listen"), "{said}");
}

#[tokio::test]
async fn one_pass_exits_by_whether_it_was_complete() {
    // the program's clock is the real one
    let name = path("2020-01-01T00", "00:00.000000", "a");
    let peer = FakePeer::with([(name.clone(), "a")]);
    let here = Here::new();
    let base_dir = format!("--base-dir={}", here.base().display());
    let nodes = format!("--static-nodes={}", peer.url);
    let arguments = ["chan", "--run-once", &base_dir, &nodes];
    peer.reply(format!("segments/{name}"), Reply::Status(404));
    assert_eq!(run(&arguments).await.0, Some(1));
    peer.repent(&format!("segments/{name}"));
    let (status, said) = run(&arguments).await;
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(here.files(), [name]);
}

#[tokio::test]
async fn a_signal_ends_it_at_once_and_clean() {
    let here = Here::new();
    let peer = FakePeer::with([("notes/x", "")]);
    peer.reply("files/chan/source", Reply::Silence);
    let mut command = process::command(PROGRAM);
    command.args(["chan", "--listen=127.0.0.1:0"]);
    command.arg(format!("--base-dir={}", here.base().display()));
    command.arg(format!("--static-nodes={}", peer.url));
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    crate::support::here::until("it asks", || !peer.requests("files/").is_empty()).await;
    let id = i32::try_from(child.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(2), child.wait()).await;
    assert_eq!(ended.expect("within two seconds").unwrap().code(), Some(0));
}
