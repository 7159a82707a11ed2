//! The attempts at one segment: one, and while it is slow others beside it, one at a time.
//!
//! A second attempt tells whether the origin or the first one's connection is slow. What it is refused for
//! good, the first will not bring either; but an origin may refuse it because it is the second, while the
//! first is about to be answered.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::io::http::client::Client;
use common::io::store::notes::Why;
use tokio::time::Instant;

use super::attempt::Plan;
use super::intake::Lost;
use super::pair::{SecondPermits, either, more_telling};
use super::{Elsewhere, Fetched, Fetcher, stopped, too_slow};
use crate::planner::{Failure, Job, Retry, SegmentId};

/// How many segments are remembered whose silence was given up.
const MAX_GIVEN_UP: usize = 256;

/// The segments whose first attempt was once given up while nothing had come.
#[derive(Debug, Default)]
pub(super) struct GivenUp(Mutex<BTreeSet<SegmentId>>);

impl GivenUp {
    /// Whether `id` is new here. Next time its first attempt gets all the time there is: the refusal of the
    /// second may have been for being that.
    fn insert(&self, id: SegmentId) -> bool {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = ids.insert(id);
        if ids.len() > MAX_GIVEN_UP {
            ids.pop_first();
        }
        is_new
    }
}

/// What the attempts at one segment know of one another.
struct Race<'a> {
    fetcher: &'a Fetcher,
    plan: &'a Plan<'a>,
    /// Where second attempts go once that is known.
    elsewhere: &'a Elsewhere,
    began: Instant,
    /// Whether the headers of the first attempt have come.
    answered: AtomicBool,
    /// Whether the first attempt has ended.
    ended: AtomicBool,
    /// Whether the first attempt was slow.
    was_slow: AtomicBool,
    /// Whether the headers of the second attempt have come.
    second_answered: AtomicBool,
    /// Whether the second attempt failed in a way that makes the first one hopeless.
    hopeless: AtomicBool,
}

impl Fetcher {
    /// Makes an attempt, and others beside it while that is slow.
    pub(super) async fn attempts(
        &self,
        plan: &Plan<'_>,
        elsewhere: &Elsewhere,
    ) -> Result<Fetched, Lost> {
        let allowed = async {
            let permit = self.permits.first().await;
            (permit, self.means.crowd.turn(plan.job.urgency).await)
        };
        let (_permit, turn) = tokio::select! {
            biased;
            () = self.means.cut_off() => return Err(Lost::nothing(stopped())),
            allowed = allowed => allowed,
        };
        let race = Race {
            fetcher: self,
            plan,
            elsewhere,
            began: Instant::now(),
            answered: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            was_slow: AtomicBool::new(false),
            second_answered: AtomicBool::new(false),
            hopeless: AtomicBool::new(false),
        };
        let fresh = self.means.client.on_fresh_connections();
        let second = |permits| race.second(permits, &fresh);
        let both = |one: Lost, other: Lost| Lost {
            kept: Lost::better(one.kept, other.kept),
            failure: more_telling(one.failure, other.failure),
        };
        let is_worth_it = || !is(&race.hopeless);
        let done = tokio::select! {
            biased;
            () = race.better_elsewhere() => {
                Err(Lost::nothing(Failure { retry: Retry::After(Duration::ZERO), ..too_slow() }))
            }
            done = either(race.first(), race.slow(), second, is_worth_it, both) => done,
            done = turn.last() => done,
        };
        if done.is_ok() && !is(&race.was_slow) {
            self.permits.leaving.reset();
        }
        done
    }
}

impl Race<'_> {
    async fn first(&self) -> Result<Fetched, Lost> {
        let client = &self.fetcher.means.client;
        let done = self.fetcher.attempt(self.plan, client, &self.answered).await;
        self.ended.store(true, Ordering::Relaxed);
        done
    }

    /// Waits until the first attempt is slow and another is allowed.
    async fn slow(&self) -> SecondPermits {
        let means = &self.fetcher.means;
        tokio::time::sleep_until(self.began + means.patience.headers.soft).await;
        if is(&self.answered) {
            tokio::time::sleep_until(self.began + means.patience.whole.soft).await;
        }
        // whatever comes next must not meet the same connection
        self.was_slow.store(true, Ordering::Relaxed);
        self.fetcher.permits.leaving.leave(&means.client);
        self.fetcher.permits.second().await
    }

    /// Makes attempts beside the first, until one of them brings something, the first does no longer keep
    /// silent, or is hopeless.
    async fn second(&self, permits: SecondPermits, fresh: &Client) -> Result<Fetched, Lost> {
        let mut permits = Some(permits);
        loop {
            let there = self.elsewhere.borrow().clone();
            let done = match &there {
                Some(job) => self.second_of(job, fresh).await,
                None => self.fetcher.attempt(self.plan, fresh, &self.second_answered).await,
            };
            let lost = match done {
                Err(lost) if self.is_silent() => lost,
                done => return done,
            };
            let is_hopeless = there.is_none() && self.is_hopeless(&lost.failure);
            self.hopeless.store(is_hopeless, Ordering::Relaxed);
            if is_hopeless || lost.kept.is_some() {
                return Err(lost);
            }
            drop(permits.take());
            self.second_answered.store(false, Ordering::Relaxed);
            let soft = self.fetcher.means.patience.headers.soft;
            let wait = if let Retry::After(wait) = lost.failure.retry { wait } else { soft };
            tokio::time::sleep(wait.max(soft)).await;
            permits = Some(self.fetcher.permits.second().await);
            if !self.is_silent() {
                return Err(lost);
            }
        }
    }

    /// Makes an attempt at the same segment where another list has it.
    async fn second_of(&self, job: &Job, fresh: &Client) -> Result<Fetched, Lost> {
        let plan = self.fetcher.prepare(job).await.map_err(Lost::nothing)?;
        let mut fetched = self.fetcher.attempt(&plan, fresh, &self.second_answered).await?;
        // it says nothing for the source that the first attempt goes by
        if let Fetched::Done(attempt) = &mut fetched {
            attempt.elsewhere = Some(job.source);
        }
        Ok(fetched)
    }

    /// Whether nothing has come of the first attempt, while it goes on.
    fn is_silent(&self) -> bool {
        !is(&self.answered) && !is(&self.ended)
    }

    /// Whether the first attempt, silent so far, is not worth waiting for after that `failure` of the second.
    fn is_hopeless(&self, failure: &Failure) -> bool {
        match (failure.why, failure.retry) {
            // it is what it is, or ours
            (_, Retry::Never) | (Why::DiskFull | Why::Stopped, _) => true,
            (Why::Refused | Why::Expired, Retry::WhileListed) => {
                self.fetcher.given_up.insert(self.plan.job.id)
            }
            _ => false,
        }
    }

    /// Waits until the segment is listed elsewhere and no answer has come from here for long.
    async fn better_elsewhere(&self) {
        if self.elsewhere.clone().wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep_until(self.began + self.fetcher.means.patience.headers.soft * 2).await;
        if is(&self.answered) || is(&self.second_answered) {
            std::future::pending::<()>().await;
        }
    }
}

fn is(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let given_up = GivenUp::default();
        let most = MAX_GIVEN_UP as u64;
        assert!((0..=most).all(|id| given_up.insert(SegmentId(id))));
        assert!((1..=most).all(|id| !given_up.insert(SegmentId(id))));
        assert_eq!(given_up.0.lock().unwrap().len(), MAX_GIVEN_UP);
    }
}
