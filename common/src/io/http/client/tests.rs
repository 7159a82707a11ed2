use axum::Router;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use super::metrics::MAX_DOMAINS;
use super::*;
use crate::io::http::server;

fn serving(routes: Router) -> (Url, tokio::task::JoinSet<()>) {
    let listener = server::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
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
