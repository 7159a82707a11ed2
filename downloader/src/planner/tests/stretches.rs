//! Which segments share what the publisher may change at a discontinuity.

use super::*;

/// The numbers to fetch of a list, and where the stretch of each begins.
fn stretches(bench: &mut Bench, lines: &str) -> Vec<(u64, Option<u64>)> {
    bench.observe(lines);
    let jobs = bench.jobs();
    let mut stretches: Vec<_> = jobs.iter().map(|job| (job.number, job.stretch)).collect();
    stretches.sort_unstable();
    stretches
}

/// A list with discontinuities before the segments of those numbers.
fn broken(numbers: std::ops::RangeInclusive<u64>, breaks: &[u64]) -> String {
    breaks.iter().fold(dated(numbers), |list, number| {
        let uri = format!("\n{number}.ts");
        list.replace(&uri, &format!("\n#EXT-X-DISCONTINUITY{uri}"))
    })
}

#[test]
fn a_discontinuity_holds_on_when_its_tag_has_left_the_list() {
    let mut bench = Bench::new();
    assert_eq!(stretches(&mut bench, &broken(1..=2, &[])), [(1, None), (2, None)]);
    let announced = stretches(&mut bench, &broken(1..=4, &[3]));
    assert_eq!(announced, [(3, Some(3)), (4, Some(3))]);
    bench.wait(2);
    assert_eq!(stretches(&mut bench, &broken(4..=5, &[])), [(5, Some(3))], "nobody counts it");
    assert_eq!(stretches(&mut bench, &broken(5..=7, &[7])), [(6, Some(3)), (7, Some(7))]);
}

#[test]
fn between_numbers_that_were_never_listed_there_may_have_been_one() {
    let mut bench = Bench::new();
    assert_eq!(stretches(&mut bench, &broken(1..=1, &[])), [(1, None)]);
    bench.wait(10);
    assert_eq!(stretches(&mut bench, &broken(5..=6, &[])), [(5, Some(5)), (6, Some(5))]);
}

#[test]
fn a_new_numbering_begins_without_any() {
    let mut bench = Bench::new();
    let begun = stretches(&mut bench, &broken(100..=101, &[100]));
    assert_eq!(begun, [(100, Some(100)), (101, Some(100))]);
    bench.wait(2);
    let list = undated(200..=201).replace("MEDIA-SEQUENCE:200", "MEDIA-SEQUENCE:100");
    let renumbered = stretches(&mut bench, &list);
    assert!(bench.events.contains(&Event::Renumbered));
    assert_eq!(renumbered, [(100, None), (101, None)]);
}
