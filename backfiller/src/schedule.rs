//! When to look at a node again, and at how much of it. Pure but for the clock of its arguments.

use std::time::Duration;

use common::base::backoff::{Backoff, jittered};
use common::base::time::Hour;
use common::io::store::Feed;
use rand::Rng;
use tokio::time::Instant;

/// How soon to come back to what is not settled.
const SOON: Duration = Duration::from_secs(5);

/// One hour of one feed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// First, so that hours sort by time whatever feed they are of.
    pub(crate) hour: Hour,
    pub(crate) feed: Feed,
}

/// How much of a node to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All that it has.
    Everything,
    /// What was not settled last time.
    Hours(Vec<Target>),
}

/// What came of looking at a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// How many listings and files could not be had.
    pub(crate) failed: usize,
    /// How many files another node was giving at the time.
    pub(crate) elsewhere: usize,
    /// Whether it is unknown what the node has, so that looking at single hours is not enough.
    pub(crate) unsurveyed: bool,
    /// The hours that changed, or from which something is still missing.
    pub(crate) unsettled: Vec<Target>,
}

/// When to look at one node again.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval: Duration,
    soon: Duration,
    backoff: Backoff,
    everything_at: Instant,
}

impl Schedule {
    /// A schedule that looks at everything every `interval`, give or take a quarter.
    pub(crate) fn new(interval: Duration) -> Self {
        let soon = SOON.min(interval);
        Self {
            interval,
            soon,
            backoff: Backoff::new(soon, interval),
            everything_at: Instant::now(),
        }
    }

    /// To be called when a look at everything begins.
    pub(crate) fn begins_everything(&mut self, now: Instant, rng: &mut impl Rng) {
        self.everything_at = now + jittered(self.interval, rng);
    }

    /// How long to wait after a look that ended at `now` with `report`, and what to look at then.
    pub(crate) fn next(
        &mut self,
        report: Report,
        now: Instant,
        rng: &mut impl Rng,
    ) -> (Duration, Scope) {
        let delay = if report.failed > 0 {
            self.backoff.next_delay(rng)
        } else {
            self.backoff.reset();
            if report.unsettled.is_empty() {
                // a look may have taken longer than the interval
                self.everything_at.saturating_duration_since(now).max(self.soon)
            } else {
                jittered(self.soon, rng)
            }
        };
        let everything =
            report.unsurveyed || report.unsettled.is_empty() || now + delay >= self.everything_at;
        let scope = if everything { Scope::Everything } else { Scope::Hours(report.unsettled) };
        (delay, scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_mins(2);

    fn target() -> Target {
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        Target { hour: "2026-11-20T10".parse().unwrap(), feed }
    }

    fn unsettled() -> Report {
        Report { unsettled: vec![target()], ..Report::default() }
    }

    fn about(delay: Duration, expected: Duration) -> bool {
        (expected.mul_f64(0.75)..=expected.mul_f64(1.25)).contains(&delay)
    }

    fn begun(interval: Duration) -> (Schedule, Instant) {
        let mut schedule = Schedule::new(interval);
        let now = Instant::now();
        schedule.begins_everything(now, &mut rand::rng());
        (schedule, now)
    }

    #[tokio::test(start_paused = true)]
    async fn a_settled_node_is_looked_at_at_each_interval() {
        let (mut schedule, now) = begun(INTERVAL);
        let took = Duration::from_secs(10);
        let (delay, scope) = schedule.next(Report::default(), now + took, &mut rand::rng());
        assert!(about(took + delay, INTERVAL), "{delay:?}");
        assert_eq!(scope, Scope::Everything);
        let late = now + INTERVAL * 2;
        let (delay, _) = schedule.next(Report::default(), late, &mut rand::rng());
        assert_eq!(delay, SOON, "after a look that took longer");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_settled_is_looked_at_soon_and_alone() {
        let (mut schedule, now) = begun(INTERVAL);
        let (delay, scope) = schedule.next(unsettled(), now, &mut rand::rng());
        assert!(about(delay, SOON), "{delay:?}");
        assert_eq!(scope, Scope::Hours(vec![target()]));
        let (delay, scope) = schedule.next(unsettled(), now + INTERVAL * 2, &mut rand::rng());
        assert!(about(delay, SOON), "{delay:?}");
        assert_eq!(scope, Scope::Everything, "the rest has its turn too");
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_fails_is_left_alone_for_longer_and_longer() {
        let (mut schedule, now) = begun(INTERVAL);
        let failed = || Report { failed: 1, unsurveyed: true, ..Report::default() };
        for expected in [5, 10, 20, 40, 80, 120, 120] {
            let (delay, scope) = schedule.next(failed(), now, &mut rand::rng());
            assert!(about(delay, Duration::from_secs(expected)), "{delay:?} for {expected}");
            assert_eq!(scope, Scope::Everything);
        }
        schedule.next(unsettled(), now, &mut rand::rng());
        let partly = Report { failed: 1, unsurveyed: true, ..unsettled() };
        let (delay, scope) = schedule.next(partly, now, &mut rand::rng());
        assert!(about(delay, SOON), "{delay:?} after a success");
        assert_eq!(scope, Scope::Everything, "who knows what else it has");
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_interval_makes_everything_quicker() {
        let short = Duration::from_secs(1);
        let (mut schedule, now) = begun(short);
        let failed = Report { failed: 1, ..unsettled() };
        assert!(about(schedule.next(failed, now, &mut rand::rng()).0, short));
        assert!(about(schedule.next(unsettled(), now, &mut rand::rng()).0, short));
    }
}
