//! Every check that a change must pass, the quick ones first and the tests last.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::deploy::{self, MissingTool};
use crate::run::Workspace;
use crate::{fuzz, layers, sizes, testing, tools};

type Step = fn(&Workspace) -> Result<()>;

/// The steps, in the order in which they run.
const STEPS: [(&str, Step); 12] = [
    ("format", |w| w.cargo(["fmt", "--all", "--check"]).run()),
    ("layers", layers::check),
    ("sizes", sizes::check),
    ("clippy", clippy),
    ("clippy without the database", clippy_without_database),
    ("documentation", documentation),
    ("unused dependencies", unused_dependencies),
    ("licences, bans, sources", dependencies),
    ("build", testing::build_programs),
    ("deployment", |w| deploy::check(w, MissingTool::Fail)),
    ("fuzz", |w| fuzz::run(w, &[])),
    ("test", |w| testing::run(w, &[])),
];

/// Runs all steps, the first failure ending the run, and says how long each took.
///
/// # Errors
///
/// When a step fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut times = Vec::new();
    let mut outcome = Ok(());
    for (name, step) in STEPS {
        println!("== {name}");
        let started = Instant::now();
        outcome = step(workspace).with_context(|| name);
        times.push((name, started.elapsed()));
        if outcome.is_err() {
            break;
        }
    }
    print_times(&times);
    outcome
}

fn print_times(times: &[(&str, Duration)]) {
    println!("== time");
    for (name, time) in times {
        println!("{:>7.1} s  {name}", time.as_secs_f64());
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    println!("{:>7.1} s  in all", total.as_secs_f64());
}

fn clippy(workspace: &Workspace) -> Result<()> {
    workspace
        .cargo(["clippy", "--locked", "--workspace", "--all-targets", "--all-features"])
        .args(["--", "-D", "warnings"])
        .run()
}

/// The library as downloader and restreamer use it. Not its tests, which want the database.
fn clippy_without_database(workspace: &Workspace) -> Result<()> {
    workspace
        .cargo(["clippy", "--locked", "--package", "common", "--no-default-features"])
        .args(["--", "-D", "warnings"])
        .run()
}

fn documentation(workspace: &Workspace) -> Result<()> {
    workspace
        .cargo(["doc", "--locked", "--workspace", "--all-features", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn unused_dependencies(workspace: &Workspace) -> Result<()> {
    tools::MACHETE.ready(workspace)?.args(["--skip-target-dir", "."]).run()
}

/// Not the advisories: their database comes over the network, and the same commit would pass one
/// day and fail the next.
fn dependencies(workspace: &Workspace) -> Result<()> {
    let check = ["--locked", "--all-features", "check", "bans", "licenses", "sources"];
    // an exception that is no longer needed goes
    let strict = ["-D", "unmatched-skip", "-D", "license-not-encountered"];
    tools::DENY.ready(workspace)?.args(check).args(strict).run()
}
