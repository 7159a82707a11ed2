//! Whole clusters, on the PostgreSQL that is installed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::account::caller_uid;
use crate::place::SOCKET_NAME;
use crate::{Cluster, Error, Options, child};

const PATIENCE: Duration = Duration::from_secs(30);

fn start(data: Option<PathBuf>) -> Cluster {
    let durable = false;
    Cluster::start(&Options { data, durable }).unwrap()
}

/// Runs a query with a program that is not ours and returns what it printed.
fn psql(url: &str, query: &str) -> String {
    let mut psql = child::command(None, "KILL", Path::new("psql"));
    psql.args(["-XAtqc", query, url]);
    let output = psql.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn lives(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn starts_answers_stops_and_leaves_nothing() {
    let cluster = start(None);
    let (pid, data) = (cluster.pid().unwrap(), cluster.data_folder().to_owned());
    let socket = cluster.socket_folder().to_owned();
    cluster.create_database("it's \"odd\" & all").unwrap();
    assert_eq!(psql(&cluster.url("it's \"odd\" & all"), "SELECT 1"), "1");
    assert_eq!(psql(&cluster.url("postgres"), "SHOW server_encoding"), "UTF8");
    assert_eq!(psql(&cluster.url("postgres"), "SHOW listen_addresses"), "");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o700);

    cluster.stop().unwrap();
    assert!(!lives(pid));
    assert!(!data.exists() && !socket.exists());
}

#[test]
fn a_second_database_of_a_name_is_refused_in_postgres_words() {
    let cluster = start(None);
    cluster.create_database("twice").unwrap();
    let error = cluster.create_database("twice").unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
}

#[test]
fn a_data_folder_is_kept_and_used_again() {
    let folder = world_readable_folder();
    let data = folder.path().join("cluster");
    let cluster = start(Some(data.clone()));
    assert_eq!(cluster.data_folder(), data);
    psql(&cluster.url("postgres"), "CREATE TABLE kept AS SELECT 42 AS answer");
    cluster.stop().unwrap();

    let again = start(Some(data));
    assert_eq!(psql(&again.url("postgres"), "SELECT answer FROM kept"), "42");
}

#[test]
fn a_data_folder_whose_path_no_socket_can_have_gets_its_socket_elsewhere() {
    for above in ["x".repeat(100), "one, two".to_owned(), "the \"best\"".to_owned()] {
        let folder = world_readable_folder();
        let data = folder.path().join(above).join("cluster");
        let cluster = start(Some(data.clone()));
        let socket = cluster.socket_folder().to_owned();
        assert_eq!(cluster.data_folder(), data);
        assert!(socket.join(SOCKET_NAME).as_os_str().len() <= 107);
        assert_eq!(psql(&cluster.url("postgres"), "SELECT 1"), "1");
        drop(cluster);
        assert!(data.exists() && !socket.exists());
    }
}

#[test]
fn a_data_folder_that_the_account_cannot_reach_becomes_temporary() {
    if caller_uid().unwrap() != 0 {
        return; // only root hands the server to another account
    }
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = start(Some(closed.path().join("cluster")));
    assert!(!cluster.data_folder().starts_with(closed.path()));
    assert_ne!(fs::metadata(cluster.data_folder()).unwrap().uid(), 0);
    assert_eq!(psql(&cluster.url("postgres"), "SELECT 1"), "1");
}

#[test]
fn the_thread_that_started_a_cluster_may_end() {
    let cluster = thread::spawn(|| start(None)).join().unwrap();
    // Nothing to wait for: a wrong parent's signal would have been sent before `join` returned,
    // and a server that is shutting down refuses new sessions.
    assert_eq!(psql(&cluster.url("postgres"), "SELECT 1"), "1");
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let folder = world_readable_folder();
    let data = folder.path().join("cluster");
    start(Some(data.clone())).stop().unwrap();
    fs::write(data.join("postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let durable = false;
    let data = Some(data);
    let error = Cluster::start(&Options { data, durable }).unwrap_err();
    assert!(matches!(error, Error::Failed { .. }), "{error:?}");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[test]
fn a_cluster_of_another_version_is_named() {
    let folder = world_readable_folder();
    fs::write(folder.path().join("PG_VERSION"), "7\n").unwrap();
    let data = Some(folder.path().to_owned());
    let durable = false;
    let error = Cluster::start(&Options { data, durable }).unwrap_err();
    assert!(error.to_string().contains("postgresql-7"), "{error}");
}

/// Not a test of its own: the victim of the next one.
#[test]
#[ignore = "started by a_killed_owner_takes_its_server_along"]
fn hold_a_cluster_until_killed() {
    let cluster = start(None);
    let socket = cluster.socket_folder().display();
    println!("\nheld {} {socket}", cluster.pid().unwrap());
    sleep(PATIENCE);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the victim must not die with this thread but by the kill that is tested"
)]
fn a_killed_owner_takes_its_server_along() {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("tests::hold_a_cluster_until_killed")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .find(|line| line.starts_with("held "))
        .unwrap();
    let mut words = line.split(' ').skip(1);
    let pid: u32 = words.next().unwrap().parse().unwrap();
    let socket = PathBuf::from(words.next().unwrap());
    assert!(lives(pid) && socket.exists());

    victim.kill().unwrap();
    victim.wait().unwrap();
    eventually("the server's end", || !lives(pid));
    drop(start(None));
    // A start of another test may be at it just now.
    eventually("the folder's end", || !socket.exists());
}

fn world_readable_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}
