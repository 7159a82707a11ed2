//! How a list's numbers relate to those seen before. Pure.
//!
//! Media sequence numbers only grow (RFC 8216 §6.2.2), but encoders restart and edges lag behind one
//! another; a list that goes back is one or the other.

use std::ops::RangeInclusive;

use chrono::TimeDelta;
use common::base::time::Timestamp;

use super::entry::without_query;

/// A listed segment, as far as it identifies itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sighting<'a> {
    pub(super) number: u64,
    /// Its address, with the query that may change from one list to the next.
    pub(super) uri: &'a str,
    pub(super) stated: Option<Timestamp>,
}

impl Sighting<'_> {
    /// Whether two sightings of one number are of one segment. Dates decide where both have one, else
    /// the addresses, whose query may be a token.
    fn is_same(&self, other: &Self) -> bool {
        match (self.stated, other.stated) {
            (Some(this), Some(that)) => (this - that).abs() <= TimeDelta::seconds(1),
            _ => without_query(self.uri) == without_query(other.uri),
        }
    }
}

/// What a list is to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// The first one.
    First,
    /// It goes on, or repeats some of the past.
    Continues,
    /// It goes on after numbers that were never listed.
    Jumps {
        /// How many.
        skipped: u64,
    },
    /// Its numbers have nothing to do with those before.
    Renumbered,
}

/// The numbers of the present numbering.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbering {
    /// All numbers seen since the last jump or renumbering.
    seen: Option<RangeInclusive<u64>>,
    /// How many lists in a row ended before what had been seen.
    regressions: u32,
}

/// An edge that lags does not do so for long; this many lists in a row are an encoder that restarted
/// with the same addresses.
pub(super) const MAX_REGRESSIONS: u32 = 3;

impl Numbering {
    /// Whether a number was seen, so that what is not remembered of it is settled.
    pub(super) fn has_seen(&self, number: u64) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.contains(&number))
    }

    /// The highest number seen.
    pub(super) fn highest(&self) -> Option<u64> {
        self.seen.as_ref().map(|seen| *seen.end())
    }

    /// Takes in a list by its first and last number. `remembered` looks up what a number was when it
    /// was last listed; `listed` are its segments. `was_final` says that the list before was said to be at
    /// its end, and this one is not.
    pub(super) fn take_in<'a>(
        &mut self,
        listed: &[Sighting<'a>],
        was_final: bool,
        remembered: impl Fn(u64) -> Option<Sighting<'a>>,
    ) -> Relation {
        let (Some(first), Some(last)) = (listed.first(), listed.last()) else {
            return Relation::Continues;
        };
        let (first, last) = (first.number, last.number);
        let mut relation = self.relation(listed, remembered);
        // a stream that begins again from its first number looks like one that goes on where nothing but
        // names could tell: rather twice than not at all
        let is_undated = listed.iter().all(|sighting| sighting.stated.is_none());
        let from_the_first = self.seen.as_ref().is_some_and(|seen| first <= *seen.start());
        if was_final && is_undated && from_the_first && relation == Relation::Continues {
            relation = Relation::Renumbered;
        }
        self.regressions = match self.highest() {
            Some(highest) if last < highest && relation == Relation::Continues => {
                self.regressions + 1
            }
            _ => 0,
        };
        self.seen = Some(match (relation, &self.seen) {
            (Relation::Continues, Some(seen)) => first.min(*seen.start())..=last.max(*seen.end()),
            _ => first..=last,
        });
        relation
    }

    fn relation<'a>(
        &self,
        listed: &[Sighting<'a>],
        remembered: impl Fn(u64) -> Option<Sighting<'a>>,
    ) -> Relation {
        let Some(highest) = self.highest() else { return Relation::First };
        let (first, last) = (listed[0].number, listed[listed.len() - 1].number);
        let mut overlap = listed
            .iter()
            .filter_map(|sighting| remembered(sighting.number).map(|known| known.is_same(sighting)))
            .peekable();
        let overlaps = overlap.peek().is_some();
        let agrees = overlap.any(|same| same);
        if overlaps && !agrees {
            return Relation::Renumbered;
        }
        if last < highest && (!overlaps || self.regressions >= MAX_REGRESSIONS) {
            return Relation::Renumbered;
        }
        match first.checked_sub(highest) {
            Some(distance) if distance > 1 => Relation::Jumps { skipped: distance - 1 },
            _ => Relation::Continues,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of undated segments `a<number>` with a token that changes.
    fn list(numbers: RangeInclusive<u64>, prefix: &str) -> Vec<(u64, String)> {
        numbers.map(|number| (number, format!("{prefix}{number}?token={prefix}"))).collect()
    }

    fn sightings(list: &[(u64, String)]) -> Vec<Sighting<'_>> {
        list.iter().map(|(number, uri)| Sighting { number: *number, uri, stated: None }).collect()
    }

    /// How the second list relates to the first, after `again` more like it.
    fn relation(first: &[(u64, String)], second: &[(u64, String)], again: u32) -> Relation {
        let mut numbering = Numbering::default();
        let known = sightings(first);
        assert_eq!(numbering.take_in(&known, false, |_| None), Relation::First);
        let remembered = |number| known.iter().find(|known| known.number == number).copied();
        for _ in 0..again {
            numbering.take_in(&sightings(second), false, remembered);
        }
        numbering.take_in(&sightings(second), false, remembered)
    }

    #[test]
    fn a_list_that_moves_on_continues() {
        assert_eq!(relation(&list(5..=8, "a"), &list(6..=9, "a"), 0), Relation::Continues);
        assert_eq!(relation(&list(5..=8, "a"), &list(9..=12, "a"), 0), Relation::Continues);
        assert_eq!(relation(&list(5..=8, "a"), &list(5..=8, "a"), 9), Relation::Continues);
    }

    #[test]
    fn numbers_that_were_never_listed_are_a_jump() {
        let jump = Relation::Jumps { skipped: 2 };
        assert_eq!(relation(&list(5..=8, "a"), &list(11..=12, "a"), 0), jump);
    }

    #[test]
    fn an_edge_that_lags_continues_but_not_for_ever() {
        let (ahead, behind) = (list(5..=8, "a"), list(4..=7, "a"));
        assert_eq!(relation(&ahead, &behind, 0), Relation::Continues);
        assert_eq!(relation(&ahead, &behind, 2), Relation::Continues);
        assert_eq!(relation(&ahead, &behind, 3), Relation::Renumbered);
    }

    #[test]
    fn an_encoder_that_restarts_renumbers() {
        assert_eq!(relation(&list(50..=53, "a"), &list(0..=1, "a"), 0), Relation::Renumbered);
        assert_eq!(relation(&list(0..=3, "a"), &list(0..=1, "b"), 0), Relation::Renumbered);
    }

    #[test]
    fn a_stream_that_begins_again_after_its_end_renumbers() {
        let begun_again = |first: &[(u64, String)], second: &[(u64, String)], was_final| {
            let mut numbering = Numbering::default();
            let known = sightings(first);
            numbering.take_in(&known, false, |_| None);
            let remembered = |number| known.iter().find(|known| known.number == number).copied();
            numbering.take_in(&sightings(second), was_final, remembered)
        };
        let (ended, again) = (list(0..=9, "a"), list(0..=12, "a"));
        assert_eq!(begun_again(&ended, &again, true), Relation::Renumbered);
        assert_eq!(begun_again(&ended, &again, false), Relation::Continues);
        let goes_on = list(8..=12, "a");
        assert_eq!(begun_again(&list(5..=9, "a"), &goes_on, true), Relation::Continues);
    }

    #[test]
    fn a_token_that_changes_does_not_renumber() {
        let tokens = |token: &str| {
            let uri = |number: u64| (number, format!("a{number}?token={token}"));
            (5..=8).map(uri).collect::<Vec<_>>()
        };
        assert_eq!(relation(&tokens("x"), &tokens("y"), 0), Relation::Continues);
    }

    #[test]
    fn dates_tell_segments_of_one_address_apart() {
        let time = |seconds: i64| Some(Timestamp::from_micros(seconds * 1_000_000));
        let sighting = |stated| Sighting { number: 0, uri: "0.ts", stated };
        assert!(!sighting(time(0)).is_same(&sighting(time(60))));
        assert!(sighting(time(0)).is_same(&sighting(time(1))));
        assert!(sighting(None).is_same(&sighting(time(60))));
        let moved = Sighting { uri: "other.ts", ..sighting(time(0)) };
        assert!(moved.is_same(&sighting(time(0))), "the address changed, the segment did not");
    }

    #[test]
    fn what_was_seen_is_settled_but_what_was_skipped_is_not() {
        let mut numbering = Numbering::default();
        numbering.take_in(&sightings(&list(5..=8, "a")), false, |_| None);
        numbering.take_in(&sightings(&list(11..=12, "a")), false, |_| None);
        assert!(numbering.has_seen(11) && !numbering.has_seen(9) && !numbering.has_seen(8));
        assert_eq!(numbering.highest(), Some(12));
    }
}
