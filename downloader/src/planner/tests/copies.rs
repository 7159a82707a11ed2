//! Segments that the disk does not take: copies that wait for it while a better one is asked for, and
//! those that were given up for want of room.

use super::*;

impl Bench {
    /// Ends the attempt at the only segment, lets time pass, and begins the next; returns the size of the
    /// partial copy that it must be longer than.
    fn try_again(&mut self) -> u64 {
        self.refuse(7, Retry::Later);
        self.wait(30);
        self.jobs()[0].best_partial
    }

    fn hold(&mut self, completeness: Completeness, size: u64) {
        let id = self.id(7);
        self.planner.copy_held(id, completeness, size);
    }

    fn land(&mut self, saved: Option<Saved>) {
        let id = self.id(7);
        self.planner.copy_landed(id, saved);
    }
}

#[test]
fn a_copy_that_waits_keeps_shorter_ones_out() {
    let mut bench = Bench::new();
    assert_eq!(bench.show(&dated(7..=7)), [7]);
    bench.hold(Completeness::Suspect, 30);
    assert_eq!(bench.try_again(), 0);
    bench.hold(Completeness::Partial, 20);
    assert_eq!(bench.try_again(), 20);
    bench.hold(Completeness::Partial, 10);
    assert_eq!(bench.try_again(), 20);
    bench.land(None);
    assert_eq!(bench.try_again(), 0, "it was given up");
    bench.hold(Completeness::Partial, 20);
    bench.land(Some(Saved { completeness: Completeness::Partial, size: 20, is_new: true }));
    assert_eq!(bench.try_again(), 20);
}

#[test]
fn an_attempt_goes_on_when_an_older_copy_lands() {
    let mut bench = Bench::new();
    assert_eq!(bench.show(&dated(7..=7)), [7]);
    bench.hold(Completeness::Partial, 20);
    bench.try_again();
    bench.land(Some(Saved { completeness: Completeness::Partial, size: 20, is_new: true }));
    assert_eq!(bench.under_way(), [7]);
    bench.save([7]);
    assert_eq!(bench.missed(), []);
    // one that nobody remembers
    bench.show(&dated(9..=9));
    bench.planner.copy_landed(SegmentId(0), None);
}

/// Gives up what is under way for want of room.
fn give_up(bench: &mut Bench) -> Vec<u64> {
    let numbers = bench.numbers_due();
    for number in &numbers {
        let detail = "no room".to_owned();
        let failure = Failure { why: Why::DiskFull, detail, retry: Retry::WhileListed };
        bench.finish(*number, Attempt::failed(failure));
    }
    numbers
}

#[test]
fn what_was_given_up_for_want_of_room_is_fetched_when_there_is_some() {
    let mut bench = Bench::new();
    bench.observe(&dated(5..=7));
    assert_eq!(give_up(&mut bench), [5, 6, 7]);
    bench.wait(2);
    assert_eq!(bench.show(&dated(6..=8)), [6, 7, 8]);
    bench.save(6..=8);
    bench.wait(60);
    assert_eq!(bench.show(&dated(6..=8)), NONE);
    assert_eq!(bench.missed(), [(10.0, 2.0, Why::DiskFull)], "it was listed no longer");
}

/// Shows the same list each second; returns how often each of `numbers` is fetched, and given up.
fn attempts(numbers: std::ops::RangeInclusive<u64>, seconds: u64) -> Vec<usize> {
    let mut bench = Bench::new();
    let mut fetched = Vec::new();
    for _ in 0..seconds {
        bench.observe(&dated(numbers.clone()));
        fetched.extend(give_up(&mut bench));
        bench.wait(1);
    }
    numbers.map(|number| fetched.iter().filter(|other| **other == number).count()).collect()
}

#[test]
fn a_disk_that_stays_full_is_no_reason_to_fetch_without_end() {
    // after half a second, doubled each time up to sixteen, with the list that comes then
    assert_eq!(attempts(5..=6, 12), [5, 5]);
    assert!(attempts(5..=6, 120).iter().all(|attempts| *attempts <= 13));
    let retries = attempts(5..=304, 120).iter().sum::<usize>() - 300;
    assert!((300..=16 + 4 * 120).contains(&retries), "{retries} in two minutes");
}
