//! The thread that owns a running server.
//!
//! The kernel sends the server SIGINT (PostgreSQL's fast shutdown) when the *thread* that spawned
//! it ends. So a thread is kept for as long as the server is to run, and stopping is nothing but
//! letting it end: the way in which every crash stops the server is the way in which every
//! orderly stop does, and it is tried every time.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};
use std::{fs, io};

use crate::child::tail;
use crate::{Error, probe};

/// How long a server may take to answer; crash recovery is part of it.
const START: Duration = Duration::from_mins(1);
/// How long a fast shutdown may take: it writes a checkpoint.
const STOP: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(10);

/// What is needed to start a server and to know that it runs.
pub(crate) struct Server {
    /// Starts the server; must come from [`crate::child::command`].
    pub(crate) command: Command,
    /// Where it will listen.
    pub(crate) socket: PathBuf,
    /// Where it writes its log.
    pub(crate) log: PathBuf,
    /// Whom it lets in.
    pub(crate) user: &'static str,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Keeper {
    pid: u32,
    release: Sender<()>,
    thread: JoinHandle<Result<Child, Error>>,
}

impl Keeper {
    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] when it ends, [`Error::NotReady`] when it does not answer in time.
    pub(crate) fn start(server: Server) -> Result<Self, Error> {
        let (release, released) = channel();
        let (report, reported) = channel();
        let thread = thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keep(server, &report, &released))
            .map_err(Error::spawn)?;
        if let Ok(pid) = reported.recv() {
            return Ok(Self { pid, release, thread });
        }
        Err(match thread.join() {
            Ok(Err(error)) => error,
            _ => Error::spawn(io::Error::other("its thread panicked")),
        })
    }

    /// Returns the server's process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Stops the server and waits for its end.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`] when it did not stop by itself.
    pub(crate) fn stop(self) -> Result<(), Error> {
        drop(self.release);
        let Ok(Ok(mut server)) = self.thread.join() else {
            return Ok(());
        };
        if ended_within(&mut server, STOP)? {
            return Ok(());
        }
        // Its children notice that it is gone and end too.
        server.kill().and_then(|()| server.wait()).map_err(Error::spawn)?;
        Err(Error::Killed { seconds: STOP.as_secs() })
    }
}

/// The body of the thread: starts, reports, stays until released.
fn keep(mut server: Server, report: &Sender<u32>, released: &Receiver<()>) -> Result<Child, Error> {
    let mut child = server.command.spawn().map_err(Error::spawn)?;
    if let Err(error) = wait_until_ready(&mut child, &server) {
        let _ = child.kill().and_then(|()| child.wait());
        return Err(error);
    }
    let _ = report.send(child.id());
    // Nothing is ever sent: this returns when the other end is dropped.
    let _ = released.recv();
    Ok(child)
}

fn wait_until_ready(child: &mut Child, server: &Server) -> Result<(), Error> {
    let log = || tail(&fs::read_to_string(&server.log).unwrap_or_default());
    let deadline = Instant::now() + START;
    while !probe::answers(&server.socket, server.user) {
        if let Some(status) = child.try_wait().map_err(Error::spawn)? {
            return Err(Error::Failed {
                program: "postgres".to_owned(),
                status: status.to_string(),
                output: log(),
            });
        }
        if Instant::now() >= deadline {
            return Err(Error::NotReady { seconds: START.as_secs(), log: log() });
        }
        sleep(POLL);
    }
    Ok(())
}

fn ended_within(child: &mut Child, patience: Duration) -> Result<bool, Error> {
    let deadline = Instant::now() + patience;
    while child.try_wait().map_err(Error::spawn)?.is_none() {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        sleep(POLL);
    }
    Ok(true)
}
