//! Copies that wait for the disk while a better one is asked for.

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
