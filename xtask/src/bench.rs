//! Builds and runs the benchmarks, and gathers what they say in one table.
//!
//! A benchmark is a program of the crate `benches`; it gets the path of the service that it measures and prints
//! rows of a Markdown table. What else it prints goes below the table. The figures are for people to judge: only a
//! benchmark that could not measure fails.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::peers;
use crate::run::Workspace;

/// The programs, each with what it is given, in the order in which they run. First those that load one
/// processor at most.
const PROGRAMS: [(&str, &[Given]); 11] = [
    ("examine_segments", &[]),
    ("retime_segments", &[]),
    ("select_segments", &[Given::Service("restreamer")]),
    ("index_memory", &[Given::Service("restreamer")]),
    ("serve_playlists", &[Given::Service("restreamer")]),
    ("live_viewers", &[Given::Service("restreamer")]),
    ("record_stream", &[Given::Service("downloader"), Given::Peers]),
    ("record_latency", &[Given::Service("downloader")]),
    ("cut_segments", &[Given::Service("restreamer")]),
    ("serve_segments", &[Given::Service("restreamer")]),
    ("record_many", &[Given::Service("downloader")]),
];

/// What a benchmark is given on its command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    /// The path of a service.
    Service(&'static str),
    /// The folder of the recorders that others wrote.
    Peers,
}

impl Given {
    fn path(self, workspace: &Workspace) -> Result<PathBuf> {
        match self {
            Self::Service(name) => Ok(workspace.path("target/release").join(name)),
            Self::Peers => peers::ready(workspace),
        }
    }
}

const HEAD: &str = "\
| work | minimum / median / maximum | limit or peer, in the same run | ratio of the medians | target |
| --- | --- | --- | --- | --- |";

/// Runs all benchmarks, or those programs that `names` name; `names` stands for what criterion
/// measures.
///
/// # Errors
///
/// When one does not build or could not measure; the rows so far are printed all the same.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<()> {
    let is_wanted = |name: &str| names.is_empty() || names.contains(&name);
    let release = ["build", "--locked", "--release", "--quiet", "--package"];
    for service in ["restreamer", "downloader"] {
        if PROGRAMS
            .iter()
            .any(|(name, given)| is_wanted(name) && given.contains(&Given::Service(service)))
        {
            workspace.cargo(release).args([service]).run()?;
        }
    }
    workspace.cargo(release).args(["benches", "--bins"]).run()?;
    workspace.program("target/release/make_tree").run()?;

    let mut said = String::new();
    let mut outcome = Ok(());
    if is_wanted("names") {
        println!("== names");
        outcome = criterion(workspace).map(|text| said.push_str(&text));
    }
    for (name, given) in PROGRAMS.iter().filter(|(name, _)| is_wanted(name)) {
        if outcome.is_ok() {
            println!("== {name}");
            let measured = measure(workspace, name, given);
            outcome = measured.map(|text| said.push_str(&text)).with_context(|| (*name).to_owned());
        }
    }
    let (rows, rest): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.starts_with("| "));
    println!("\n{}\n\n{HEAD}\n{}\n\n{}", machine(workspace), rows.join("\n"), rest.join("\n"));
    outcome
}

/// Runs what criterion measures.
fn criterion(workspace: &Workspace) -> Result<String> {
    let package = ["bench", "--locked", "--quiet", "--package", "benches"];
    let names = ["--bench", "names", "--", "--quiet"];
    workspace.cargo(package).args(names).output()
}

fn measure(workspace: &Workspace, name: &str, given: &[Given]) -> Result<String> {
    let given: Vec<PathBuf> =
        given.iter().map(|given| given.path(workspace)).collect::<Result<_>>()?;
    workspace.program(workspace.path("target/release").join(name)).args(given).output()
}

/// What the figures depend on.
fn machine(workspace: &Workspace) -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models = cpus.lines().filter_map(|line| line.strip_prefix("model name"));
    let models: Vec<&str> =
        models.map(|model| model.trim_start_matches([' ', '\t', ':'])).collect();
    let first_line = |program: &str, arguments: &[&str]| {
        let said = workspace.program(program).args(arguments).output().unwrap_or_default();
        said.lines().next().unwrap_or("unknown").to_owned()
    };
    let commit = first_line("git", &["describe", "--always", "--dirty"]);
    let kernel = first_line("uname", &["-sr"]);
    let file_system = first_line("stat", &["--file-system", "--format=%T", "target"]);
    let (rustc, nginx) = (first_line("rustc", &["--version"]), first_line("nginx", &["-v"]));
    let peers = peers::versions(workspace).join("; ");
    format!(
        "{commit} on {} × {}, {kernel}, {file_system}; {rustc}; {nginx}; {peers}",
        models.len(),
        models.first().unwrap_or(&"an unknown processor"),
    )
}
