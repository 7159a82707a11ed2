use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;

/// A roster with its surroundings.
struct Bench {
    roster: Roster,
    now: Instant,
    rng: StdRng,
}

impl Bench {
    fn new(lifetime: Option<Duration>) -> Self {
        let now = Instant::now();
        Self { roster: Roster::new(true, lifetime, now), now, rng: StdRng::seed_from_u64(1) }
    }

    fn looks(&mut self) -> bool {
        self.roster.looks(self.now, &mut self.rng)
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The look ends at that address; begins a worker if one is wanted.
    fn find(&mut self, address: &str) -> Option<(WorkerId, Option<WorkerId>)> {
        let url: Url = address.parse().unwrap();
        let Found::Fresh { replaced } = self.roster.found(&url, self.now) else { return None };
        let replaced = replaced.map(|(worker, _)| worker);
        let source = SourceId(self.roster.next_worker);
        Some((self.roster.begin(url, source, self.now, &mut self.rng), replaced))
    }
}

const A: &str = "http://host/a";
const B: &str = "http://host/b";
const C: &str = "http://host/c";
const D: &str = "http://host/d";
const E: &str = "http://host/e";

#[test]
fn a_channel_without_workers_is_looked_for_again_and_again() {
    let mut bench = Bench::new(None);
    assert!(bench.looks());
    assert!(!bench.looks(), "one look at a time");
    bench.roster.not_found(bench.now, &mut bench.rng);
    assert!(!bench.looks());
    let wakes = bench.roster.wakes().unwrap();
    assert!(wakes > bench.now + IMPORTANT_INTERVAL.mul_f64(0.5));
    bench.wait(10);
    assert!(bench.looks());
}

#[test]
fn a_worker_that_does_well_is_left_alone() {
    let mut bench = Bench::new(None);
    assert!(bench.looks());
    bench.find(A).unwrap();
    bench.wait(1_000_000);
    assert!(!bench.looks());
    assert_eq!(bench.roster.wakes(), None);
}

#[test]
fn one_that_fails_goes_on_until_another_has_delivered() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    bench.wait(60);
    bench.roster.fails(first);
    assert!(bench.looks(), "at once");
    let (second, replaced) = bench.find(B).unwrap();
    assert_eq!(replaced, None, "the old one goes on");
    assert!(!bench.looks(), "the new one does well");
    assert_eq!(bench.roster.delivered(SourceId(first.0)), []);
    assert_eq!(bench.roster.delivered(SourceId(second.0)), [(first, SourceId(first.0))]);
    assert_eq!(bench.roster.count(), 1);
    assert_eq!(bench.roster.ended(first, bench.now), None, "that is known");
}

#[test]
fn one_that_does_well_again_needs_no_other() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    bench.wait(60);
    bench.roster.fails(first);
    bench.roster.brought_news(first);
    assert!(!bench.looks());
    bench.roster.doubts(SourceId(first.0));
    bench.roster.brought_news(first);
    assert!(bench.looks(), "news do not make its clock right");
}

#[test]
fn one_whose_segments_do_not_come_is_poor_until_one_does() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    let source = SourceId(first.0);
    bench.wait(60);
    assert!(!bench.roster.failed_to_deliver(source));
    assert!(!bench.roster.failed_to_deliver(source));
    assert_eq!(bench.roster.delivered(source), []);
    assert!(!bench.roster.failed_to_deliver(source), "in a row");
    assert!(!bench.roster.failed_to_deliver(source));
    assert!(!bench.looks());
    assert_eq!(bench.roster.wakes(), None);
    assert!(bench.roster.failed_to_deliver(source));
    bench.roster.brought_news(first);
    assert!(bench.roster.wakes().is_some());
    assert!(bench.looks(), "news alone are worth nothing");
    bench.find(B).unwrap();
    assert!(!bench.roster.records_beside(None), "neither delivers");
}

#[test]
fn whether_another_records_decides_what_trouble_means() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    assert!(!bench.roster.records_beside(None), "nothing is stored yet");
    bench.roster.delivered(SourceId(first.0));
    assert!(bench.roster.records_beside(None));
    assert!(!bench.roster.records_beside(Some(first)));
    bench.wait(60);
    assert!(bench.roster.fails(first) && !bench.roster.fails(first), "it is new once");
    assert!(!bench.roster.records_beside(None));
    bench.looks();
    let (second, _) = bench.find(B).unwrap();
    bench.roster.brought_news(first);
    assert!(bench.roster.records_beside(Some(second)));
}

#[test]
fn the_same_address_is_not_followed_twice() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    bench.wait(60);
    bench.roster.fails(first);
    assert!(bench.looks());
    assert_eq!(bench.find(A), None);
    assert!(!bench.looks(), "not at once again");
    bench.wait(10);
    assert!(bench.looks());
}

#[test]
fn the_newest_makes_room_when_it_fails_as_well() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    bench.wait(60);
    bench.roster.fails(first);
    bench.looks();
    let (second, _) = bench.find(B).unwrap();
    bench.roster.fails(second);
    bench.wait(10);
    assert!(bench.looks());
    let (third, replaced) = bench.find(C).unwrap();
    assert_eq!(replaced, None, "the second may just be about to show something");
    bench.roster.fails(third);
    bench.wait(10);
    assert!(bench.looks());
    let (fourth, replaced) = bench.find(D).unwrap();
    assert_eq!(replaced, Some(third), "the first is the one that records");
    assert_eq!(bench.roster.source_of(fourth), Some(SourceId(fourth.0)));
    assert_eq!(bench.roster.source_of(third), None);
    assert_eq!(bench.roster.count(), 3);
}

/// A worker beside one that failed before, none of whose segments comes.
fn barren_beside_one_that_failed(bench: &mut Bench, address: &str) -> WorkerId {
    bench.wait(60);
    assert!(bench.looks());
    let (id, _) = bench.find(address).unwrap();
    bench.roster.brought_news(id);
    for _ in 0..BARREN {
        bench.roster.failed_to_deliver(SourceId(id.0));
    }
    id
}

#[test]
fn one_that_lists_what_never_comes_stops_beside_one_that_records_again() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    let source = SourceId(first.0);
    bench.roster.delivered(source);
    bench.roster.fails(first);
    let barren = barren_beside_one_that_failed(&mut bench, B);
    // what was listed before it failed still comes
    assert!((0..9).all(|_| bench.roster.delivered(source).is_empty()), "that records no more");
    bench.roster.brought_news(first);
    assert_eq!(bench.roster.delivered(source), []);
    assert_eq!(bench.roster.delivered(source), [], "it may be about to bring some");
    assert_eq!(bench.roster.delivered(source), [(barren, SourceId(barren.0))]);
    assert_eq!(bench.roster.count(), 1);
    assert!(!bench.looks(), "one that does well is left alone");
}

#[test]
fn one_that_shows_advertisements_waits_beside_one_that_records() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    bench.roster.doubts(SourceId(first.0));
    bench.wait(60);
    bench.looks();
    let (second, _) = bench.find(B).unwrap();
    bench.roster.failed_to_deliver(SourceId(second.0));
    assert!((0..99).all(|_| bench.roster.delivered(SourceId(first.0)).is_empty()));
    assert_eq!(bench.roster.delivered(SourceId(second.0)), [(first, SourceId(first.0))]);
}

#[test]
fn one_that_lists_what_never_comes_makes_room_first() {
    let mut bench = Bench::new(None);
    bench.looks();
    let (first, _) = bench.find(A).unwrap();
    bench.roster.delivered(SourceId(first.0));
    bench.roster.fails(first);
    let barren = barren_beside_one_that_failed(&mut bench, B);
    bench.wait(60);
    assert!(bench.looks());
    let (third, _) = bench.find(C).unwrap();
    // an advertisement that lasts
    bench.roster.fails(third);
    // whose segments do not come now, but did
    for _ in 0..BARREN {
        bench.roster.failed_to_deliver(SourceId(first.0));
    }
    bench.wait(60);
    assert!(bench.looks());
    let (fourth, replaced) = bench.find(D).unwrap();
    assert_eq!(replaced, Some(barren));
    assert_eq!(bench.roster.source_of(third), Some(SourceId(third.0)));
    bench.roster.fails(fourth);
    bench.wait(60);
    assert!(bench.looks());
    assert_eq!(bench.find(E).unwrap().1, Some(fourth), "the first may record again");
}

#[test]
fn addresses_are_renewed_at_random_before_they_expire() {
    let lifetime = Duration::from_hours(20);
    let mut bench = Bench::new(Some(lifetime));
    bench.looks();
    bench.find(A).unwrap();
    let first = bench.roster.wakes().unwrap();
    assert!(first > bench.now + Duration::from_hours(18) && first < bench.now + lifetime);
    let mut other = Bench::new(Some(lifetime));
    other.rng = StdRng::seed_from_u64(2);
    other.looks();
    other.find(A).unwrap();
    assert!((other.roster.wakes().unwrap() - other.now) != (first - bench.now));
    bench.wait(20 * 3600);
    assert!(bench.looks());
    bench.find(B).unwrap();
    assert_eq!(bench.roster.count(), 2);
}

#[test]
fn after_an_end_the_channel_is_looked_for_at_once_if_it_had_brought_news() {
    for (news, is_soon) in [(0, false), (1, false), (2, true)] {
        let mut bench = Bench::new(None);
        bench.looks();
        let (first, _) = bench.find(A).unwrap();
        for _ in 0..news {
            bench.roster.brought_news(first);
        }
        bench.roster.ended(first, bench.now).unwrap();
        bench.wait(1);
        assert_eq!(bench.looks(), is_soon, "{news} lists that brought news");
        bench.roster.not_found(bench.now, &mut bench.rng);
        bench.wait(1);
        assert!(!bench.looks(), "that is so once");
    }
}
