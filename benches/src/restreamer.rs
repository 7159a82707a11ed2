//! A restreamer in a process of its own, as it is installed.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};

use crate::client::Client;
use crate::{child, process};

/// What the line begins with that tells where it listens.
const LISTENS: &str = "listens on http://";

/// A restreamer that runs; killed when dropped.
#[derive(Debug)]
pub struct Restreamer {
    child: Child,
    address: SocketAddr,
}

impl Restreamer {
    /// The program that the command line names first.
    ///
    /// # Errors
    ///
    /// When it names none.
    pub fn program() -> Result<PathBuf> {
        std::env::args_os().nth(1).map(PathBuf::from).context("give the path of the restreamer")
    }

    /// Starts `program` on the store below `base`, and waits until it serves.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn start(program: &Path, base: &Path) -> Result<Self> {
        let mut command = child::command(program);
        command.args(["--listen", "127.0.0.1:0", "--base-dir"]).arg(base);
        command.env("WUBLOADER_LOG", "info").env("WUBLOADER_LOG_FORMAT", "text");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let started = format!("start {}", program.display());
        let mut child = command.spawn().context(started)?;
        let log = child.stderr.take().context("its log is ours")?;
        let (tell, told) = mpsc::channel();
        thread::spawn(move || follow(log, &tell));
        // from here on it is killed whatever happens
        let mut running = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        running.address = told.recv().context("it ended instead of listening")?;
        Ok(running)
    }

    /// A new connection to it.
    ///
    /// # Errors
    ///
    /// When it does not take one.
    pub fn connect(&self) -> Result<Client> {
        Client::connect(self.address)
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How many bytes of memory it has in use.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn resident_bytes(&self) -> Result<u64> {
        process::resident_bytes(self.id())
    }
}

impl Drop for Restreamer {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            let _ = self.child.wait();
        }
    }
}

/// Reads the log to its end, tells the address, and passes on what is no ordinary line.
fn follow(log: ChildStderr, tell: &mpsc::Sender<SocketAddr>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        let address = line.split_once(LISTENS).and_then(|(_, address)| address.trim().parse().ok());
        if let Some(address) = address {
            let _ = tell.send(address);
        } else if !line.contains("INFO") {
            eprintln!("{line}");
        }
    }
}
