//! The only place that spawns: programs that end with the thread that started them.
//!
//! `setpriv` of util-linux switches the account and asks the kernel for a signal on the parent's
//! death, which the standard library can do only through unsafe code. The kernel counts the
//! spawning *thread* as the parent, not its process: [`crate::keeper`] owns such a thread.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Error;
use crate::account::Account;

/// Returns a command for `program`, run as `account`, that gets `signal` when the thread that
/// spawns it ends.
pub(crate) fn command(account: Option<Account>, signal: &str, program: &Path) -> Command {
    let mut command = bare("setpriv");
    if let Some(Account { uid, gid }) = account {
        command.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
        command.arg("--clear-groups");
    }
    command.arg(format!("--pdeathsig={signal}")).arg("--");
    command.arg(program);
    command
}

/// Returns whether `account` may use `path` in the way that `test(1)`'s `flag` asks for.
///
/// Asking the kernel as that account is the only answer that knows every ancestor and every ACL.
pub(crate) fn may(account: Option<Account>, flag: &str, path: &Path) -> bool {
    let mut test = command(account, "KILL", Path::new("test"));
    test.arg(flag).arg(path).stderr(Stdio::null());
    test.status().is_ok_and(|status| status.success())
}

/// Runs a program to its end.
///
/// # Errors
///
/// [`Error::Spawn`] when `setpriv` cannot be run, [`Error::Failed`] with what it wrote when it fails.
pub(crate) fn run(mut command: Command, program: &str) -> Result<(), Error> {
    let output = command.output().map_err(Error::spawn)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        program: program.to_owned(),
        status: output.status.to_string(),
        output: tail(&String::from_utf8_lossy(&output.stderr)),
    })
}

/// Returns the last lines of a text, on one line.
pub(crate) fn tail(text: &str) -> String {
    const LINES: usize = 8;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join(" | ")
}

/// Returns a command in its own process group (a Ctrl-C at the terminal is the caller's affair),
/// in a folder that every account can enter, with no variable that libpq or initdb would obey.
#[expect(
    clippy::disallowed_methods,
    reason = "this crate is built before `common` and keeps its children from outliving it here"
)]
fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::null())
        .process_group(0);
    command
}
