//! The connections of a client: kept for the next request, or opened for one request alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use rustls_platform_verifier::Verifier;

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
    /// Made once: it reads the system's certificates, which fails while no more files can be opened.
    tls: rustls::ClientConfig,
    kept: Mutex<Kept>,
    fresh: reqwest::Client,
}

#[derive(Debug)]
struct Kept {
    client: reqwest::Client,
    renewed: Option<Instant>,
}

impl Connections {
    /// Connections whose bodies may pause for `read_timeout`. Reads the system's certificates.
    ///
    /// # Panics
    ///
    /// When the TLS library cannot be set up, as where the system has no certificates.
    pub(super) fn new(read_timeout: Duration) -> Self {
        let tls = tls().expect("a service needs the system's certificates when it starts");
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().expect("all that may fail was made before")
        };
        let client = build(builder(read_timeout, &tls));
        // without idle connections there is no pool at all, and so no HTTP/2 connection is shared either
        let fresh = build(builder(read_timeout, &tls).pool_max_idle_per_host(0));
        Self { read_timeout, tls, kept: Mutex::new(Kept { client, renewed: None }), fresh }
    }

    /// Whoever keeps connections.
    pub(super) fn kept(&self) -> reqwest::Client {
        self.lock().client.clone()
    }

    /// Whoever opens one for each request.
    pub(super) fn fresh(&self) -> reqwest::Client {
        self.fresh.clone()
    }

    /// Leaves the kept connections, unless that was done within [`RENEWED_EVERY`].
    pub(super) fn renew(&self) {
        self.renew_by(|| builder(self.read_timeout, &self.tls).build());
    }

    /// Keeps what there is if `make` fails: a connection that is slow beats none.
    fn renew_by(&self, make: impl FnOnce() -> reqwest::Result<reqwest::Client>) {
        {
            let mut kept = self.lock();
            if kept.renewed.is_some_and(|at| at.elapsed() < RENEWED_EVERY) {
                return;
            }
            kept.renewed = Some(Instant::now());
        }
        match make() {
            Ok(client) => self.lock().client = client,
            Err(error) => tracing::warn!("slow connections cannot be left: {error:?}"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What reqwest makes where it is left to itself, and makes anew for each of its clients: certificates
/// are checked against the system's, and HTTP/2 is offered first (RFC 7301 §3.1).
fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider))?;
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes clients")]
fn builder(read_timeout: Duration, tls: &rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read_timeout)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(Policy::limited(MAX_REDIRECTS))
        .user_agent(concat!("wubloader/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_to_be_made_leaves_what_there_was() {
        let connections = Connections::new(Duration::from_secs(1));
        let mut made = 0;
        connections.renew_by(|| {
            made += 1;
            let kept = connections.kept.try_lock();
            assert!(kept.is_ok(), "nobody waits for it");
            builder(Duration::ZERO, &connections.tls).user_agent("\n").build()
        });
        connections.renew_by(|| {
            made += 1;
            Ok(connections.fresh())
        });
        assert_eq!(made, 1, "nor is it tried again at once");
    }
}
