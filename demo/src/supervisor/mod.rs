//! Keeps programs running, like systemd would, and holds one down when the story wants that.
//!
//! Every program has a task that starts it, waits for its end and starts it again after a pause. A
//! program that can never work (its configuration is refused), or that must not be started again,
//! is trouble that ends the demo.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

mod keeper;
mod program;

pub(crate) use program::{Ending, Program, Restart};

use crate::display::Display;

/// What a program is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Run.
    Up,
    /// Be killed, and not be started again until this changes.
    Held,
    /// End in an orderly way, for good.
    Stopped,
}

/// What a program does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// It runs, as this process.
    Running(u32),
    /// It does not run.
    Down,
    /// It will never run again; whether it ended as it should.
    Over(Result<(), String>),
}

/// The owner of all programs.
#[derive(Debug)]
pub(crate) struct Supervisor {
    display: Display,
    trouble: watch::Sender<Option<String>>,
    keepers: JoinSet<()>,
}

impl Supervisor {
    /// Keeps nothing yet; tells `display` when a program ends unasked.
    pub(crate) fn new(display: Display) -> Self {
        Self { display, trouble: watch::Sender::new(None), keepers: JoinSet::new() }
    }

    /// Starts `program` and keeps it running.
    pub(crate) fn keep(&mut self, program: Program) -> Service {
        let program = Arc::new(program);
        let wanted = watch::Sender::new(Wanted::Up);
        let state = watch::Sender::new(State::Down);
        let service = Service { wanted, state: state.subscribe(), program: Arc::clone(&program) };
        self.keepers.spawn(keeper::keep(keeper::Job {
            program,
            wanted: service.wanted.subscribe(),
            state,
            trouble: self.trouble.clone(),
            display: self.display.clone(),
        }));
        service
    }

    /// Returns, when there is some, the first trouble that no restart mends.
    ///
    /// Cancel safety: trouble is kept and told again.
    pub(crate) async fn trouble(&self) -> String {
        let mut trouble = self.trouble.subscribe();
        let first = trouble.wait_for(Option::is_some).await;
        first.ok().and_then(|first| first.clone()).unwrap_or_default()
    }
}

/// A program that is kept running.
#[derive(Debug)]
pub(crate) struct Service {
    wanted: watch::Sender<Wanted>,
    state: watch::Receiver<State>,
    program: Arc<Program>,
}

impl Service {
    /// Its process, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        match *self.state.borrow() {
            State::Running(pid) => Some(pid),
            State::Down | State::Over(_) => None,
        }
    }

    /// What people call it.
    pub(crate) fn title(&self) -> &str {
        &self.program.title
    }

    /// The last thing it said, for people.
    pub(crate) fn last_words(&self) -> String {
        self.program.last_words()
    }

    /// Kills it and keeps it down until [`Self::release`]; returns when it is gone.
    pub(crate) async fn kill_and_hold(&self) {
        self.wanted.send_replace(Wanted::Held);
        self.until(|state| !matches!(state, State::Running(_))).await;
    }

    /// Starts it again; returns when it runs.
    pub(crate) async fn release(&self) {
        self.wanted.send_replace(Wanted::Up);
        self.until(|state| !matches!(state, State::Down)).await;
    }

    /// Ends it for good, in an orderly way if it lets itself be; asking again is harmless.
    ///
    /// # Errors
    ///
    /// In words, when it had to be killed or ended otherwise than it should.
    pub(crate) async fn stop(&self) -> Result<(), String> {
        self.wanted.send_replace(Wanted::Stopped);
        self.until(|state| matches!(state, State::Over(_))).await;
        match &*self.state.borrow() {
            State::Over(ending) => ending.clone(),
            State::Running(_) | State::Down => Ok(()),
        }
    }

    /// Returns when the state is as wanted, or its keeper is gone.
    async fn until(&self, is_wanted: impl FnMut(&State) -> bool) {
        let _ = self.state.clone().wait_for(is_wanted).await;
    }
}

#[cfg(test)]
mod tests;
