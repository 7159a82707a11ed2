//! Child processes: the only place that starts them, and they never outlive who started them.

use std::ffi::OsStr;

use tokio::process::Command;

/// A command that starts `program` and kills it when its handle is dropped.
///
/// Arguments go as a list, never through a shell. Standard input is closed: a child that should read
/// something is given it explicitly.
#[expect(clippy::disallowed_methods, reason = "this is the one place that starts processes")]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(std::process::Stdio::null()).kill_on_drop(true);
    command
}
