//! Builds and runs the benchmarks, and gathers what they say in one table.
//!
//! A benchmark is a program of the crate `benches`; it gets the path of a restreamer and prints rows of a
//! Markdown table. What else it prints goes below the table. The figures are for people to judge: only a
//! benchmark that could not measure fails.

use std::fs;

use anyhow::{Context, Result};

use crate::run::Workspace;

/// The programs in the order in which they run. First those that load one processor at most.
const PROGRAMS: [&str; 5] =
    ["select_segments", "index_memory", "serve_playlists", "live_viewers", "serve_segments"];

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
    workspace.cargo(release).args(["restreamer"]).run()?;
    workspace.cargo(release).args(["benches", "--bins"]).run()?;
    workspace.program("target/release/make_tree").run()?;

    let mut said = String::new();
    let mut outcome = Ok(());
    if is_wanted("names") {
        println!("== names");
        let bench = [
            "bench",
            "--locked",
            "--quiet",
            "--package",
            "benches",
            "--bench",
            "names",
            "--",
            "--quiet",
        ];
        outcome = workspace.cargo(bench).output().map(|text| said.push_str(&text));
    }
    for name in PROGRAMS.iter().filter(|name| is_wanted(name)) {
        if outcome.is_ok() {
            println!("== {name}");
            let program = workspace.program(format!("target/release/{name}"));
            let measured = program.args(["target/release/restreamer"]).output();
            outcome = measured.map(|text| said.push_str(&text)).with_context(|| (*name).to_owned());
        }
    }
    let (rows, rest): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.starts_with("| "));
    println!("\n{}\n\n{HEAD}\n{}\n\n{}", machine(workspace), rows.join("\n"), rest.join("\n"));
    outcome
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
    format!(
        "{commit} on {} × {}, {kernel}, {file_system}; {rustc}; {nginx}",
        models.len(),
        models.first().unwrap_or(&"an unknown processor"),
    )
}
