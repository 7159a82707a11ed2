//! One program under watch.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::io::process;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::PATIENCE;

/// A program of the workspace, as it was built.
pub(crate) fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a test has a file");
    let built = own.parent().and_then(|folder| folder.parent()).expect("it lies in deps");
    let program = built.join(name);
    assert!(program.is_file(), "{} is not built; run: cargo xtask test", program.display());
    program
}

/// A running program, every line of which is kept. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    stdout: Lines,
    stderr: Lines,
    readers: JoinSet<()>,
}

impl Process {
    /// Starts `command`; of options for any service, with those alone that it sets itself.
    pub(crate) fn start(mut command: Command) -> Self {
        let set: Vec<_> = command.as_std().get_envs().map(|(name, _)| name.to_owned()).collect();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WUBLOADER_") && !set.contains(&name) {
                command.env_remove(name);
            }
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it runs");
        let mut process = Self {
            pid,
            stdout: Lines::default(),
            stderr: Lines::default(),
            readers: JoinSet::new(),
            child,
        };
        let stdout = process.child.stdout.take().expect("it is piped");
        let stderr = process.child.stderr.take().expect("it is piped");
        process.readers.spawn(process.stdout.clone().keep(stdout));
        process.readers.spawn(process.stderr.clone().keep(stderr));
        process
    }

    /// Starts a program of the workspace.
    pub(crate) fn run(name: &str, arguments: &[&str]) -> Self {
        let mut command = process::command(program(name));
        command.args(arguments);
        Self::start(command)
    }

    /// Starts a program of the workspace whose log has what `filter` lets through.
    pub(crate) fn run_logging(name: &str, arguments: &[&str], filter: &str) -> Self {
        let mut command = process::command(program(name));
        command.args(arguments).env("WUBLOADER_LOG", filter);
        Self::start(command)
    }

    /// What it wrote to standard output so far.
    pub(crate) const fn stdout(&self) -> &Lines {
        &self.stdout
    }

    /// What it wrote to standard error so far.
    pub(crate) const fn stderr(&self) -> &Lines {
        &self.stderr
    }

    /// Its number, which is nobody else's until it was waited for.
    pub(crate) const fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().cast_unsigned()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("it was not waited for yet");
    }

    /// Whether it has not ended yet.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// The most memory that it ever had resident, in bytes; `None` when it has ended.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes << 10)
    }

    /// Waits for its end and for its last line.
    pub(crate) async fn ended(&mut self, within: Duration) -> ExitStatus {
        let ended = timeout(within, async {
            let status = self.child.wait().await.expect("it can be waited for");
            while self.readers.join_next().await.is_some() {}
            status
        });
        let ended = ended.await;
        ended.unwrap_or_else(|_| {
            panic!("it still runs; it said {:#?} {:#?}", self.stdout, self.stderr)
        })
    }

    /// Waits for its end and returns its exit status, for a program that says at once what is wrong.
    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        self.ended(PATIENCE).await.code()
    }
}

/// The lines that a program wrote; clones see the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Written>>);

#[derive(Debug, Default)]
struct Written {
    lines: Vec<String>,
    /// Whether there will be no more.
    ended: bool,
}

impl Lines {
    /// All of them.
    pub(crate) fn all(&self) -> Vec<String> {
        self.written().lines.clone()
    }

    /// Those that hold `text`.
    pub(crate) fn with(&self, text: &str) -> Vec<String> {
        self.all().into_iter().filter(|line| line.contains(text)).collect()
    }

    /// Waits for the first line that holds `text`.
    pub(crate) async fn until(&self, text: &str, within: Duration) -> String {
        let line = self.find(text, within).await;
        line.unwrap_or_else(|| panic!("no line with {text:?} in {:#?}", self.all()))
    }

    /// As [`Self::until`]; `None` when no such line came.
    pub(crate) async fn find(&self, text: &str, within: Duration) -> Option<String> {
        let deadline = Instant::now() + within;
        loop {
            let ended = self.written().ended;
            let found = self.with(text).into_iter().next();
            if found.is_some() || ended || Instant::now() >= deadline {
                return found;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn keep(self, source: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(source).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            self.written().lines.push(line);
        }
        self.written().ended = true;
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
