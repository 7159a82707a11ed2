//! A database that is away, behind a port that is open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::io::http::server;
use tokio::task::JoinSet;

/// Hangs up on whoever calls.
#[derive(Debug)]
pub(crate) struct NoDatabase {
    /// Where to call.
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl NoDatabase {
    pub(crate) fn start() -> Self {
        let listener = server::bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                drop(connection);
            }
        });
        Self { address, asked, _tasks: tasks }
    }

    /// How often it was called.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}
