//! Names, listings and selection, without a server, against the system calls that list the folders.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use benches::figures::{Figures, Row, Unit};
use benches::tree::{self, Tree};
use benches::{limit, select};
use common::base::time::TimeRange;
use common::format::segment::SegmentName;
use common::io::store::Feed;
use criterion::{BatchSize, Criterion, criterion_group};

criterion_group!(all, names, hour, week);

fn main() {
    all();
    Criterion::default().configure_from_args().final_summary();
    tell("name", "parse", "parse one name", None, "≤ 100 ns");
    tell("name", "parse_and_print", "parse one name and print it again", None, "");
    let hour = "select 1 h (1,800 names), index empty";
    tell("hour", "empty", hour, Some("getdents"), "≤ 1.4 ×");
    let week = "select 168 h (302,400 names), index empty";
    tell("week", "empty", week, Some("getdents"), "≤ 1.5 ×");
    let week = "select 168 h (302,400 names), index warm";
    tell("week", "warm", week, Some("stat"), "≤ 3 ms");
}

fn names(criterion: &mut Criterion) {
    let name = tree::name(tree::week().start());
    let mut group = criterion.benchmark_group("name");
    group.bench_function("parse", |bencher| {
        bencher.iter(|| black_box(&*name).parse::<SegmentName>());
    });
    group.bench_function("parse_and_print", |bencher| {
        bencher.iter(|| black_box(&*name).parse::<SegmentName>().map(|name| name.to_string()));
    });
}

fn hour(criterion: &mut Criterion) {
    let tree = Tree::ready().expect("the recording is there");
    let folders = [tree.only_hour_path()];
    compare(criterion, "hour", &tree, &folders, &tree::hour_feed(), tree::first_hour());
}

fn week(criterion: &mut Criterion) {
    let tree = Tree::ready().expect("the recording is there");
    compare(criterion, "week", &tree, &tree.hour_paths(), &tree::week_feed(), tree::week());
}

/// Selects all of `range`, which lies in `folders`, and does what cannot be avoided for it.
fn compare<P: AsRef<Path>>(
    criterion: &mut Criterion,
    name: &str,
    tree: &Tree,
    folders: &[P],
    feed: &Feed,
    range: TimeRange,
) {
    let names = folders.len() * tree::SEGMENTS_PER_HOUR;
    let opened = || tree.store().expect("the recording can be read");
    let warm = opened();
    let selected = select(&warm, feed, range).expect("the folders can be read");
    assert_eq!((selected.len(), selected.is_whole()), (names, true));
    assert_eq!(limit::getdents(folders).expect("the folders can be read"), names);

    let mut group = criterion.benchmark_group(name);
    group.sample_size(30).measurement_time(Duration::from_secs(8));
    group.bench_function("getdents", |bencher| bencher.iter(|| limit::getdents(folders)));
    group.bench_function("empty", |bencher| {
        let work = |store| (select(&store, feed, range), store);
        bencher.iter_batched(opened, work, BatchSize::PerIteration);
    });
    group.bench_function("stat", |bencher| bencher.iter(|| limit::stat(folders)));
    group.bench_function("warm", |bencher| bencher.iter(|| select(&warm, feed, range)));
}

/// Prints a row of what was measured, unless nothing was: with a filter, or as a test.
fn tell(group: &str, function: &str, work: &str, limit: Option<&str>, target: &str) {
    let Some(figures) = measured(group, function) else { return };
    let limit = limit.and_then(|limit| Some((limit, measured(group, limit)?)));
    println!("{}", Row { work, figures, unit: Unit::Nanoseconds, limit, target });
}

/// The time of one run, in each sample that criterion kept.
fn measured(group: &str, function: &str) -> Option<Figures> {
    let kept = benches::folder().join("../criterion").join(group).join(function);
    let sample = fs::read(kept.join("new/sample.json")).ok()?;
    let sample: serde_json::Value = serde_json::from_slice(&sample).ok()?;
    let numbers = |name: &str| -> Option<Vec<f64>> {
        sample[name].as_array()?.iter().map(serde_json::Value::as_f64).collect()
    };
    let (times, runs) = (numbers("times")?, numbers("iters")?);
    Some(Figures::of(times.iter().zip(&runs).map(|(time, runs)| time / runs)))
}
