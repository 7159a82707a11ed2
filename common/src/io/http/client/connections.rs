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

/// How many connections to one host are kept for later while nobody uses them; more are closed.
///
/// The HTTP library reads into a buffer of up to 408 KiB for each HTTP/1 connection and keeps that as long as
/// the connection. A hundred channels that begin at once open hundreds, so without a bound that is 100 MB
/// and more for nothing; with this one, it is 13 MB. (HTTP/2 needs one connection for all.)
///
/// What it costs are handshakes, whenever the number of requests under way falls by more than this and rises
/// again. A hundred channels on one host have two at most each, a list and a segment every 2 s, at moments of
/// their own: their number varies around its mean with a standard deviation of √(200 × ½ × ½) = 7 at most, so
/// that a fall by 32 is one from 2.3 of these above to 2.3 below, 0.4 times a second at most. A fall by 16 would
/// happen twice a second, and more than 32 gains next to nothing. Were all channels to ask in the same
/// instant, it would be 34 handshakes a second, of about a millisecond each.
pub(super) const MAX_IDLE_PER_HOST: usize = 32;
/// How long a connection is kept that nobody uses, to which the library adds as much again at worst: longer than
/// the pause between two looks at a channel that is offline, 20 s, and than an ordinary target duration.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

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
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(Policy::limited(MAX_REDIRECTS))
        .user_agent(concat!("wubloader/", env!("CARGO_PKG_VERSION")))
}

fn build(builder: reqwest::ClientBuilder) -> reqwest::Client {
    builder.build().expect("the TLS library sets itself up from constants")
}
