//! The connections of a client: kept for the next request, or opened for one request alone.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;
/// How often at most the kept connections are left for new ones. A handshake costs about as much as
/// hashing a segment: once in that time, it is lost in what a host's segments cost otherwise.
const RENEWED_EVERY: Duration = Duration::from_secs(5);

/// Connections, as many as there are hosts and requests at a time.
#[derive(Debug)]
pub(super) struct Connections {
    read_timeout: Duration,
    kept: Mutex<Kept>,
    /// Made when it is first needed, as most clients never do.
    fresh: OnceLock<reqwest::Client>,
}

#[derive(Debug)]
struct Kept {
    client: reqwest::Client,
    renewed: Option<Instant>,
}

impl Connections {
    /// Connections whose bodies may pause for `read_timeout`.
    ///
    /// # Panics
    ///
    /// When the TLS library cannot be set up.
    pub(super) fn new(read_timeout: Duration) -> Self {
        let client = build(builder(read_timeout));
        Self {
            read_timeout,
            kept: Mutex::new(Kept { client, renewed: None }),
            fresh: OnceLock::new(),
        }
    }

    /// Whoever keeps connections.
    pub(super) fn kept(&self) -> reqwest::Client {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// Whoever opens one for each request: without idle connections there is no pool at all, and so no
    /// HTTP/2 connection is shared either.
    pub(super) fn fresh(&self) -> reqwest::Client {
        let make = || build(builder(self.read_timeout).pool_max_idle_per_host(0));
        self.fresh.get_or_init(make).clone()
    }

    /// Leaves the kept connections, unless that was done within [`RENEWED_EVERY`].
    pub(super) fn renew(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.renewed.is_some_and(|at| at.elapsed() < RENEWED_EVERY) {
            return;
        }
        *kept = Kept { client: build(builder(self.read_timeout)), renewed: Some(Instant::now()) };
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes clients")]
fn builder(read_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read_timeout)
        .redirect(Policy::limited(MAX_REDIRECTS))
        .user_agent(concat!("wubloader/", env!("CARGO_PKG_VERSION")))
}

fn build(builder: reqwest::ClientBuilder) -> reqwest::Client {
    builder.build().expect("the TLS library sets itself up from constants")
}
