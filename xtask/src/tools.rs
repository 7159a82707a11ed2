//! The checkers that cargo builds for us, each at a fixed version, under `target/tools`.
//!
//! Only `ci` needs them. Built with little optimisation: each runs for a second, and building them
//! fully optimised takes several times as long as all that they would ever save.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::run::{Program, Workspace};

/// A checker: its crate, which is also its command, and the version that we use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Licences, banned and doubled crates, sources.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// Dependencies that nothing uses.
pub(crate) const MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2" };

impl Tool {
    /// The tool, built first if it is not there in the right version.
    ///
    /// # Errors
    ///
    /// When it cannot be built.
    pub(crate) fn ready(self, workspace: &Workspace) -> Result<Program> {
        let program = self.path(workspace);
        let there = workspace.program(&program).args(["--version"]).output();
        if !there.is_ok_and(|text| text.split_whitespace().any(|word| word == self.version)) {
            self.install(workspace).with_context(|| format!("build {}", self.name))?;
        }
        Ok(workspace.program(program))
    }

    fn install(self, workspace: &Workspace) -> Result<()> {
        workspace
            .cargo(["install", "--locked", "--quiet", "--root", "target/tools"])
            .args(["--version", self.version, self.name])
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .run()
    }

    fn path(self, workspace: &Workspace) -> PathBuf {
        workspace.path("target/tools/bin").join(self.name)
    }
}
