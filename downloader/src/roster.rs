//! Which workers follow a feed, and when another address is asked for. Pure.
//!
//! A worker that fails, slows down, ages, lists nothing that comes whole or whose clock cannot be
//! right is *poor*, and one that has reached the end of its list ends. While all are poor, another address is
//! looked for, and a worker begins there beside those that there are. It takes over
//! when its first segment is stored: only then do the older ones stop, since until then it may have nothing but
//! advertisements to show.

use std::time::Duration;

use common::base::backoff::jittered;
use rand::{Rng, RngExt};
use tokio::time::Instant;
use url::Url;

use crate::planner::SourceId;

/// How often a channel is looked for that should always be up, and any other.
const IMPORTANT_INTERVAL: Duration = Duration::from_secs(5);
const ORDINARY_INTERVAL: Duration = Duration::from_secs(20);
/// After how many segments in a row that did not come whole a worker is poor.
const BARREN: u32 = 3;
/// How many segments an older worker stores beside one that is poor for that and never stored any, before that one
/// stops.
const OUTDONE: u32 = 3;
/// How long after a worker that had followed a list which grew ended the channel is looked for again.
const AT_ONCE: Duration = Duration::from_millis(500);
/// How many workers follow a feed at a time: the one that records, one that was tried, which may just be about to
/// show something, and the one that is tried now.
const MAX_WORKERS: usize = 3;
/// An address is renewed at a random moment after this part of its lifetime, so that nodes which began
/// together do not all lose the same stretch.
const RENEWED_FROM: f64 = 0.9;

/// One worker of the feed; later ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkerId(pub(crate) u32);

/// What is to be made of an address that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A worker is there, and goes on.
    Known(WorkerId),
    /// A worker is to begin there.
    Fresh {
        /// The one that is to stop to make room, if one is.
        replaced: Option<(WorkerId, SourceId)>,
    },
}

/// The workers of one feed.
#[derive(Debug)]
pub(crate) struct Roster {
    interval: Duration,
    lifetime: Option<Duration>,
    members: Vec<Member>,
    next_worker: u32,
    /// Whether the channel is being looked for.
    looking: bool,
    /// Not before then is it looked for again.
    next_look: Instant,
}

#[derive(Debug)]
struct Member {
    id: WorkerId,
    source: SourceId,
    address: Url,
    renewed_at: Option<Instant>,
    fails: bool,
    /// Whether what its list says cannot be right.
    doubted: bool,
    /// How many of its newest segments in a row did not come whole.
    failures: u32,
    /// Whether a segment of it was ever stored.
    delivered: bool,
    /// How many segments an older worker has stored since it is barren.
    outdone: u32,
    /// How often it brought something new, its first list included.
    news: u32,
}

impl Member {
    fn is_poor(&self, now: Instant) -> bool {
        self.is_sick() || self.renewed_at.is_some_and(|at| at <= now)
    }

    /// Whether it is poor whatever its age.
    fn is_sick(&self) -> bool {
        self.fails || self.doubted || self.is_barren()
    }

    /// Whether its segments do not come, whatever its list says.
    fn is_barren(&self) -> bool {
        self.failures >= BARREN
    }

    fn records(&self) -> bool {
        self.delivered && !self.fails && !self.is_barren()
    }
}

impl Roster {
    /// A roster without workers. `important` says whether the channel should always be up, `lifetime`
    /// how old an address may become.
    pub(crate) fn new(important: bool, lifetime: Option<Duration>, now: Instant) -> Self {
        let interval = if important { IMPORTANT_INTERVAL } else { ORDINARY_INTERVAL };
        let members = Vec::new();
        Self { interval, lifetime, members, next_worker: 0, looking: false, next_look: now }
    }

    /// Whether to look for the channel now; if so, it is taken to be looked for.
    pub(crate) fn looks(&mut self, now: Instant, rng: &mut impl Rng) -> bool {
        let all_poor = self.members.iter().all(|member| member.is_poor(now));
        if self.looking || !all_poor || now < self.next_look {
            return false;
        }
        self.looking = true;
        self.next_look = now + jittered(self.interval, rng);
        true
    }

    /// When [`Roster::looks`] may say so, if nothing else happens before.
    pub(crate) fn wakes(&self) -> Option<Instant> {
        if self.looking {
            return None;
        }
        let mut poor_at = Vec::new();
        for member in self.members.iter().filter(|member| !member.is_sick()) {
            poor_at.push(member.renewed_at?);
        }
        Some(poor_at.into_iter().max().map_or(self.next_look, |at| at.max(self.next_look)))
    }

    /// The look ended, and found nothing.
    pub(crate) fn not_found(&mut self, now: Instant, rng: &mut impl Rng) {
        self.looking = false;
        self.next_look = now + jittered(self.interval, rng);
    }

    /// The look ended at `address`.
    pub(crate) fn found(&mut self, address: &Url, now: Instant) -> Found {
        self.looking = false;
        if let Some(known) = self.members.iter_mut().find(|known| known.address == *address) {
            // a fresh address that is the old one does not age
            known.renewed_at = self.lifetime.map(|lifetime| now + lifetime);
            return Found::Known(known.id);
        }
        let surplus = self.members.len() >= MAX_WORKERS;
        let replaced = if surplus { self.least() } else { None };
        let replaced = replaced.map(|index| self.members.remove(index));
        Found::Fresh { replaced: replaced.map(|member| (member.id, member.source)) }
    }

    /// The one that is missed least: the oldest records, the others only tried to, and one of which nothing comes
    /// will show nothing soon.
    fn least(&self) -> Option<usize> {
        let barren = |member: &Member| member.is_barren() && !member.delivered;
        self.members.iter().rposition(barren).or(self.members.len().checked_sub(1))
    }

    /// A worker begins at `address`, whose lists are those of `source`.
    pub(crate) fn begin(
        &mut self,
        address: Url,
        source: SourceId,
        now: Instant,
        rng: &mut impl Rng,
    ) -> WorkerId {
        let id = WorkerId(self.next_worker);
        self.next_worker += 1;
        let renewed_at =
            self.lifetime.map(|age| now + age.mul_f64(rng.random_range(RENEWED_FROM..1.0)));
        self.members.push(Member {
            id,
            source,
            address,
            renewed_at,
            fails: false,
            doubted: false,
            failures: 0,
            delivered: false,
            outdone: 0,
            news: 0,
        });
        id
    }

    /// A worker is in trouble, and goes on while it can. Returns whether that is new.
    pub(crate) fn fails(&mut self, id: WorkerId) -> bool {
        let member = self.members.iter_mut().find(|member| member.id == id);
        member.is_some_and(|member| !std::mem::replace(&mut member.fails, true))
    }

    /// A worker brought something new.
    pub(crate) fn brought_news(&mut self, id: WorkerId) {
        if let Some(member) = self.members.iter_mut().find(|member| member.id == id) {
            (member.fails, member.news) = (false, member.news.saturating_add(1));
        }
    }

    /// One of the newest segments of `source` did not come whole at the first attempt. Returns whether so many did
    /// not that the source is poor.
    pub(crate) fn failed_to_deliver(&mut self, source: SourceId) -> bool {
        let member = self.members.iter_mut().find(|member| member.source == source);
        member.is_some_and(|member| {
            member.failures = member.failures.saturating_add(1);
            member.is_barren()
        })
    }

    /// Something is wrong with what a source's list says: another address is looked for.
    pub(crate) fn doubts(&mut self, source: SourceId) {
        for member in self.members.iter_mut().filter(|member| member.source == source) {
            member.doubted = true;
        }
    }

    /// A worker has ended. Returns its source, if it had not been stopped before.
    pub(crate) fn ended(&mut self, id: WorkerId, now: Instant) -> Option<SourceId> {
        let index = self.members.iter().position(|member| member.id == id)?;
        let member = self.members.remove(index);
        // a list that was at its end from the first on will hardly go on
        if member.news > 1 {
            self.next_look = self.next_look.min(now + AT_ONCE).max(now);
        }
        Some(member.source)
    }

    /// A segment of `source` was stored. Returns the workers that are to stop: the older ones, and newer ones that
    /// list what never comes, which is asked for there first.
    pub(crate) fn delivered(&mut self, source: SourceId) -> Vec<(WorkerId, SourceId)> {
        let Some(index) = self.members.iter().rposition(|member| member.source == source) else {
            return Vec::new();
        };
        let member = &mut self.members[index];
        (member.delivered, member.failures) = (true, 0);
        let records = member.records();
        let mut stopped: Vec<Member> = self.members.drain(..index).collect();
        for newer in self.members.iter_mut().skip(1).filter(|newer| newer.is_barren()) {
            newer.outdone += u32::from(records);
        }
        stopped.extend(self.members.extract_if(.., |member| member.outdone >= OUTDONE));
        stopped.into_iter().map(|member| (member.id, member.source)).collect()
    }

    /// How many workers there are.
    pub(crate) fn count(&self) -> usize {
        self.members.len()
    }

    /// Whether a worker other than `id` records, as far as is known.
    pub(crate) fn records_beside(&self, id: Option<WorkerId>) -> bool {
        self.members.iter().any(|member| Some(member.id) != id && member.records())
    }

    /// The source of a worker.
    pub(crate) fn source_of(&self, id: WorkerId) -> Option<SourceId> {
        self.members.iter().find(|member| member.id == id).map(|member| member.source)
    }
}

#[cfg(test)]
mod tests;
