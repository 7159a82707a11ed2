//! The task that keeps one program running.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::program::{Program, Restart};
use super::{State, Wanted};
use crate::display::Display;

/// How long a program that ended stays down before it is started again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an orderly end may take; a service gives itself 20 s.
const STOP_WITHIN: Duration = Duration::from_secs(25);
/// The exit status of a service that refuses its configuration.
const REFUSED: i32 = 2;

/// What a keeper works with.
pub(super) struct Job {
    pub(super) program: Arc<Program>,
    pub(super) wanted: watch::Receiver<Wanted>,
    pub(super) state: watch::Sender<State>,
    pub(super) trouble: watch::Sender<Option<String>>,
    pub(super) display: Display,
}

/// Keeps the program as it is wanted, until it is stopped for good.
///
/// Cancel safety: when the future is dropped, the program is killed.
pub(super) async fn keep(mut job: Job) {
    let ending = job.run().await;
    job.state.send_replace(State::Over(ending));
}

/// How a run of the program ended.
enum End {
    Unasked(ExitStatus),
    Held,
    Stopped(Result<(), String>),
}

impl Job {
    async fn run(&mut self) -> Result<(), String> {
        loop {
            let wanted = *self.wanted.borrow_and_update();
            match wanted {
                Wanted::Stopped => return Ok(()),
                Wanted::Held => self.until_wanted_otherwise().await,
                Wanted::Up => {
                    let end = match self.program.spawn() {
                        Ok(child) => self.run_once(child).await,
                        Err(error) => return self.give_up(&format!("does not start: {error}")),
                    };
                    self.program.forget_pid();
                    self.state.send_replace(State::Down);
                    match end {
                        End::Stopped(ending) => return ending,
                        End::Held => {}
                        End::Unasked(status) => self.after_unasked_end(status).await?,
                    }
                }
            }
        }
    }

    /// Returns when something else may be wanted. When nobody can want anything any more, the demo
    /// is being dropped, and this task with it.
    async fn until_wanted_otherwise(&mut self) {
        if self.wanted.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    async fn run_once(&mut self, mut child: Child) -> End {
        let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) else {
            return End::Stopped(Err(format!("{} has no pid", self.program.title)));
        };
        self.state.send_replace(State::Running(pid.as_raw_pid().cast_unsigned()));
        let wanted = loop {
            tokio::select! {
                status = child.wait() => {
                    kill_group(pid);
                    return status.map_or_else(|e| End::Stopped(Err(e.to_string())), End::Unasked);
                }
                () = self.until_wanted_otherwise() => {}
            }
            let wanted = *self.wanted.borrow_and_update();
            if wanted != Wanted::Up {
                break wanted;
            }
        };
        if wanted == Wanted::Held {
            kill_group(pid);
            let _ = child.wait().await;
            return End::Held;
        }
        let ending = self.end_orderly(&mut child, pid).await;
        kill_group(pid);
        End::Stopped(ending)
    }

    async fn end_orderly(&self, child: &mut Child, pid: Pid) -> Result<(), String> {
        let Program { title, ending, .. } = &*self.program;
        let _ = kill_process(pid, ending.signal);
        let Ok(status) = timeout(STOP_WITHIN, child.wait()).await else {
            let _ = child.kill().await;
            return Err(format!("{title} had to be killed: {}", self.program.last_words()));
        };
        match status {
            Ok(status) if status.code() == Some(ending.status) => Ok(()),
            // asked so early that it did not listen yet
            Ok(status) if status.signal() == Some(ending.signal.as_raw()) => Ok(()),
            Ok(status) => {
                let last_words = self.program.last_words();
                Err(format!("{title} did not end well ({}): {last_words}", told(status)))
            }
            Err(error) => Err(format!("{title} cannot be waited for: {error}")),
        }
    }

    /// Waits until the next start, or reports that there must be none.
    async fn after_unasked_end(&mut self, status: ExitStatus) -> Result<(), String> {
        let refused = status.code() == Some(REFUSED);
        if refused || self.program.restart == Restart::Never {
            return self.give_up(&format!("ended by itself ({})", told(status)));
        }
        let title = &self.program.title;
        let seconds = PAUSE.as_secs();
        self.display.tell(format_args!("!! {title} {}; starts again in {seconds} s", told(status)));
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = self.until_wanted_otherwise() => {}
        }
        Ok(())
    }

    fn give_up(&self, why: &str) -> Result<(), String> {
        let trouble = format!("{} {why}: {}", self.program.title, self.program.last_words());
        self.trouble.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(trouble.clone());
            is_first
        });
        Err(trouble)
    }
}

/// Kills what a program started and left behind, as systemd does; mostly there is nothing.
fn kill_group(pid: Pid) {
    let _ = kill_process_group(pid, Signal::KILL);
}

fn told(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was killed by signal {signal}"),
        (None, Some(code)) => format!("exited with status {code}"),
        (None, None) => "ended".to_owned(),
    }
}
