//! The recorders that the benchmarks compare with, from the Python package index: got once, in fixed
//! versions, into an environment of their own, so that nothing else on the machine changes.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::run::Workspace;

const PACKAGES: [&str; 2] = ["streamlink==8.6.3", "yt-dlp==2026.10.26"];

/// What of them there is, and ffmpeg, which records as well, each with its version; asks them themselves.
pub(crate) fn versions(workspace: &Workspace) -> Vec<String> {
    let folder = workspace.path("target/tools/peers/bin");
    let version = |name: &str, program: PathBuf, argument: &str| {
        let said = workspace.program(program).args([argument]).output().ok()?;
        let line = said.lines().next()?.split(" Copyright").next()?;
        Some(if line.starts_with(name) { line.to_owned() } else { format!("{name} {line}") })
    };
    let own = |name: &str| version(name, folder.join(name), "--version");
    let ffmpeg = version("ffmpeg", "ffmpeg".into(), "-version");
    [own("streamlink"), own("yt-dlp"), ffmpeg].into_iter().flatten().collect()
}

/// The folder of their programs, installed first if they are not there in the right versions.
///
/// # Errors
///
/// When they cannot be installed.
pub(crate) fn ready(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.path("target/tools/peers");
    // written last, so that half an environment is made anew
    let installed = folder.join("installed");
    let wanted = PACKAGES.join("\n");
    if !fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        let environment = ["-m", "venv", "--clear"];
        let made = workspace.program("python3").args(environment).args([&folder]).output();
        made.context(
            "make an environment for Python; xtask/setup.sh bench installs what it takes",
        )?;
        // pip knows the index that is set up on this machine
        let pip = workspace.program(folder.join("bin/pip")).args(["install", "--quiet"]);
        pip.args(PACKAGES).output().context("install what the benchmarks compare with")?;
        fs::write(&installed, wanted)?;
    }
    Ok(folder.join("bin"))
}
