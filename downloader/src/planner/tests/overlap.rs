//! However many addresses a feed is followed at, whenever they begin and end, and whatever advertisements
//! they begin with: each segment of the programme is saved once, or told to be missing.
//!
//! Covered: sources with numbers of their own that list one programme by its dates, begin with a break of
//! some segments, lag behind, end and begin anew. Excluded: what one source alone may do, which is in
//! `simulation`.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Publish(u64),
    /// Another source begins, with a break of so many segments.
    Open(u64),
    /// The oldest source ends.
    Close,
    /// A source loads its list, which is so many segments behind.
    Load {
        source: usize,
        behind: u64,
    },
    /// The oldest attempt under way ends well, or does not.
    End(bool),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_u64).prop_map(Step::Publish),
        1 => (0..4_u64).prop_map(Step::Open),
        1 => Just(Step::Close),
        6 => (0..3_usize, 0..2_u64).prop_map(|(source, behind)| Step::Load { source, behind }),
        6 => prop::bool::weighted(0.8).prop_map(Step::End),
        1 => (0..20_u64).prop_map(Step::Wait),
    ]
}

const WINDOW: u64 = 5;

/// One session at the origin.
struct Session {
    id: SourceId,
    /// The programme's numbers that are hidden by its break.
    hidden: std::ops::Range<u64>,
    /// What it adds to the programme's numbers.
    offset: u64,
    /// The end of the newest list that it showed.
    shown: u64,
}

struct World {
    bench: Bench,
    sessions: Vec<Session>,
    opened: u64,
    published: u64,
    under_way: Vec<(SegmentId, u64)>,
    saved: BTreeMap<u64, usize>,
    missed: BTreeSet<u64>,
    /// The programme's first segment that any list showed.
    first: Option<u64>,
}

impl World {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Publish(count) => self.published += count,
            Step::Open(hidden) if self.sessions.len() < 3 => self.open(*hidden),
            Step::Close if self.sessions.len() > 1 => {
                let id = self.sessions.remove(0).id;
                self.bench.close(id);
            }
            Step::Load { source, behind } => self.load(*source, *behind),
            Step::End(well) => self.end(*well),
            Step::Wait(seconds) => self.bench.wait(*seconds),
            Step::Open(_) | Step::Close => {}
        }
        self.start_and_listen();
    }

    fn open(&mut self, hidden: u64) {
        self.opened += 1;
        let id = self.bench.open(&format!("http://host/{}", self.opened));
        let hidden = self.published..self.published + hidden;
        self.sessions.push(Session { id, hidden, offset: 1000 * self.opened, shown: 0 });
    }

    fn load(&mut self, source: usize, behind: u64) {
        let Some(session) = self.sessions.get_mut(source) else { return };
        let end = self.published.saturating_sub(behind).max(session.shown);
        // its first list begins where it does
        let first = end.saturating_sub(WINDOW);
        if end <= first {
            return;
        }
        session.shown = end;
        let hidden = (first..end).filter(|number| session.hidden.contains(number));
        let hidden: Vec<u64> = hidden.map(|number| number + session.offset).collect();
        let text = dated(first..=end - 1).replace(
            &format!("SEQUENCE:{first}\n"),
            &format!("SEQUENCE:{}\n", first + session.offset),
        );
        self.first.get_or_insert(first);
        self.bench.observe_in(session.id, &text, &hidden);
    }

    fn end(&mut self, well: bool) {
        if self.under_way.is_empty() {
            return;
        }
        let (id, number) = self.under_way.remove(0);
        let attempt = if well {
            *self.saved.entry(number).or_default() += 1;
            let saved = Saved { completeness: Completeness::Full, size: 1, is_new: true };
            let place = self.bench.planner.entries[&id].place;
            self.bench.known.insert(place.start, place.duration);
            Attempt { saved: Some(saved), ..Attempt::default() }
        } else {
            let retry = Retry::WhileListed;
            let failure = Failure { why: Why::Expired, detail: "404".to_owned(), retry };
            Attempt::failed(failure)
        };
        let now = self.bench.now.instant;
        self.bench.events.extend(self.bench.planner.finish(id, attempt, now));
    }

    fn start_and_listen(&mut self) {
        for job in self.bench.jobs() {
            let number = u64::try_from((job.start - at(0.0)).num_seconds()).unwrap() / 2;
            assert!(self.under_way.iter().all(|(_, other)| *other != number), "{number} twice");
            self.under_way.push((job.id, number));
        }
        for (start, length, _) in self.bench.missed() {
            let number = |seconds: f64| (seconds / 2.0).round();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            self.missed.extend(number(start) as u64..number(start + length) as u64);
        }
    }

    /// Lets everything that still waits come to its end, at an address without advertisements.
    fn come_to_rest(&mut self) {
        self.open(0);
        self.published += 1;
        for round in 0..40 {
            self.load(self.sessions.len() - 1, 0);
            self.start_and_listen();
            while !self.under_way.is_empty() {
                self.end(true);
                self.start_and_listen();
            }
            self.bench.wait(20);
            if round == 20 {
                while self.sessions.len() > 1 {
                    let id = self.sessions.remove(0).id;
                    self.bench.close(id);
                }
            }
            self.published += 1;
        }
        self.load(0, 0);
        self.start_and_listen();
    }
}

proptest! {
    #[test]
    fn each_segment_is_saved_once_or_told_to_be_missing(
        steps in proptest::collection::vec(step(), 0..150),
    ) {
        let mut world = World {
            bench: Bench::new(),
            sessions: Vec::new(),
            opened: 0,
            published: WINDOW,
            under_way: Vec::new(),
            saved: BTreeMap::new(),
            missed: BTreeSet::new(),
            first: None,
        };
        world.bench.close(world.bench.source);
        world.open(0);
        for step in &steps {
            world.take(step);
        }
        world.come_to_rest();
        for number in world.first.unwrap()..world.published - 1 {
            let saved = world.saved.get(&number).copied().unwrap_or(0);
            prop_assert!(saved <= 1, "{} is saved {} times", number, saved);
            prop_assert!(saved == 1 || world.missed.contains(&number), "nothing of {}", number);
        }
    }
}
