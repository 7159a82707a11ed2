//! Checks what a node is deployed with, where no container engine and no systemd may be running.
//!
//! Each file is read as its user would read it, and held against the others: a service, a port or a
//! setting that one of them names must be there in the rest.

mod compose;
mod dockerfile;
mod programs;
mod prometheus;
mod settings;
mod units;

use anyhow::{Result, bail};

use crate::run::{Workspace, is_installed};

/// What to do about a checker that is not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingTool {
    /// Say so and go on.
    Skip,
    /// Fail.
    Fail,
}

impl MissingTool {
    /// Whether the checker is there.
    ///
    /// # Errors
    ///
    /// When it is not, and that counts as a failure.
    fn is_there(self, name: &str) -> Result<bool> {
        let installed = is_installed(name);
        match self {
            _ if installed => {}
            Self::Skip => println!("skipped: {name} is not installed, `make setup` installs it"),
            Self::Fail => bail!("{name} is not installed, `make setup` installs it"),
        }
        Ok(installed)
    }
}

/// Where each service listens unless told otherwise.
const PORTS: [(&str, u16); 4] =
    [("downloader", 8001), ("backfiller", 8002), ("restreamer", 8000), ("cutter", 8003)];

/// Checks all of it.
///
/// # Errors
///
/// With the first thing that is wrong.
pub(crate) fn check(workspace: &Workspace, missing: MissingTool) -> Result<()> {
    let programs = programs::Programs::ask(workspace, missing)?;
    let stages = dockerfile::check(workspace)?;
    compose::check(workspace, &stages, programs.as_ref())?;
    settings::check(workspace, programs.as_ref())?;
    units::check(workspace, missing)?;
    prometheus::check(workspace, missing)
}
