//! Builds the fuzzers and runs them, as many at a time as there are processors.
//!
//! They are the programs of the crate `fuzz`, built into `target/fuzz` with the instrumentation that
//! libFuzzer steers by. That needs no nightly compiler: Rust's own checks find the bugs here, and
//! only the sanitizers, which look for those of unsafe code, would need one. What a run learned
//! stays in `target/fuzz/corpus`, and the next one begins there.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::run::Workspace;
use crate::rust_source::files_below;

/// How long each fuzzer runs unless told otherwise.
const SECONDS: u32 = 60;

/// What makes LLVM count which branches an input takes and note what it was compared with: the same
/// flags as `cargo fuzz --sanitizer none`. They are for the code under test alone, not for what runs
/// while it is built; that is why the target is named to cargo.
const INSTRUMENTATION: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // a branch that is folded into arithmetic could not be counted
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// Bounds for a single input: 16 KiB long, 10 s, 1 GiB of memory. Beyond these it counts as a failure.
const BOUNDS: [&str; 3] = ["-max_len=16384", "-timeout=10", "-rss_limit_mb=1024"];

/// What was asked for.
struct Asked<'a> {
    seconds: u32,
    /// Empty for all.
    targets: Vec<&'a str>,
}

/// Runs the fuzzers that `arguments` name, or all, for a minute or `--seconds N` each.
///
/// # Errors
///
/// When one does not build, or finds an input that fails; all others still run to their end.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let asked = parse(arguments)?;
    let mut targets = targets(workspace)?;
    for name in &asked.targets {
        ensure!(targets.iter().any(|target| target == name), "there is no fuzzer {name}");
    }
    targets.retain(|target| asked.targets.is_empty() || asked.targets.contains(&target.as_str()));
    let programs = build(workspace)?;
    let waiting = Mutex::new(targets.iter());
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().expect("nobody panics with it").next();
                    let Some(target) = next else { break };
                    let program = programs.join(target);
                    if let Err(error) = fuzz(workspace, target, &program, asked.seconds) {
                        println!("{target}: {error:#}");
                        failed.lock().expect("nobody panics with it").push(target.as_str());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nobody panics with it");
    ensure!(failed.is_empty(), "fuzzing failed: {}", failed.join(", "));
    Ok(())
}

fn parse<'a>(arguments: &[&'a str]) -> Result<Asked<'a>> {
    let mut asked = Asked { seconds: SECONDS, targets: Vec::new() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match *argument {
            "--seconds" => {
                let seconds = arguments.next().and_then(|text| text.parse().ok());
                // libFuzzer takes 0 for no end
                let seconds = seconds.filter(|seconds| *seconds > 0);
                asked.seconds = seconds.context("--seconds needs a number greater than 0")?;
            }
            option if option.starts_with('-') => bail!("there is no option {option}"),
            target => asked.targets.push(target),
        }
    }
    Ok(asked)
}

/// The names of the fuzzers: those of the files that they are built from.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let files = files_below(&workspace.path("fuzz/fuzz_targets"))?;
    let names = files.iter().filter_map(|path| path.file_stem());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// Builds all fuzzers and says in which folder they are.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    workspace
        .cargo(["build", "--locked", "--quiet", "--package", "fuzz", "--features", "libfuzzer"])
        .args(["--bins", "--profile", "fuzz", "--target", "host-tuple"])
        .args(["--target-dir", "target/fuzz"])
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}"))
        .run()
        .context("build the fuzzers")?;
    let host = workspace.program("rustc").args(["--print", "host-tuple"]).output()?;
    Ok(workspace.path("target/fuzz").join(host.trim()).join("fuzz"))
}

/// Runs one fuzzer and prints how far it came.
///
/// # Errors
///
/// When it finds an input that fails. What failed, where the input lies and how to run it again is
/// printed then.
fn fuzz(workspace: &Workspace, target: &str, program: &Path, seconds: u32) -> Result<()> {
    let learned = folder(workspace, "target/fuzz/corpus", target)?;
    let failures = folder(workspace, "target/fuzz/failures", target)?;
    let seeds = workspace.path("fuzz/corpus").join(target);
    let dictionary = workspace.path(format!("fuzz/dictionaries/{target}.dict"));
    let outcome = workspace
        .program(program)
        .args(BOUNDS)
        .args([format!("-max_total_time={seconds}")])
        .args([format!("-artifact_prefix={}/", failures.display())])
        .args([format!("-dict={}", dictionary.display())])
        // what is new goes into the first folder
        .args([learned, seeds])
        .output();
    match outcome {
        Ok(text) => println!("{target}: {}", summary(&text)),
        Err(error) => {
            println!("{}", without_progress(&format!("{error:#}")));
            println!("to see it again: {} FILE", workspace.display(program));
            println!("once it is fixed, keep the file in fuzz/corpus/{target}");
            bail!("an input failed");
        }
    }
    Ok(())
}

fn folder(workspace: &Workspace, below: &str, target: &str) -> Result<PathBuf> {
    let folder = workspace.path(Path::new(below).join(target));
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    Ok(folder)
}

/// The line that libFuzzer ends with: how many inputs it tried, and how much of the code they reached.
fn summary(text: &str) -> &str {
    text.lines().rfind(|line| is_progress(line)).unwrap_or("said nothing")
}

/// `text` but for the lines that tell about every input that reached something new.
fn without_progress(text: &str) -> String {
    text.lines().filter(|line| !is_progress(line)).collect::<Vec<_>>().join("\n")
}

fn is_progress(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_for_all_unless_told_otherwise() {
        let asked = parse(&[]).unwrap();
        assert_eq!((asked.seconds, asked.targets.len()), (60, 0));
        let asked = parse(&["one", "--seconds", "5", "other"]).unwrap();
        assert_eq!((asked.seconds, asked.targets), (5, vec!["one", "other"]));
    }

    #[test]
    fn fuzzing_that_would_not_end_is_refused() {
        for bad in [&["--seconds", "0"][..], &["--seconds"], &["--seconds", "-1"], &["--forever"]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_last_line_about_progress_is_the_summary() {
        let text = "INFO: Seed: 1\n#2\tINITED cov: 3\n#9\tDONE   cov: 5\n###### Dictionary\nDone 9";
        assert_eq!(summary(text), "#9\tDONE   cov: 5");
        assert_eq!(without_progress(text), "INFO: Seed: 1\n###### Dictionary\nDone 9");
    }
}
