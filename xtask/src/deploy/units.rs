//! The systemd units: what each must say, and what systemd itself says of them.

use anyhow::{Context, Result, ensure};

use super::{MissingTool, PORTS};
use crate::run::Workspace;

const FOLDER: &str = "deploy/systemd";

/// Where the units expect the programs.
const PROGRAMS: &str = "/usr/lib/wubloader";

/// The exposure that `systemd-analyze security` may find, in tenths.
const MOST_EXPOSURE: &str = "20";

/// Lines that every unit has, because the others rely on them.
const COMMON_LINES: [&str; 5] = [
    "EnvironmentFile=/etc/wubloader/wubloader.env",
    "Restart=always",
    "RestartPreventExitStatus=2",
    "TimeoutStopSec=30",
    "User=wubloader",
];

/// Checks all units.
///
/// # Errors
///
/// With the first thing that is wrong.
pub(super) fn check(workspace: &Workspace, missing: MissingTool) -> Result<()> {
    // systemd wants to see the programs, which are not installed where we check: a copy of each
    // unit starts one that is on every machine
    let copies = tempfile::tempdir().context("make a folder for the units")?;
    let mut paths = Vec::new();
    for (service, _) in PORTS {
        let name = format!("wubloader-{service}.service");
        let text = workspace.read(format!("{FOLDER}/{name}"))?;
        let copy = checked(service, &text).with_context(|| name.clone())?;
        let path = copies.path().join(&name);
        std::fs::write(&path, copy).with_context(|| format!("write {}", path.display()))?;
        paths.push(path);
    }
    if missing.is_there("systemd-analyze")? {
        // a key that systemd does not know is an error of ours, a warning of another's unit is not
        let verify = ["verify", "--man=no", "--generators=no", "--recursive-errors=no"];
        workspace.program("systemd-analyze").args(verify).args(&paths).output()?;
        for path in &paths {
            let security =
                ["security", "--no-pager", "--offline=true", "--threshold", MOST_EXPOSURE];
            workspace.program("systemd-analyze").args(security).args([path]).output()?;
        }
        println!("{FOLDER}: {} units verified", paths.len());
    }
    Ok(())
}

/// Returns the unit with another program to start.
fn checked(service: &str, text: &str) -> Result<String> {
    let start = format!("ExecStart={PROGRAMS}/{service}");
    let starts = |line: &str| line == start || line.starts_with(&format!("{start} "));
    ensure!(text.lines().any(starts), "it does not start {PROGRAMS}/{service}");
    for line in COMMON_LINES {
        ensure!(text.lines().any(|one| one == line), "`{line}` is missing");
    }
    Ok(text.replace(&start, "ExecStart=/bin/true"))
}

#[cfg(test)]
mod tests {
    use super::{COMMON_LINES, checked};

    fn unit(start: &str) -> String {
        format!("[Service]\nExecStart={start}\n{}\n", COMMON_LINES.join("\n"))
    }

    #[test]
    fn the_program_is_replaced_and_its_arguments_stay() {
        let copy = checked("cutter", &unit("/usr/lib/wubloader/cutter $X")).unwrap();
        assert!(copy.contains("\nExecStart=/bin/true $X\n"));
    }

    #[test]
    fn another_program_and_a_missing_line_are_refused() {
        assert!(checked("cutter", &unit("/usr/lib/wubloader/cutterx")).is_err());
        let text = unit("/usr/lib/wubloader/cutter").replace("Restart=always", "Restart=no");
        assert!(checked("cutter", &text).unwrap_err().to_string().contains("Restart=always"));
    }
}
