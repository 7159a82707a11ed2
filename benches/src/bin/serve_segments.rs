//! Serving segments, against nginx with sendfile in the same run.
//!
//! Makes a store of some hundred segments, serves it by the restreamer and by nginx, and lets wrk fetch
//! from both in turn, over and over: requests a second, and the server's CPU time a request.
//!
//!     cargo build --release --package restreamer
//!     serve_segments target/release/restreamer [ROUNDS [SECONDS]]
//!
//! Needs nginx and wrk in the path. It refuses to say anything of a server that does not answer
//! with the bytes of the files.
#![expect(
    clippy::disallowed_methods,
    reason = "no runtime here; its servers are ended when dropped"
)]

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use benches::child;
use benches::figures::{Figures, Row, Unit};

type Outcome<T> = Result<T, Box<dyn Error>>;

const FILES: usize = 300;
const FILE_BYTES: usize = 1_500_000;
const CONNECTIONS: usize = 16;
const HOUR: &str = "chan/source/2026-11-20T10";

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let restreamer = PathBuf::from(arguments.next().ok_or("give the path of the restreamer")?);
    let rounds: usize = arguments.next().map_or(Ok(7), |rounds| rounds.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(4), |seconds| seconds.parse())?;
    let folder = Folder::new()?;
    make_store(&folder.0.join("store"))?;
    let script = folder.0.join("paths.lua");
    fs::write(&script, wrk_script())?;
    let servers = [start_nginx(&folder.0)?, start_restreamer(&restreamer, &folder.0)?];
    for server in &servers {
        server.check(&folder.0.join("store"))?;
        server.load(&script, 1)?;
    }
    let mut figures = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        // who comes second must not always be the same
        for index in [round % 2, 1 - round % 2] {
            figures[index].push(servers[index].load(&script, seconds)?);
        }
    }
    report(&figures);
    Ok(())
}

fn report(figures: &[Vec<Load>; 2]) {
    let row = |what, unit, target, of: fn(&Load) -> f64| {
        let [theirs, ours] = [0, 1].map(|server| Figures::of(figures[server].iter().map(of)));
        let work = format!("1.5 MB segment, {CONNECTIONS} connections: {what}");
        println!(
            "{}",
            Row { work: &work, figures: ours, unit, limit: Some(("nginx", theirs)), target }
        );
    };
    row("requests", Unit::PerSecond, "≥ 0.95 ×", |round| round.rate);
    row("server's CPU time for a request", Unit::Nanoseconds, "≤ 1.3 ×", |round| {
        round.cpu_nanos
    });
}

/// What was measured in one round.
struct Load {
    rate: f64,
    cpu_nanos: f64,
}

struct Server {
    name: &'static str,
    process: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // both end cleanly on SIGTERM; nginx's workers would outlive a master that was killed
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Runs wrk against this server.
    fn load(&self, script: &Path, seconds: u64) -> Outcome<Load> {
        let cpu_before = self.cpu()?;
        let output = Command::new("wrk")
            .args(["-t2", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "-s"])
            .arg(script)
            .arg(format!("http://{}", self.address))
            .output()?;
        let cpu = self.cpu()?.saturating_sub(cpu_before);
        let text = String::from_utf8(output.stdout)?;
        if text.contains("Non-2xx") || text.contains("Socket errors") {
            return Err(format!("{} failed under load:\n{text}", self.name).into());
        }
        let counted = text.lines().find_map(|line| line.trim().strip_prefix("FIGURES "));
        let mut counted =
            counted.ok_or("wrk printed no figures")?.split(' ').map(str::parse::<f64>);
        let mut next = || Ok::<f64, Box<dyn Error>>(counted.next().ok_or("a figure is missing")??);
        let (requests, micros) = (next()?, next()?);
        Ok(Load { rate: requests / micros * 1e6, cpu_nanos: cpu.as_secs_f64() / requests * 1e9 })
    }

    /// The CPU time of the process and of its children.
    fn cpu(&self) -> Outcome<Duration> {
        let id = self.process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let ids = children.split_whitespace().map(str::parse).chain([Ok(id)]);
        let mut ticks = 0;
        for id in ids {
            let stat = fs::read_to_string(format!("/proc/{}/stat", id?))?;
            let fields = stat.rsplit_once(") ").ok_or("a process has no state")?.1;
            for field in fields.split(' ').skip(11).take(2) {
                ticks += field.parse::<u64>()?;
            }
        }
        // a tick is a hundredth of a second wherever Linux runs (USER_HZ)
        Ok(Duration::from_millis(10 * ticks))
    }

    /// Checks that files come as they are.
    fn check(&self, store: &Path) -> Outcome<()> {
        for index in [0, FILES - 1] {
            let name = segment(index);
            let mut stream = TcpStream::connect(self.address)?;
            write!(stream, "GET /segments/{HOUR}/{name} HTTP/1.0\r\n\r\n")?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            if !answer.ends_with(&fs::read(store.join(HOUR).join(name))?) {
                return Err(format!("{} sends other bytes", self.name).into());
            }
        }
        Ok(())
    }
}

fn start_nginx(folder: &Path) -> Outcome<Server> {
    let address = free_address()?;
    let shown = folder.display();
    let config = format!(
        "daemon off; worker_processes 2; pid {shown}/nginx.pid; error_log {shown}/error.log;
         user root;
         events {{ worker_connections 1024; }}
         http {{
             access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
             client_body_temp_path {shown}/body; proxy_temp_path {shown}/proxy;
             fastcgi_temp_path {shown}/fastcgi; uwsgi_temp_path {shown}/uwsgi;
             scgi_temp_path {shown}/scgi;
             server {{ listen {address}; location /segments/ {{ alias {shown}/store/; }} }}
         }}"
    );
    fs::write(folder.join("nginx.conf"), config)?;
    let mut nginx = child::command("nginx");
    nginx.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
    start("nginx", nginx, address)
}

fn start_restreamer(program: &Path, folder: &Path) -> Outcome<Server> {
    let address = free_address()?;
    let mut restreamer = child::command(program);
    restreamer.arg("--base-dir").arg(folder.join("store")).arg("--listen").arg(address.to_string());
    start("restreamer", restreamer, address)
}

fn start(name: &'static str, mut command: Command, address: SocketAddr) -> Outcome<Server> {
    let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let server = Server { name, process, address };
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err(format!("{name} does not listen").into());
        }
        std::thread::yield_now();
    }
    Ok(server)
}

fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The name of a segment; nobody compares the hash in it with the bytes.
fn segment(index: usize) -> String {
    let (minute, second) = (index * 2 / 60, index * 2 % 60);
    format!("{minute:02}:{second:02}.000000-2.0-full-{index:042}A.ts")
}

/// Also brings every file into the page cache.
fn make_store(store: &Path) -> Outcome<()> {
    fs::create_dir_all(store.join(HOUR))?;
    for index in 0..FILES {
        let mut bytes: Vec<u8> =
            (0..FILE_BYTES).map(|at| (at * 31 + index).to_le_bytes()[0]).collect();
        for packet in bytes.chunks_mut(188) {
            packet[0] = 0x47;
        }
        fs::write(store.join(HOUR).join(segment(index)), bytes)?;
    }
    Ok(())
}

fn wrk_script() -> String {
    let paths: Vec<String> =
        (0..FILES).map(|index| format!("\"/segments/{HOUR}/{}\"", segment(index))).collect();
    let paths = paths.join(",");
    format!(
        "local paths = {{{paths}}}
         local next = 0
         function request()
             next = next % #paths + 1
             return wrk.format(nil, paths[next])
         end
         function done(summary)
             io.write(string.format(\"FIGURES %d %d\\n\", summary.requests, summary.duration))
         end"
    )
}

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("serve-segments-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
