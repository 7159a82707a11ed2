//! Reading and printing a segment's name.

use std::fs;
use std::hint::black_box;

use benches::figures::{Figures, Row, Unit};
use benches::tree;
use common::format::segment::SegmentName;
use criterion::{Criterion, criterion_group};

criterion_group!(all, names);

fn main() {
    all();
    Criterion::default().configure_from_args().final_summary();
    tell("parse", "parse one name", "≤ 100 ns");
    tell("parse_and_print", "parse one name and print it again", "");
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

/// Prints a row of what was measured, unless nothing was.
fn tell(function: &str, work: &str, target: &str) {
    if let Some(figures) = measured(function) {
        println!("{}", Row { work, figures, unit: Unit::Nanoseconds, limit: None, target });
    }
}

/// The time of one run, in each sample that criterion kept.
fn measured(function: &str) -> Option<Figures> {
    let kept = benches::folder().join("../criterion/name").join(function);
    let sample = fs::read(kept.join("new/sample.json")).ok()?;
    let sample: serde_json::Value = serde_json::from_slice(&sample).ok()?;
    let numbers = |name: &str| -> Option<Vec<f64>> {
        sample[name].as_array()?.iter().map(serde_json::Value::as_f64).collect()
    };
    let (times, runs) = (numbers("times")?, numbers("iters")?);
    Some(Figures::of(times.iter().zip(&runs).map(|(time, runs)| time / runs)))
}
