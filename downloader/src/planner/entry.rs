//! One segment on its way from being listed to being settled.

use std::sync::Arc;
use std::time::Duration;

use common::format::hls::Segment;
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::notes::Why;
use tokio::time::Instant;
use url::Url;

use super::events::unfetchable;
use super::timeline::{Origin, Place};
use super::{
    Attempt, Claim, Failure, Job, Overwritten, Retry, Saved, SegmentId, SourceId, Urgency,
};

/// How long a segment is asked for, from the first attempt on, unless its absence is final before.
const LONGEST_EFFORT: Duration = Duration::from_mins(20);
/// How many times a refused segment is asked for at each reload before that becomes rarer.
const EAGER_ATTEMPTS: u32 = 8;
/// How many times a segment is asked for that comes damaged though nothing went wrong on the way.
const ODD_ATTEMPTS: u32 = 5;
/// How long a segment waits for a list to show it again: when none comes, it may be there all the same.
const UNHEARD: Duration = Duration::from_secs(5);
/// How often a listed segment is asked for once it became hopeless.
const RARELY: Duration = Duration::from_secs(15);

/// What is to happen to a segment next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// Placed, but not yet compared with what is stored.
    Fresh,
    /// To be fetched, not before that instant.
    Due(Instant),
    /// To be fetched once a list shows it again, not before that instant, or some time after it.
    WhenListed(Instant),
    /// Being fetched.
    InFlight,
    /// Fetched, and waits for the disk.
    Held,
    /// Nothing: saved, stored before, given up, or an advertisement.
    Settled,
}

/// Why a segment is suspect however whole it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Where it lies.
    Arrival,
    /// How long it is.
    Duration,
    /// Whether its date can be believed.
    Clock,
}

impl Doubt {
    /// For people.
    const fn words(self) -> &'static str {
        match self {
            Self::Arrival => "it has no date, and was placed by its arrival",
            Self::Duration => "its duration is a guess",
            Self::Clock => "the publisher's clock jumped",
        }
    }
}

/// What comes before a segment in the list that it was taken in from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Before {
    /// Nothing that is known; with the reason, where numbers are missing before it.
    Nothing(Option<Why>),
    /// Part of the programme, at that place.
    Programme(Place),
    /// An advertisement, which tells nothing of the programme's clock.
    Advertisement,
}

/// Where a segment is listed, as one source's newest list says it.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) source: SourceId,
    pub(super) numbering: u32,
    pub(super) number: u64,
    pub(super) stretch: Option<u64>,
    pub(super) segment: Arc<Segment>,
    pub(super) base: Arc<Url>,
    pub(super) version: Option<u64>,
}

/// A segment and what became of it so far.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Every source that lists it; never empty, since the last one stays when it lists it no longer.
    listings: Vec<Listing>,
    /// When the first of them did.
    since: Instant,
    /// Whether any of them still does.
    pub(super) listed: bool,
    pub(super) place: Place,
    /// What it was taken in after.
    pub(super) before: Before,
    /// Whether it is an advertisement, which is not fetched.
    pub(super) is_advertisement: bool,
    /// Why it is suspect however whole it is, if it is.
    pub(super) doubt: Option<Doubt>,
    /// Whether it was in doubt when it was last asked for, and is no more.
    was_doubted: bool,
    /// How long the publisher says that it is.
    promised: Option<MediaDuration>,
    pub(super) state: State,
    /// How near to the edge it was when it was last started.
    pub(super) urgency: Urgency,
    attempts: u32,
    /// By which list the last attempt went.
    last_tried: Option<Listing>,
    /// Whether something else is where the last attempt went, or the next one goes.
    overwritten: Overwritten,
    /// By which other list one beside it may go, and whether something else is there.
    beside: Option<(Listing, Overwritten)>,
    /// How many of them brought something odd.
    odd: u32,
    /// How many of them brought it whole, be it in doubt.
    whole: u32,
    began: Option<Instant>,
    best: Option<(Completeness, u64)>,
    /// The size of the longest partial copy that waits for the disk.
    held_partial: u64,
    failure: Option<Failure>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Settling {
    /// Nothing more is to be done; whole or as whole as it will be.
    Done,
    /// Given up, with the reason and, for people, more about it.
    GivenUp(Why, String),
    /// There will be another attempt.
    Pending,
}

impl Entry {
    /// A segment that `listing` shows for the first time; `is_sure` says whether its duration is the
    /// publisher's.
    pub(super) fn new(
        listing: Listing,
        place: Place,
        before: Before,
        is_sure: bool,
        now: Instant,
    ) -> Self {
        let doubt = match place.origin {
            Origin::Arrival => Some(Doubt::Arrival),
            Origin::Stated | Origin::Carried if !is_sure => Some(Doubt::Duration),
            Origin::Stated | Origin::Carried => None,
        };
        Self {
            listings: vec![listing],
            since: now,
            listed: true,
            place,
            before,
            is_advertisement: false,
            doubt,
            was_doubted: false,
            promised: is_sure.then_some(place.duration),
            state: State::Fresh,
            urgency: Urgency::Backlog,
            attempts: 0,
            last_tried: None,
            overwritten: Overwritten::default(),
            beside: None,
            odd: 0,
            whole: 0,
            began: None,
            best: None,
            held_partial: 0,
            failure: None,
        }
    }

    /// What the newest source that lists it, or did so last, says of it.
    pub(super) fn segment(&self) -> &Segment {
        &self.listing().segment
    }

    /// The newest source that lists it, or did so last.
    pub(super) fn source(&self) -> SourceId {
        self.listing().source
    }

    /// What `source` says of it, if that lists it.
    pub(super) fn listing_in(&self, source: SourceId) -> Option<&Listing> {
        self.listings.iter().find(|listing| listing.source == source)
    }

    /// Whether `number` at an address like that one's is this segment, going by a source of which the
    /// numbers may be the same.
    pub(super) fn is_numbered(&self, number: u64, address: &str) -> bool {
        self.listings.iter().any(|known| {
            known.number == number && without_query(&known.segment.uri) == without_query(address)
        })
    }

    /// Whether some of its bytes are in the store because of us.
    pub(super) fn was_saved(&self) -> bool {
        self.best.is_some()
    }

    /// Whether an attempt now would be another one.
    pub(super) fn is_retry(&self) -> bool {
        self.attempts > 0
    }

    /// Whether it came odd each time, and is given up for that.
    pub(super) fn is_odd(&self) -> bool {
        self.state == State::Settled && self.odd >= 2
    }

    /// Whether it may be started now.
    pub(super) fn is_ready(&self, now: Instant) -> bool {
        self.due_at().is_some_and(|at| at <= now)
    }

    /// When it may be started, if it waits for that.
    pub(super) fn due_at(&self) -> Option<Instant> {
        match self.state {
            State::Due(at) => Some(at),
            State::WhenListed(at) => Some(at + UNHEARD),
            State::Fresh | State::InFlight | State::Held | State::Settled => None,
        }
    }

    /// Begins an attempt.
    pub(super) fn start(&mut self, id: SegmentId, urgency: Urgency, now: Instant) -> Job {
        self.state = State::InFlight;
        self.urgency = urgency;
        let listing = self.listing().clone();
        self.last_tried = Some(listing.clone());
        self.beside = None;
        self.attempts += 1;
        self.began.get_or_insert(now);
        self.job(id, listing, self.overwritten.clone())
    }

    /// The attempt that is under way, as it goes by the newest other source that lists the segment, if one does.
    pub(super) fn elsewhere(&mut self, id: SegmentId) -> Option<Job> {
        let other = self.listings.iter().rfind(|other| Some(other.source) != self.tried())?.clone();
        let before = self.beside.take().filter(|(before, _)| before.source == other.source);
        let overwritten = before.map(|(_, overwritten)| overwritten).unwrap_or_default();
        self.beside = Some((other.clone(), overwritten.clone()));
        Some(self.job(id, other, overwritten))
    }

    /// By which source's list the last attempt went.
    fn tried(&self) -> Option<SourceId> {
        self.last_tried.as_ref().map(|listing| listing.source)
    }

    /// The attempts that may be under way by lists of `source`, as those had it, and what tells them that
    /// something else is there.
    pub(super) fn under_way_by(
        &self,
        source: SourceId,
    ) -> impl Iterator<Item = (&Listing, &Overwritten)> {
        let tried = self.last_tried.as_ref().map(|listing| (listing, &self.overwritten));
        let beside = self.beside.as_ref().map(|(listing, overwritten)| (listing, overwritten));
        tried.into_iter().chain(beside).filter(move |(listing, _)| listing.source == source)
    }

    fn job(&self, id: SegmentId, listing: Listing, overwritten: Overwritten) -> Job {
        let best_partial = match self.best {
            Some((Completeness::Partial, size)) => size,
            _ => 0,
        };
        let best_partial = best_partial.max(self.held_partial);
        Job {
            id,
            source: listing.source,
            numbering: listing.numbering,
            number: listing.number,
            stretch: listing.stretch,
            attempt: self.attempts,
            urgency: self.urgency,
            listed: self.since,
            segment: listing.segment,
            base: listing.base,
            version: listing.version,
            promised: self.promised,
            start: self.place.start,
            duration: self.place.duration,
            doubt: self.doubt.map(Doubt::words),
            overwritten,
            best_partial,
        }
    }

    /// Ends an attempt. Where `all_are_odd`, this one will not be better for being asked for again.
    pub(super) fn finish(&mut self, attempt: Attempt, all_are_odd: bool, now: Instant) -> Settling {
        self.saved(attempt.saved);
        let was_doubted = std::mem::take(&mut self.was_doubted);
        let Some(failure) = attempt.failure else {
            let suspect = attempt.saved.filter(|saved| saved.completeness == Completeness::Suspect);
            self.whole += u32::from(attempt.saved.is_some());
            if was_doubted && suspect.is_some() && self.listed {
                // only because it was in doubt
                self.state = State::Due(now);
                return Settling::Pending;
            }
            self.state = State::Settled;
            return Settling::Done;
        };
        let is_odd = failure.retry == Retry::AFewTimes;
        self.odd += u32::from(is_odd);
        let enough = self.odd >= if all_are_odd { 2 } else { ODD_ATTEMPTS };
        let is_gone = self.overwritten.is_likely() && !self.listed;
        if self.listed {
            // the next attempt goes where it is listed now
            self.overwritten = Overwritten::default();
        }
        let next =
            if is_gone || is_odd && enough { None } else { self.next_attempt(&failure, now) };
        // that the last attempt was cut off by a stop is not why those before it failed
        if failure.why != Why::Stopped || self.failure.is_none() {
            self.failure = Some(failure);
        }
        match next {
            Some(state) => {
                self.state = state;
                Settling::Pending
            }
            None => self.give_up(Why::Expired),
        }
    }

    fn saved(&mut self, saved: Option<Saved>) {
        let Some(Saved { completeness, size, .. }) = saved else { return };
        let this = (completeness, size);
        let better = |best: (Completeness, u64)| if best.0 <= this.0 { best } else { this };
        self.best = Some(self.best.map_or(this, better));
    }

    /// A copy waits for the disk, while a better one is asked for.
    pub(super) fn copy_held(&mut self, completeness: Completeness, size: u64) {
        if completeness == Completeness::Partial {
            self.held_partial = self.held_partial.max(size);
        }
    }

    /// Such a copy was saved or given up: which of several, is not told.
    pub(super) fn copy_landed(&mut self, saved: Option<Saved>) {
        self.held_partial = 0;
        self.saved(saved);
    }

    /// `source` does not list it any more.
    pub(super) fn unlist(&mut self, source: SourceId) -> Settling {
        if self.listings.len() > 1 {
            self.listings.retain(|listing| listing.source != source);
            return Settling::Pending;
        }
        self.listed &= self.listing_in(source).is_none();
        match self.state {
            State::WhenListed(_) if !self.listed => self.give_up(Why::Expired),
            _ => Settling::Pending,
        }
    }

    /// The source that listed it has numbered anew since, and may have something else at its address: as far as
    /// `claim` tells, and where it was refused in any case, since something may come there soon.
    pub(super) fn superseded(&mut self, claim: Claim) -> Settling {
        let waits = matches!(self.state, State::Due(_) | State::WhenListed(_));
        let refused = self.failure.as_ref().is_some_and(|of| of.retry == Retry::WhileListed);
        if self.listed {
            return Settling::Pending;
        }
        if waits && (claim == Claim::Taken || refused) {
            return self.give_up(Why::Expired);
        }
        self.overwritten.set(claim);
        Settling::Pending
    }

    /// A list has it, perhaps elsewhere than before.
    pub(super) fn relist(&mut self, listing: Listing, is_advertisement: bool, now: Instant) {
        if self.is_advertisement && !is_advertisement {
            // what was taken for one turns out to be programme
            (self.is_advertisement, self.state) = (false, State::Fresh);
        }
        let cannot = |known: &Listing| unfetchable(&known.segment).is_some();
        let was_settled = self.state == State::Settled && !self.is_advertisement;
        if was_settled && self.listings.iter().all(cannot) && !cannot(&listing) {
            self.state = State::Due(now);
        }
        let stale = |known: &Listing| !self.listed || known.source == listing.source;
        self.listings.retain(|known| !stale(known));
        let at = self.listings.partition_point(|known| known.source < listing.source);
        self.listings.insert(at, listing);
        self.listed = true;
        if self.state != State::InFlight {
            self.overwritten = Overwritten::default();
        }
        if let State::WhenListed(at) = self.state {
            self.state = State::Due(at);
        }
    }

    /// Another source dates it just so: if that was in doubt, it is no longer, and worth another
    /// attempt.
    pub(super) fn confirm(&mut self, now: Instant) {
        // that says nothing of how long it is
        if self.doubt.is_some_and(|doubt| doubt != Doubt::Duration) {
            self.doubt = None;
            match self.state {
                State::Settled => self.state = State::Due(now),
                State::InFlight | State::Held => self.was_doubted = true,
                State::Fresh | State::Due(_) | State::WhenListed(_) => {}
            }
        }
    }

    /// By which source's list the next attempt goes: the newest's, and after a failure in turn.
    fn listing(&self) -> &Listing {
        let tried = |listing: &Listing| Some(listing.source) >= self.tried();
        // those that began before the one that was tried last, the newest of them first
        let earlier =
            self.listings.iter().rfind(|listing| self.last_tried.is_some() && !tried(listing));
        earlier.unwrap_or(&self.listings[self.listings.len() - 1])
    }

    fn next_attempt(&self, failure: &Failure, now: Instant) -> Option<State> {
        let retry = failure.retry;
        let hopeless = self.began.is_some_and(|began| now >= began + LONGEST_EFFORT);
        match retry {
            Retry::Never => None,
            Retry::WhileListed if !self.listed => None,
            Retry::Later | Retry::After(_) | Retry::AFewTimes if hopeless && !self.listed => None,
            // which is fetched whole each time, while the disk may stay full for long
            Retry::WhileListed if failure.why == Why::DiskFull => {
                Some(State::WhenListed(now + self.pause()))
            }
            Retry::WhileListed if self.attempts < EAGER_ATTEMPTS => Some(State::WhenListed(now)),
            Retry::WhileListed => Some(State::WhenListed(now + RARELY)),
            Retry::Later | Retry::After(_) | Retry::AFewTimes if hopeless => {
                Some(State::WhenListed(now + RARELY))
            }
            Retry::After(wait) => Some(State::Due(now + wait)),
            Retry::Later | Retry::AFewTimes => Some(State::Due(now + self.pause())),
        }
    }

    /// Half a second, doubled with each attempt up to sixteen.
    fn pause(&self) -> Duration {
        let exponent = self.attempts.saturating_sub(1).min(5);
        Duration::from_millis(500 << exponent)
    }

    /// The downloader stops, and nothing is under way any more.
    pub(super) fn stop(&mut self) -> Settling {
        match self.state {
            // whether that was stored before is not known
            State::Fresh => Settling::Pending,
            State::Settled => Settling::Done,
            State::Due(_) | State::WhenListed(_) | State::InFlight | State::Held => {
                self.give_up(Why::Stopped)
            }
        }
    }

    /// Gives up for the reason why the last attempt failed; `untried` when there was none.
    fn give_up(&mut self, untried: Why) -> Settling {
        self.state = State::Settled;
        if self.whole > 0 {
            return Settling::Done;
        }
        let attempts = match self.attempts {
            1 => "1 attempt".to_owned(),
            attempts => format!("{attempts} attempts"),
        };
        match &self.failure {
            Some(failure) => {
                Settling::GivenUp(failure.why, format!("{} after {attempts}", failure.detail))
            }
            None if untried == Why::Stopped => {
                Settling::GivenUp(untried, "the downloader was stopped".to_owned())
            }
            None => Settling::GivenUp(untried, "gone from the list".to_owned()),
        }
    }
}

/// An address without its query, which may be a token.
pub(crate) fn without_query(uri: &str) -> &str {
    uri.split('?').next().unwrap_or(uri)
}

#[cfg(test)]
mod tests;
