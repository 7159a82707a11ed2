//! Where the workspace lies, and the only place that starts other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The folder that everything here works on.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built from.
    pub(crate) fn of_this_build() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        Self { root: root.expect("xtask lies in a folder of the workspace").to_owned() }
    }

    /// A path in the workspace.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// What a path is called in messages: relative to the workspace where it lies in it.
    pub(crate) fn display<'p>(&self, path: &'p Path) -> std::path::Display<'p> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// Reads a text file of the workspace.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> Result<String> {
        read(&self.path(relative))
    }

    /// A program that will run in the root of the workspace.
    pub(crate) fn program(&self, name: impl AsRef<OsStr>) -> Program {
        #[expect(
            clippy::disallowed_methods,
            reason = "a developer's tool, on which `common` must not depend: what it starts ends with it"
        )]
        let mut command = Command::new(name);
        command.current_dir(&self.root).stdin(Stdio::null());
        Program { command }
    }

    /// The cargo that runs us.
    pub(crate) fn cargo<I>(&self, arguments: I) -> Program
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        self.program(cargo).args(arguments)
    }
}

/// A program about to be run.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
}

impl Program {
    pub(crate) fn args<I>(mut self, arguments: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it, its output going where ours goes.
    ///
    /// # Errors
    ///
    /// When it cannot be started or does not succeed.
    pub(crate) fn run(mut self) -> Result<()> {
        let line = self.line();
        let status = self.command.status().with_context(|| format!("start `{line}`"))?;
        if !status.success() {
            bail!("`{line}` failed: {status}");
        }
        Ok(())
    }

    /// Runs it and returns all that it wrote, to stdout and then to stderr.
    ///
    /// # Errors
    ///
    /// When it cannot be started or does not succeed; the error holds what it wrote.
    pub(crate) fn output(mut self) -> Result<String> {
        let line = self.line();
        let output = self.command.output().with_context(|| format!("start `{line}`"))?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            bail!("`{line}` failed: {}\n{}", output.status, text.trim_end());
        }
        Ok(text)
    }

    fn line(&self) -> String {
        let program = Path::new(self.command.get_program());
        let mut line = program.file_name().unwrap_or(OsStr::new("")).to_string_lossy().into_owned();
        for argument in self.command.get_args() {
            line.push(' ');
            line.push_str(&argument.to_string_lossy());
        }
        line
    }
}

/// Whether a command of that name is in PATH.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// Reads a text file.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
