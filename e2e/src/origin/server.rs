//! The origin as a server: many channels behind one port.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::base::time::{Clock, SystemClock, Timestamp};
use common::io::http::server;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::answer::Answer;
use super::channel::{Channel, Pending};
use super::footage::Footage;
use super::http::{Request, send};
use super::script::Script;

/// An origin; gone when it is dropped.
#[derive(Debug)]
pub struct Origin {
    shared: Arc<Shared>,
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    channels: HashMap<String, Channel>,
    began: Instant,
    epoch: Timestamp,
}

impl Origin {
    /// Begins to publish `channels`, each for at least `seconds`.
    ///
    /// # Panics
    ///
    /// When no port is free, or the footage cannot be made.
    pub async fn start(channels: impl IntoIterator<Item = (String, Script)>, seconds: i64) -> Self {
        let footage = Footage::get().await;
        let listener = server::bind(([127, 0, 0, 1], 0).into()).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        // dates are written in whole milliseconds
        let epoch = Timestamp::from_micros(SystemClock.now().micros() / 1000 * 1000);
        let channel = |(name, script): (String, Script)| {
            (name.clone(), Channel::new(name, script, seconds, epoch, footage))
        };
        let channels = channels.into_iter().map(channel).collect();
        let shared = Arc::new(Shared { channels, began: Instant::now(), epoch });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Self { shared, address, _tasks: tasks }
    }

    /// Where it serves, `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the dates of all channels count from: when it began.
    pub fn epoch(&self) -> Timestamp {
        self.shared.epoch
    }

    /// How long it has been publishing, in milliseconds.
    pub fn now(&self) -> i64 {
        self.shared.now()
    }

    /// Waits until it has published for that many seconds.
    pub async fn until(&self, seconds: u64) {
        sleep_until(self.shared.began + Duration::from_secs(seconds)).await;
    }

    /// The channels, by name.
    pub fn channels(&self) -> Vec<&Channel> {
        let mut channels: Vec<&Channel> = self.shared.channels.values().collect();
        channels.sort_by(|a, b| a.name.cmp(&b.name));
        channels
    }

    /// What a downloader's command line needs so that it records all channels, those on Twitch included.
    pub fn arguments(&self) -> Vec<String> {
        let url = self.url();
        let mut arguments: Vec<String> =
            self.channels().iter().filter_map(|channel| channel.argument(&url)).collect();
        arguments.extend(["--twitch-token-url".to_owned(), format!("{url}/gql")]);
        arguments.extend(["--twitch-playlist-url".to_owned(), format!("{url}/usher")]);
        arguments
    }
}

impl Shared {
    fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// The channel that a path is about, and the rest of the path.
    fn find<'a>(&self, path: &'a str) -> Option<(&Channel, &'a str)> {
        let path = path.strip_prefix('/')?;
        let (name, rest) = match path.strip_prefix("usher/") {
            Some(name) => (name.strip_suffix(".m3u8")?, "index.m3u8"),
            None => path.split_once('/')?,
        };
        self.channels.get(name).map(|channel| (channel, rest))
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                let _ = connection.set_nodelay(true);
                connections.spawn(converse(connection, Arc::clone(&shared)));
            }
            // too many files are open: those who wait are served when some are closed
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(mut connection: TcpStream, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    while let Some(request) = Request::read(&mut connection, &mut buffer).await {
        if !respond(&mut connection, &request, &shared).await {
            return;
        }
    }
}

/// The channel that a question for a token is about.
fn login_in(body: &str) -> Option<&str> {
    body.split_once("\"login\":\"")?.1.split('"').next()
}

/// Answers a request; returns whether the connection can go on.
async fn respond(connection: &mut TcpStream, request: &Request, shared: &Shared) -> bool {
    if request.path == "/gql" {
        let channel = login_in(&request.body).and_then(|login| shared.channels.get(login));
        let answer = channel.map_or_else(|| Answer::status(400), |of| of.token(shared.now()));
        return send(connection, answer).await.1;
    }
    let Some((channel, rest)) = shared.find(&request.path) else {
        return send(connection, Answer::status(404)).await.1;
    };
    let hold = u64::try_from(channel.hold(request, shared.now())).unwrap_or(0);
    if hold > 0 {
        sleep(Duration::from_millis(hold)).await;
    }
    let (answer, pending): (Answer, Pending) = channel.answer(request, rest, shared.now());
    let (was_taken, goes_on) = send(connection, answer).await;
    channel.ended(pending, shared.now(), was_taken);
    goes_on
}
