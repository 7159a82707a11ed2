use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connections::{IDLE_TIMEOUT, MAX_IDLE_PER_HOST};
use super::metrics::{MAX_DOMAIN_BYTES, MAX_DOMAINS};
use super::*;
use crate::io::http::server;

fn serving(routes: Router) -> (Url, JoinSet<()>) {
    let listener = server::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(server::serve(listener, routes, CancellationToken::new()));
    (url, tasks)
}

#[tokio::test]
async fn answers_are_bounded_and_measured() {
    let (url, _server) = serving(Router::new().route("/", get(async || "12345")));
    let metrics = Metrics::empty();
    let client = Client::new(&metrics, Options::default());
    let answer = client.send("test", client.get(url.clone())).await.unwrap();
    assert_eq!(answer.text(5).await.unwrap(), "12345");
    let answer = client.send("test", client.get(url)).await.unwrap();
    assert!(matches!(answer.text(4).await, Err(Error::TooLong(4))));

    let labels = "{domain=\"127.0.0.1\",method=\"GET\",name=\"test\",status=\"200\"}";
    let text = metrics.render();
    assert!(text.contains(&format!("http_client_request_latency_count{labels} 2\n")), "{text}");
    assert!(text.contains(&format!("http_client_response_size_sum{labels} 10\n")), "{text}");
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_an_error_without_its_address() {
    let listener = server::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}/?token=secret", listener.local_addr().unwrap());
    drop(listener);
    let metrics = Metrics::empty();
    let client = Client::new(&metrics, Options::default());
    let error = client.send("test", client.get(url.parse().unwrap())).await.unwrap_err();
    assert!(error.to_string().contains("Connection refused"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(metrics.render().contains("status=\"error\""));
}

/// The port of the connection that a request came over.
async fn peer_port(client: &Client, url: &Url) -> String {
    let answer = client.send("test", client.get(url.clone())).await.unwrap();
    answer.text(5).await.unwrap()
}

#[tokio::test]
async fn connections_are_kept_opened_afresh_or_left() {
    use axum::extract::ConnectInfo;
    use std::net::SocketAddr;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let tell = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.port().to_string();
    let routes = Router::new().route("/", get(tell));
    let mut tasks = JoinSet::new();
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    tasks.spawn(async { axum::serve(listener, service).await.unwrap() });

    let metrics = Metrics::empty();
    let client = Client::new(&metrics, Options::default());
    let kept = peer_port(&client, &url).await;
    assert_eq!(peer_port(&client, &url).await, kept);
    let fresh = client.on_fresh_connections();
    let first = peer_port(&fresh, &url).await;
    assert_ne!(first, kept);
    assert_ne!(peer_port(&fresh, &url).await, first, "nor is a fresh one kept");
    assert_eq!(peer_port(&client, &url).await, kept);

    client.leave_connections();
    let renewed = peer_port(&client, &url).await;
    assert_ne!(renewed, kept);
    client.leave_connections();
    assert_eq!(peer_port(&client, &url).await, renewed, "not again at once");
    let counted = "http_client_request_latency_count{domain=\"127.0.0.1\",method=\"GET\",\
        name=\"test\",status=\"200\"} 7\n";
    assert!(metrics.render().contains(counted), "{}", metrics.render());
}

#[test]
fn hosts_beyond_the_bound_share_a_label() {
    let metrics = ClientMetrics::new(&Metrics::empty());
    for host in 0..MAX_DOMAINS {
        let url = format!("http://host{host}/").parse().unwrap();
        assert_eq!(metrics.domain(&url), format!("host{host}"));
    }
    assert_eq!(metrics.domain(&"http://one-too-many/".parse().unwrap()), "other");
    assert_eq!(metrics.domain(&"http://host0/".parse().unwrap()), "host0");
}

#[test]
fn no_label_is_longer_than_a_host_can_be() {
    let metrics = ClientMetrics::new(&Metrics::empty());
    let longest = "x".repeat(MAX_DOMAIN_BYTES);
    assert_eq!(metrics.domain(&format!("http://{longest}x/").parse().unwrap()), "other");
    assert_eq!(metrics.domain(&format!("http://{longest}/").parse().unwrap()), longest);
}

#[tokio::test]
async fn statuses_that_are_not_registered_are_measured_by_their_class() {
    let status = async |Path(status): Path<u16>| StatusCode::from_u16(status).unwrap();
    let (url, _server) = serving(Router::new().route("/{status}", get(status)));
    let metrics = Metrics::empty();
    let client = Client::new(&metrics, Options::default());
    for status in 200..=999 {
        let request = client.get(url.join(&format!("/{status}")).unwrap());
        let answer = client.send("test", request).await.unwrap();
        assert_eq!(answer.status(), status, "whoever asked is told as it is");
    }
    let text = metrics.render();
    let lines = text.lines().filter(|line| line.starts_with("http_client_response_size_count"));
    let counted: BTreeMap<&str, &str> = lines
        .map(|line| {
            let (labels, count) = line.rsplit_once(' ').unwrap();
            (labels.split('"').rev().nth(1).unwrap(), count)
        })
        .collect();
    for (status, count) in [("200", "1"), ("404", "1"), ("511", "1"), ("other", "400")] {
        assert_eq!(counted.get(status), Some(&count), "{status} in {counted:?}");
    }
    for class in ["2xx", "3xx", "4xx", "5xx"] {
        assert!(counted[class].parse::<u32>().unwrap() > 50, "{class} in {counted:?}");
    }
    assert!(counted.len() < 70, "{counted:?}");
    assert_eq!(metrics::status(StatusCode::from_u16(199).unwrap()), "1xx");
}

/// A server that answers when it is let, and counts its connections.
struct Counting {
    answers: Semaphore,
    asked: AtomicUsize,
    open: AtomicUsize,
}

impl Counting {
    fn start(listener: TcpListener) -> (Arc<Self>, JoinSet<()>) {
        let (answers, asked, open) = (Semaphore::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let this = Arc::new(Self { answers, asked, open });
        let server = Arc::clone(&this);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(Arc::clone(&server).serve(stream));
            }
        });
        (this, tasks)
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        self.open.fetch_add(1, Ordering::Relaxed);
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.is_empty() {
                self.asked.fetch_add(1, Ordering::Relaxed);
                self.answers.acquire().await.unwrap().forget();
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                lines.get_mut().write_all(answer).await.unwrap();
            }
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits, on the real clock, until `count` is `expected`.
async fn until(count: &AtomicUsize, expected: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while count.load(Ordering::Relaxed) != expected {
        assert!(Instant::now() < deadline, "{count:?} did not become {expected}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn few_idle_connections_are_kept_and_not_for_long() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (server, _tasks) = Counting::start(listener);
    let client = Client::new(&Metrics::empty(), Options::default());
    let ask = |times: usize| {
        let mut requests = JoinSet::new();
        for _ in 0..times {
            let (client, request) = (client.clone(), client.get(url.clone()));
            requests.spawn(async move { client.send("test", request).await.unwrap().status() });
        }
        requests
    };
    let at_once = MAX_IDLE_PER_HOST + 8;
    let requests = ask(at_once);
    until(&server.asked, at_once).await;
    assert_eq!(server.open.load(Ordering::Relaxed), at_once);
    server.answers.add_permits(at_once);
    assert_eq!(requests.join_all().await.len(), at_once);
    until(&server.open, MAX_IDLE_PER_HOST).await;

    let requests = ask(MAX_IDLE_PER_HOST);
    until(&server.asked, at_once + MAX_IDLE_PER_HOST).await;
    assert_eq!(server.open.load(Ordering::Relaxed), MAX_IDLE_PER_HOST, "these serve again");
    server.answers.add_permits(MAX_IDLE_PER_HOST);
    requests.join_all().await;

    // the library looks each time so long after the first connection became idle
    tokio::time::pause();
    for _ in 0..2 {
        tokio::time::advance(IDLE_TIMEOUT + Duration::from_secs(1)).await;
    }
    tokio::time::resume();
    until(&server.open, 0).await;
}
