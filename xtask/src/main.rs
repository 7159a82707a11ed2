//! The project's own commands, behind the Makefile: one word, one job.
//!
//! Owns how the workspace is checked and tested. Refuses to be needed for building it: a plain
//! `cargo build` never runs this.

mod bench;
mod ci;
mod deploy;
mod fuzz;
mod hls_js;
mod layers;
mod peers;
mod run;
mod rust_source;
mod sizes;
mod testing;
mod tools;

use std::process::ExitCode;

use crate::run::Workspace;

const USAGE: &str = "usage: cargo xtask COMMAND

  ci            every check that a change must pass, and the tests
  test          every test, on a private PostgreSQL cluster
  bench         the benchmarks in one table, for some minutes; or those that are named
  fuzz          made-up names and playlists for a minute each; --seconds N, and which ones
  check-layers  who may use whom, inside `common` and between the crates
  check-deploy  docker-compose.yml, the Dockerfile, the systemd units, the Prometheus configuration
  sizes         the files and functions that have grown long";

fn main() -> ExitCode {
    let workspace = Workspace::of_this_build();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => ci::run(&workspace),
        ["test", filter @ ..] => testing::run(&workspace, filter),
        ["bench", names @ ..] => bench::run(&workspace, names),
        ["fuzz", arguments @ ..] => fuzz::run(&workspace, arguments),
        ["check-layers"] => layers::check(&workspace),
        ["check-deploy"] => deploy::check(&workspace, deploy::MissingTool::Skip),
        ["sizes"] => sizes::check(&workspace),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
