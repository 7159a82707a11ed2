//! Child processes: the only place that starts them, and they never outlive who started them.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// A command that starts `program` and kills it when its handle is dropped.
///
/// Arguments go as a list, never through a shell. Standard input is closed: a child that should read
/// something is given it explicitly.
#[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What is taken of a child's words.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The most bytes that it may write to standard output.
    pub answer_bytes: u64,
    /// How many of the last bytes that it writes to standard error are kept; a little more may be.
    pub complaint_bytes: usize,
    /// How long it may take.
    pub patience: Duration,
}

/// A child that ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub answer: Vec<u8>,
    /// The end of what it wrote to standard error.
    pub complaint: String,
}

/// Why a child did not end by itself.
#[derive(Debug, Error)]
pub enum RunError {
    /// It cannot be started.
    #[error("cannot start {} ({source})", program.display())]
    Start {
        /// What was to be started.
        program: OsString,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It cannot be talked to.
    #[error("cannot talk to it ({0})")]
    Pipe(#[source] io::Error),
    /// It wrote more than [`Bounds::answer_bytes`].
    #[error("it answered with more than {0} bytes")]
    TooLarge(u64),
    /// It took longer than [`Bounds::patience`], and was killed.
    #[error("it did not end within {} s", patience.as_secs())]
    Slow {
        /// How long it had.
        patience: Duration,
        /// The end of what it had written to standard error.
        complaint: String,
    },
}

/// Runs `command`, in a process group of its own, to its end.
///
/// # Errors
///
/// When it cannot be started or talked to, writes too much or takes too long.
///
/// Cancel safety: dropped at any time, it is killed with everything that it started and that is still
/// in its process group.
pub async fn run(mut command: Command, bounds: Bounds) -> Result<Ended, RunError> {
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|source| {
        let program = command.as_std().get_program().to_owned();
        RunError::Start { program, source }
    })?;
    let mut group = Group(child);
    let (stdout, stderr) = (group.0.stdout.take(), group.0.stderr.take());
    let answered = async {
        let max_bytes = bounds.answer_bytes;
        let answer = at_most(stdout.expect("it is piped"), max_bytes).await;
        answer.map_err(RunError::Pipe)?.ok_or(RunError::TooLarge(max_bytes))
    };
    let mut last = Vec::new();
    let complained = async {
        let read = keep_last(stderr.expect("it is piped"), bounds.complaint_bytes, &mut last).await;
        read.map_err(RunError::Pipe)
    };
    let ended = async {
        let (answer, ()) = tokio::try_join!(answered, complained)?;
        Ok((answer, group.0.wait().await.map_err(RunError::Pipe)?))
    };
    let ended = tokio::time::timeout(bounds.patience, ended).await;
    let complaint = String::from_utf8_lossy(&last).into_owned();
    match ended {
        Ok(Ok((answer, status))) => Ok(Ended { status, answer, complaint }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(RunError::Slow { patience: bounds.patience, complaint }),
    }
}

/// A child that leads a process group, which is killed with it.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // a child that was not waited for is at least a zombie, so its number is nobody else's yet
        let leader = self.0.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(leader) = leader {
            // nothing is left to be done for a group that has gone already
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// All of what comes, `None` where that is more than `max_bytes`.
pub(super) async fn at_most(
    stdout: impl AsyncRead + Unpin,
    max_bytes: u64,
) -> io::Result<Option<Vec<u8>>> {
    let mut answer = Vec::new();
    let read = stdout.take(max_bytes + 1).read_to_end(&mut answer).await?;
    Ok((read as u64 <= max_bytes).then_some(answer))
}

/// The last bytes of what comes, at least `count` where there are as many, and at most twice that.
pub(super) async fn last_bytes(
    stderr: impl AsyncRead + Unpin,
    count: usize,
) -> io::Result<Vec<u8>> {
    let mut last = Vec::new();
    keep_last(stderr, count, &mut last).await?;
    Ok(last)
}

/// Keeps in `last` what [`last_bytes`] tells, so that it is there while more may come.
async fn keep_last(
    mut stderr: impl AsyncRead + Unpin,
    count: usize,
    last: &mut Vec<u8>,
) -> io::Result<()> {
    last.reserve(2 * count);
    loop {
        if last.len() >= 2 * count {
            last.drain(..count);
        }
        let room = (2 * count - last.len()) as u64;
        if (&mut stderr).take(room).read_buf(last).await? == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const BOUNDS: Bounds =
        Bounds { answer_bytes: 1000, complaint_bytes: 100, patience: Duration::from_hours(1) };

    fn shell(script: &str) -> Command {
        let mut command = command("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn both_outputs_and_the_status_are_told() {
        let ended = run(shell("echo out; echo err >&2; exit 3"), BOUNDS).await.unwrap();
        assert_eq!((ended.answer.as_slice(), ended.complaint.as_str()), (&b"out\n"[..], "err\n"));
        assert_eq!(ended.status.code(), Some(3));
    }

    #[tokio::test]
    async fn a_child_that_writes_without_end_is_ended() {
        let error = run(shell("while :; do echo more; done"), BOUNDS).await.unwrap_err();
        assert_eq!(error.to_string(), "it answered with more than 1000 bytes");
    }

    #[tokio::test]
    async fn what_a_child_said_before_it_hung_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let script = format!("echo first >&2; echo last >&2; : > {}; sleep 600", said.display());
        let running = run(shell(&script), BOUNDS);
        let has_said = async {
            while !said.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::pause();
        };
        let (ran, ()) = tokio::join!(running, has_said);
        let error = ran.unwrap_err();
        assert_eq!(error.to_string(), "it did not end within 3600 s");
        let RunError::Slow { complaint, .. } = error else { panic!("{error:?}") };
        assert_eq!(complaint, "first\nlast\n");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = run(command("/nowhere/program"), BOUNDS).await.unwrap_err().to_string();
        assert!(error.starts_with("cannot start /nowhere/program (No such file"), "{error}");
    }

    #[tokio::test]
    async fn what_a_child_started_dies_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pids");
        let script =
            format!("sleep 600 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", file.display());
        let running = run(shell(&script), BOUNDS);
        let started = async {
            while !file.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = running => panic!("it does not end"),
            () = started => {}
        }
        let ids = std::fs::read_to_string(&file).unwrap();
        let ids: Vec<&str> = ids.split_whitespace().collect();
        assert_eq!(ids.len(), 2);
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while ids.iter().any(|id| is_running(id)) {
            assert!(std::time::Instant::now() < deadline, "one of {ids:?} is left");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether there is such a process that is no zombie, which whoever inherited it has yet to bury.
    fn is_running(id: &str) -> bool {
        let stat = std::fs::read_to_string(Path::new("/proc").join(id).join("stat"));
        stat.is_ok_and(|stat| !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
    }
}
