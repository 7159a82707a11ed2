//! The downloader against an origin that does everything wrong that publishers do.
//!
//! Many channels at once in one process, each with troubles of its own, and one that has none: what the
//! others do must not hold it up. Afterwards the oracle of [`e2e::origin`] says of each channel what is
//! wrong, and all of that is told.

mod qualities;
mod run;

use std::collections::BTreeMap;

use e2e::origin::{Entry, Scenario, Script, Shape, scenarios};
use run::{Outcome, run};

/// How long the named scenarios are, in seconds.
const SCENARIO_SECONDS: u64 = 50;
/// How long the mixes are, in seconds.
const MIX_SECONDS: u64 = 45;
/// How many mixes there are, unless WUBLOADER_TEST_MIXES says otherwise.
const MIXES: u64 = 60;
/// The channel with which nothing goes wrong.
const CONTROL: &str = "control";
/// How soon after it is published each segment of that channel must be asked for, in milliseconds: half of
/// the time that it is listed, which a busy machine leaves untouched, and less than the time-outs that the
/// troubles of other channels run into.
const LATEST: i64 = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_is_recorded_as_it_should_be() {
    let chosen = std::env::var("WUBLOADER_TEST_SCENARIOS").unwrap_or_default();
    let is_chosen = |scenario: &Scenario| {
        chosen.is_empty() || chosen.split(',').any(|name| name == scenario.name)
    };
    let scripts = scenarios().into_iter().filter(is_chosen);
    let scripts = scripts.map(|scenario| (scenario.name.to_owned(), scenario.script));
    report(run(with_control(scripts), SCENARIO_SECONDS, (&[CONTROL], LATEST)).await);
}

/// Another seed at each run finds more; the one of a failure is in its message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mix_is_recorded_as_it_should_be() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().map_or(default, |text| text.parse().expect("it is a number"))
    };
    let count = number("WUBLOADER_TEST_MIXES", MIXES);
    let first = number("WUBLOADER_TEST_SEED", 1);
    println!("seeds {first} to {}", first + count - 1);
    let seeds = first..first + count;
    let scripts = seeds.map(|seed| (format!("mix_{seed}"), Script::from_seed(seed)));
    report(run(with_control(scripts), MIX_SECONDS, (&[CONTROL], LATEST)).await);
}

fn with_control(scripts: impl IntoIterator<Item = (String, Script)>) -> BTreeMap<String, Script> {
    let control = Shape { entry: Entry::Multivariant, window: 20, ..Shape::default() };
    scripts.into_iter().chain([(CONTROL.to_owned(), Script::healthy(control))]).collect()
}

/// Tells all that is wrong, channel by channel, and fails if anything is.
fn report(outcome: Outcome) {
    let Outcome { violations, peak_memory, memory_bound, late, complaints } = outcome;
    println!("the downloader took {} MB at most", peak_memory >> 20);
    for (channel, problems) in &violations {
        println!("{channel}: {}", if problems.is_empty() { "well" } else { "NOT WELL" });
        for problem in problems {
            println!("  {problem}");
        }
    }
    let failed: Vec<&String> = violations
        .iter()
        .filter(|(_, problems)| !problems.is_empty())
        .map(|(name, _)| name)
        .collect();
    let memory_holds = peak_memory <= memory_bound;
    let holds = failed.is_empty() && late.is_empty() && memory_holds && complaints.is_empty();
    assert!(
        holds,
        "of {} channels these are not well, see above: {failed:?}; late: {late:#?}; memory: {} MB of \
         {} MB allowed; the log says: {complaints:#?}",
        violations.len(),
        peak_memory >> 20,
        memory_bound >> 20
    );
}
