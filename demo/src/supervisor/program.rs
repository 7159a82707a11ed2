//! One program: how it is started and what its end means.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use rustix::process::Signal;
use tokio::process::Child;

use crate::child;

/// A program to be kept running.
#[derive(Debug)]
pub(crate) struct Program {
    /// What people call it.
    pub(crate) title: String,
    /// A path, or a name that is looked for in `PATH`.
    pub(crate) executable: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Where it runs.
    pub(crate) folder: PathBuf,
    /// Where what it says is appended.
    pub(crate) log: PathBuf,
    /// Where its process is named while it runs.
    pub(crate) pid_file: PathBuf,
    /// What follows an end that nobody asked for.
    pub(crate) restart: Restart,
    /// How it is asked to end.
    pub(crate) ending: Ending,
}

/// What follows an end that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restart {
    /// Another start, unless it refused its configuration.
    Always,
    /// The end of the demo.
    Never,
}

/// An orderly end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// What asks for it.
    pub(crate) signal: Signal,
    /// The exit status that it then has.
    pub(crate) status: i32,
}

impl Ending {
    /// That of the services.
    pub(crate) const SERVICE: Self = Self { signal: Signal::TERM, status: 0 };
}

impl Program {
    /// Starts it and writes its pid down.
    pub(super) fn spawn(&self) -> io::Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let child = child::command(&self.executable)
            .args(&self.arguments)
            .current_dir(&self.folder)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        if let Some(pid) = child.id() {
            // by rename, so that whoever reads it never sees half of it
            let unfinished = self.pid_file.with_extension("unfinished");
            fs::write(&unfinished, format!("{pid}\n"))?;
            fs::rename(&unfinished, &self.pid_file)?;
        }
        Ok(child)
    }

    /// Says that it does not run any more.
    pub(super) fn forget_pid(&self) {
        let _ = fs::remove_file(&self.pid_file);
    }

    /// The last thing it said, for people.
    pub(crate) fn last_words(&self) -> String {
        const TAIL_BYTES: i64 = 4096;
        let read = || -> io::Result<String> {
            let mut log = File::open(&self.log)?;
            let length = i64::try_from(log.metadata()?.len()).unwrap_or(i64::MAX);
            log.seek(SeekFrom::End(-length.min(TAIL_BYTES)))?;
            let mut tail = Vec::new();
            log.read_to_end(&mut tail)?;
            Ok(String::from_utf8_lossy(&tail).into_owned())
        };
        let tail = read().unwrap_or_default();
        let last = tail.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("it said nothing").trim().to_owned()
    }
}
