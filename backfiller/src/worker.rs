//! The worker of one node: pass after pass over what the node has.
//!
//! A pass goes over every hour of every feed whatever happens to some of them; what failed is only
//! counted, and decides how soon the next pass begins.

use std::sync::Arc;

use common::io::store::Feed;
use rand::Rng;
use rand::seq::SliceRandom;
use tokio::time::{Duration, Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::Order;
use crate::node::Node;
use crate::peer::Peer;
use crate::schedule::{Report, Schedule, Scope, Target};
use crate::shared::Shared;
use crate::{extras, hour};

/// How long a one-time pass waits for what another node was giving.
const ELSEWHERE_DELAY: Duration = Duration::from_millis(500);

/// The worker of one node.
#[derive(Debug)]
pub(crate) struct Worker {
    shared: Arc<Shared>,
    peer: Peer,
    schedule: Schedule,
    hours: hour::Memory,
    extras: extras::Memory,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, node: Node) -> Self {
        shared.metrics.node_appeared(&node);
        let peer = Peer::new(node, shared.client.clone(), shared.config.limits);
        let schedule = Schedule::new(shared.config.interval);
        let (hours, extras) = (hour::Memory::default(), extras::Memory::default());
        Self { shared, peer, schedule, hours, extras }
    }

    /// Copies until `stop` is cancelled.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut scope = Scope::Everything;
        loop {
            if scope == Scope::Everything {
                self.schedule.begins_everything(Instant::now(), &mut rand::rng());
            }
            let report = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                report = self.pass(scope) => report,
            };
            let (delay, next) = self.schedule.next(report, Instant::now(), &mut rand::rng());
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = sleep(delay) => {}
            }
            scope = next;
        }
    }

    /// Goes over everything once; returns whether all of it is here now, but for what is so recent
    /// that it is left to the downloader.
    ///
    /// Cancel safety: dropped in between, what was copied stays.
    pub(crate) async fn run_once(mut self) -> bool {
        let mut failed = 0;
        let mut scope = Scope::Everything;
        loop {
            let report = self.pass(scope).await;
            failed += report.failed;
            if report.elsewhere == 0 {
                return failed == 0;
            }
            // whoever has begun may fail
            sleep(ELSEWHERE_DELAY).await;
            scope = Scope::Hours(report.unsettled);
        }
    }

    async fn pass(&mut self, scope: Scope) -> Report {
        let (trees_too, targets, mut report) = match scope {
            Scope::Everything => {
                let (targets, report) = self.survey().await;
                (true, targets, report)
            }
            Scope::Hours(targets) => (false, targets, Report::default()),
        };
        let Self { shared, peer, hours: memory, extras: tree_memory, .. } = self;
        let trees = async {
            if trees_too {
                extras::copy(shared, peer, tree_memory).await
            } else {
                extras::TreesReport::default()
            }
        };
        let targets = in_order(targets, shared.config.order, &mut rand::rng());
        let hours = copy_hours(shared, peer, memory, targets, &mut report);
        let ((), trees) = tokio::join!(hours, trees);
        report.failed += trees.failed;
        report.unsurveyed |= trees.failed > 0;
        if report.failed > 0 {
            let failed = report.failed;
            tracing::warn!(node = %self.peer.node(), failed, "not all could be copied");
        }
        report
    }

    /// Asks for the hours of every feed.
    async fn survey(&mut self) -> (Vec<Target>, Report) {
        let (mut targets, mut report) = (Vec::new(), Report::default());
        let Self { shared, peer, hours: memory, .. } = self;
        for feed in &shared.config.feeds {
            match peer.hours(feed).await {
                Ok((hours, skipped)) => {
                    let place = || format!("{}/{}", feed.channel, feed.quality);
                    memory.skips.tell(shared, peer.node(), place, &skipped);
                    targets
                        .extend(hours.into_iter().map(|hour| Target { hour, feed: feed.clone() }));
                }
                Err(error) => {
                    let Feed { channel, quality } = feed;
                    tracing::warn!(node = %peer.node(), %channel, %quality, "cannot list hours: {error}");
                    shared.metrics.failed(peer.node());
                    report.failed += 1;
                    report.unsurveyed = true;
                }
            }
        }
        let now = shared.clock.now();
        let is_wanted = |target: &Target| {
            let Target { hour, .. } = target;
            // nothing in an hour to come can be anything but a mistake
            hour.start() <= now
                && shared.config.start.is_none_or(|start| start.includes(*hour, now))
        };
        targets.retain(is_wanted);
        (targets, report)
    }
}

async fn copy_hours(
    shared: &Shared,
    peer: &Peer,
    memory: &mut hour::Memory,
    targets: Vec<Target>,
    report: &mut Report,
) {
    for target in targets {
        let of_hour = hour::bring_up_to_date(shared, peer, memory, &target).await;
        report.failed += of_hour.failed;
        report.elsewhere += of_hour.elsewhere;
        if !of_hour.is_settled() {
            report.unsettled.push(target);
        }
    }
}

/// `targets` in the order in which they are to be copied; feeds of the same hour as they were given.
fn in_order(mut targets: Vec<Target>, order: Order, rng: &mut impl Rng) -> Vec<Target> {
    match order {
        Order::Newest => targets.sort_by_key(|target| std::cmp::Reverse(target.hour)),
        Order::Oldest => targets.sort_by_key(|target| target.hour),
        Order::Random => targets.shuffle(rng),
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(names: &[(&str, &str)]) -> Vec<Target> {
        let target = |(channel, hour): &(&str, &str)| Target {
            hour: format!("2026-11-20T{hour}").parse().unwrap(),
            feed: Feed { channel: channel.parse().unwrap(), quality: "source".parse().unwrap() },
        };
        names.iter().map(target).collect()
    }

    #[test]
    fn hours_come_in_the_order_asked_for_and_feeds_in_theirs() {
        let given = targets(&[("z", "09"), ("z", "10"), ("a", "09"), ("a", "10")]);
        let newest = targets(&[("z", "10"), ("a", "10"), ("z", "09"), ("a", "09")]);
        let oldest = targets(&[("z", "09"), ("a", "09"), ("z", "10"), ("a", "10")]);
        assert_eq!(in_order(given.clone(), Order::Newest, &mut rand::rng()), newest);
        assert_eq!(in_order(given.clone(), Order::Oldest, &mut rand::rng()), oldest);
        let mut random = in_order(given.clone(), Order::Random, &mut rand::rng());
        random.sort();
        let mut sorted = given;
        sorted.sort();
        assert_eq!(random, sorted);
    }
}
