//! How the demo starts programs: so that none of them can outlive it.

use std::env;
use std::ffi::OsStr;

use common::io::process;
use tokio::process::Command;

/// The beginnings of the variables that stay.
const KEPT: [&str; 2] = ["WUBLOADER_LOG", "WUBLOADER_TWITCH_"];

/// A command that runs `program` in a process group of its own, so that a Ctrl-C at the terminal
/// reaches the demo alone, and that the kernel kills when the thread that spawns it ends, however
/// it ends. So it must be spawned from a thread that lives as long as the demo: the main one.
///
/// What the caller's environment would set of the services' options or of the database's address is
/// taken away, but for how to log and how to ask Twitch.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = process::command("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program).process_group(0);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let is_kept = KEPT.iter().any(|kept| name.starts_with(kept));
        if !is_kept && (name.starts_with("WUBLOADER_") || name.starts_with("PG")) {
            command.env_remove(&*name);
        }
    }
    command
}
