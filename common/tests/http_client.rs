//! An HTTP client while its process can open no more files; alone in its process, which it is about.

use std::time::Duration;

use common::io::http::client::{Client, Options};
use common::metrics::Metrics;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sets how many files the process may have open; returns what was set before.
fn allow_files(current: Option<u64>) -> Option<u64> {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current, ..before }).expect("within the hard limit");
    before.current
}

#[tokio::test]
async fn connections_are_left_even_when_no_file_can_be_opened() {
    let client = Client::new(&Metrics::empty(), Options::default());
    let files = allow_files(Some(0));
    client.leave_connections();
    let fresh = client.on_fresh_connections();
    let url: reqwest::Url = "http://127.0.0.1:9/".parse().unwrap();
    let short = Duration::from_secs(10);
    for client in [&client, &fresh] {
        let client = client.with_headers_timeout(short);
        let failed = client.send("test", client.get(url.clone())).await.unwrap_err();
        assert!(failed.to_string().contains("Too many open files"), "{failed}");
    }
    allow_files(files);
    let failed = client.send("test", client.get(url)).await.unwrap_err();
    assert!(failed.to_string().contains("Connection refused"), "{failed}");
}
