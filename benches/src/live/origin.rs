//! The origin: playlists and segments over HTTP/1.1 from this process, and a record of who asked when.
//!
//! A thread for each connection, since recorders keep few of them, and nothing between the material and
//! the socket: it must cost little beside what it serves.
//!
//! ```text
//! /CHANNEL/live.m3u8[?_HLS_msn=N]     the playlist; with N, when the schedule allows it, once N is listed
//! /CHANNEL/N.ts[?wait]                a segment; with `wait` once it is listed
//! ```

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use common::base::time::{Clock, SystemClock, Timestamp};

use super::material::Material;
use super::schedule::{Schedule, WINDOW};

/// How many segments before those in the playlist are still served.
const KEPT: u64 = 10;

/// The longest head of a request that is read, in bytes.
const LONGEST_HEAD: u64 = 16 << 10;

/// How long a request may wait for what is not listed yet.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// A request for a playlist.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// When it came.
    pub came: Timestamp,
    /// The segment that it asked to wait for, if it did.
    pub blocking: Option<u64>,
    /// The last segment of the answer.
    pub newest: u64,
}

/// An origin that serves until it is dropped.
#[derive(Debug)]
pub struct Origin {
    address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    material: Arc<Material>,
    schedule: Schedule,
    /// Of each channel.
    loads: Vec<Mutex<Vec<Load>>>,
    over: AtomicBool,
}

impl Origin {
    /// An origin on a free port of the loopback interface, whose channels have begun.
    ///
    /// # Errors
    ///
    /// When no port is free.
    pub fn start(
        material: Arc<Material>,
        channels: usize,
        jitter: TimeDelta,
        can_block: bool,
    ) -> Result<Self> {
        ensure!(channels > 0, "an origin has a channel");
        let listener = TcpListener::bind("127.0.0.1:0").context("listen")?;
        let address = listener.local_addr()?;
        // whole milliseconds, as playlists say it
        let begin = Timestamp::from_micros(SystemClock.now().micros() / 1000 * 1000);
        let schedule = Schedule { begin, channels, jitter, can_block };
        let loads = (0..channels).map(|_| Mutex::default()).collect();
        let inner = Arc::new(Inner { material, schedule, loads, over: AtomicBool::new(false) });
        let accepting = Arc::clone(&inner);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepting.over.load(Ordering::Relaxed) {
                    return;
                }
                let inner = Arc::clone(&accepting);
                // whoever is served goes away as he likes
                thread::spawn(move || inner.serve(&stream));
            }
        });
        Ok(Self { address, inner })
    }

    /// When what is listed.
    pub fn schedule(&self) -> &Schedule {
        &self.inner.schedule
    }

    /// What is sent.
    pub fn material(&self) -> &Material {
        &self.inner.material
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the playlist of `channel`.
    pub fn url(&self, channel: usize) -> String {
        format!("http://{}/{channel}/live.m3u8", self.address)
    }

    /// The requests for the playlist of `channel` so far.
    pub fn loads(&self, channel: usize) -> Vec<Load> {
        self.inner.loads[channel].lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.inner.over.store(true, Ordering::Relaxed);
        // wakes the thread that accepts
        let _ = TcpStream::connect(self.address);
    }
}

/// What a request names.
struct Request {
    channel: usize,
    what: What,
    closes: bool,
    wants_body: bool,
}

enum What {
    Playlist { blocking: Option<u64> },
    Segment { number: u64, waits: bool },
}

impl Inner {
    fn serve(&self, stream: &TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut body = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            let Some(head) = head(&mut reader)? else { return Ok(()) };
            let came = SystemClock.now();
            let request = parse(&head).filter(|request| request.channel < self.loads.len());
            let answered = match &request {
                Some(request) => self.answer(request, came, &mut body),
                None => None,
            };
            let (status, kind) = match answered {
                Some(kind) => ("200 OK", kind),
                None => ("404 Not Found", "text/plain"),
            };
            if answered.is_none() {
                body.clear();
            }
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
            );
            let mut out = stream;
            out.write_all(head.as_bytes())?;
            if request.as_ref().is_none_or(|request| request.wants_body) {
                out.write_all(&body)?;
            }
            if request.is_none_or(|request| request.closes) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Puts the answer into `body`, and says of which kind it is; `None` where there is none.
    fn answer(
        &self,
        request: &Request,
        came: Timestamp,
        body: &mut Vec<u8>,
    ) -> Option<&'static str> {
        let channel = request.channel;
        match request.what {
            What::Playlist { blocking } => {
                let blocking = blocking.filter(|_| self.schedule.can_block);
                if let Some(number) = blocking {
                    self.wait_for(channel, number)?;
                }
                let newest = self.schedule.newest(channel, SystemClock.now())?;
                body.clear();
                body.extend_from_slice(self.schedule.playlist(channel, newest).as_bytes());
                let load = Load { came, blocking, newest };
                self.loads[channel].lock().unwrap_or_else(PoisonError::into_inner).push(load);
                Some("application/vnd.apple.mpegurl")
            }
            What::Segment { number, waits } => {
                if waits {
                    self.wait_for(channel, number)?;
                }
                let newest = self.schedule.newest(channel, SystemClock.now())?;
                let is_there = number <= newest && number + WINDOW + KEPT > newest;
                is_there.then(|| self.material.write(channel, number, body))?;
                Some("video/mp2t")
            }
        }
    }

    /// Waits until a segment is listed; `None` when that takes too long.
    fn wait_for(&self, channel: usize, number: u64) -> Option<()> {
        // a number that nobody can mean
        let number = u32::try_from(number).ok()?.into();
        let listed = self.schedule.listed(channel, number);
        let mut now = SystemClock.now();
        if listed - now > PATIENCE {
            return None;
        }
        while now < listed {
            thread::sleep(listed.saturating_since(now).max(Duration::from_micros(1)));
            now = SystemClock.now();
        }
        Some(())
    }
}

/// The lines of a request's head; `None` when the connection has ended.
fn head(reader: &mut BufReader<&TcpStream>) -> Result<Option<Vec<String>>> {
    let mut lines = Vec::new();
    let mut limited = reader.take(LONGEST_HEAD);
    loop {
        let mut line = String::new();
        if limited.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" if lines.is_empty() => {}
            "" => return Ok(Some(lines)),
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
}

/// What the head of a request asks for, in lower case; `None` if that is nothing that is served.
fn parse(head: &[String]) -> Option<Request> {
    let mut words = head.first()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (channel, file) = path.strip_prefix('/')?.split_once('/')?;
    let what = if file == "live.m3u8" {
        let number = query.split('&').find_map(|part| part.strip_prefix("_hls_msn="));
        What::Playlist { blocking: number.and_then(|number| number.parse().ok()) }
    } else {
        let number = file.strip_suffix(".ts")?.parse().ok()?;
        What::Segment { number, waits: query == "wait" }
    };
    let closes = version != "http/1.1" || head.iter().any(|line| line == "connection: close");
    Some(Request { channel: channel.parse().ok()?, what, closes, wants_body: method != "head" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    const MEDIA: &[u8] = include_bytes!("../../../common/testdata/media/h264-aac.ts");

    #[test]
    fn what_is_listed_is_there_and_nothing_else() {
        let material = Arc::new(Material::of(vec![MEDIA.to_vec()]));
        let origin = Origin::start(material, 2, TimeDelta::zero(), true).unwrap();
        let mut client = Client::connect(origin.address()).unwrap();
        client.get("/1/live.m3u8").unwrap();
        let list = String::from_utf8(client.body().to_vec()).unwrap();
        let newest = list.lines().last().unwrap().strip_suffix(".ts").unwrap().parse().unwrap();
        client.get(&format!("/1/{newest}.ts")).unwrap();
        let mut sent = Vec::new();
        origin.material().write(1, newest, &mut sent);
        assert!(client.body() == sent);
        // one that is listed only in minutes
        let later = newest + 100;
        assert!(client.get(&format!("/1/{later}.ts")).is_err());
        let mut client = Client::connect(origin.address()).unwrap();
        assert!(client.get(&format!("/1/live.m3u8?_HLS_msn={later}")).is_err());
        let loads = origin.loads(1);
        assert!(matches!(loads[..], [Load { blocking: None, .. }]), "{loads:?}");
        assert_eq!((loads[0].newest, origin.loads(0).len()), (newest, 0));
    }

    #[test]
    fn who_waits_is_answered_from_the_moment_on() {
        let material = Arc::new(Material::of(vec![MEDIA.to_vec()]));
        let origin = Origin::start(material, 1, TimeDelta::zero(), true).unwrap();
        let mut client = Client::connect(origin.address()).unwrap();
        let next = origin.schedule().newest(0, SystemClock.now()).unwrap() + 1;
        client.get(&format!("/0/live.m3u8?_HLS_msn={next}")).unwrap();
        assert!(SystemClock.now() >= origin.schedule().listed(0, next));
        assert!(origin.loads(0)[0].blocking == Some(next) && origin.loads(0)[0].newest >= next);
        client.get(&format!("/0/{}.ts?wait", next + 1)).unwrap();
        assert!(SystemClock.now() >= origin.schedule().listed(0, next + 1));
    }

    fn request(lines: &[&str]) -> Option<Request> {
        parse(&lines.iter().map(|line| line.to_ascii_lowercase()).collect::<Vec<_>>())
    }

    #[test]
    fn requests_are_told_apart() {
        let list = request(&["GET /3/live.m3u8 HTTP/1.1", "Host: x"]).unwrap();
        assert!(matches!(list.what, What::Playlist { blocking: None }));
        assert!(list.channel == 3 && list.wants_body && !list.closes);
        let list = request(&["HEAD /3/live.m3u8?a=b&_HLS_msn=17 HTTP/1.0"]).unwrap();
        assert!(matches!(list.what, What::Playlist { blocking: Some(17) }));
        assert!(!list.wants_body && list.closes);
        let segment = request(&["GET /0/12.ts?wait HTTP/1.1", "Connection: close"]).unwrap();
        assert!(matches!(segment.what, What::Segment { number: 12, waits: true }));
        assert!(segment.closes);
        for other in ["GET / HTTP/1.1", "GET /x/1.ts HTTP/1.1", "GET /1/x.ts HTTP/1.1", ""] {
            assert!(request(&[other]).is_none(), "{other}");
        }
    }
}
