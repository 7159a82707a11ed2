//! hls.js, which the tests play with in a browser: one file of a package of the npm registry, got
//! once, in a fixed version, and checked against the hash that was true when it was chosen.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::run::Workspace;

const VERSION: &str = "1.7.4";

/// SHA-512 of the package.
const SHA_512: &str = concat!(
    "dc697119d3ef4f6607bd060eb7ec8ecd3fc3122a2bfea255348ca51c0efb9207",
    "a805375042a8bbd06c1e7cd11498741e346ca30bc53adbe6ebbaa5bf4e99beb6"
);

/// The file in the package.
const FILE: &str = "package/dist/hls.min.js";

/// Where hls.js lies, fetched first if it does not yet.
///
/// # Errors
///
/// When it cannot be fetched, or is not what was chosen.
pub(crate) fn ready(workspace: &Workspace) -> Result<PathBuf> {
    let script = workspace.path(format!("target/tools/hls-{VERSION}.min.js"));
    if !script.is_file() {
        fetch(workspace, &script).context("fetch hls.js")?;
    }
    Ok(script)
}

fn fetch(workspace: &Workspace, script: &Path) -> Result<()> {
    let folder = tempfile::tempdir_in(workspace.path("target"))?;
    let package = folder.path().join(format!("hls.js-{VERSION}.tgz"));
    // npm knows the registry that is set up on this machine
    let exactly = format!("hls.js@{VERSION}");
    let pack = ["pack", "--silent", &exactly, "--pack-destination"];
    workspace.program("npm").args(pack).args([folder.path()]).output()?;
    let sum = workspace.program("sha512sum").args([&package]).output()?;
    ensure!(sum.starts_with(SHA_512), "its hash is not the one that is known: {sum}");
    let unpack = workspace.program("tar").args(["--extract", "--gzip", "--file"]).args([&package]);
    unpack.args(["--directory"]).args([folder.path()]).args([FILE]).output()?;
    let tools = script.parent().context("a file lies in a folder")?;
    fs::create_dir_all(tools)?;
    fs::rename(folder.path().join(FILE), script).context("put it in its place")
}
