//! Somebody else's server that answers wrongly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use common::io::http::server;
use common::service::CancellationToken;
use tokio::task::JoinSet;

/// A server that gives the same answer to whatever is asked.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Where to ask.
    pub(crate) url: String,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Origin {
    /// Answers every request with `status` and `body`.
    pub(crate) fn start(status: u16, body: &'static str) -> Self {
        let listener = server::bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let status = StatusCode::from_u16(status).expect("tests know statuses");
        let answer = async move || {
            count.fetch_add(1, Ordering::Relaxed);
            (status, body)
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(
            listener,
            Router::new().fallback(answer),
            CancellationToken::new(),
        ));
        Self { url: format!("http://{address}/live.m3u8"), asked, _tasks: tasks }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}
