//! Breaks between two marks, which a list shows only as long as their segments are listed.

use common::format::hls::{MediaPlaylist, OtherTag};

use super::{LONGEST_BREAK, Mark, rounding, seconds};

/// How far before a list's first segment is remembered what was in a break: further than lists lag.
const KEPT_SEGMENTS: u64 = 1000;

/// What is known of the breaks around an address's newest segments, for its next list.
///
/// Lists overlap, and one that lags behind the one before must not make forgotten what that told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Breaks {
    /// The numbers of the first and the last segment of which it is known whether they are in a break.
    known: Option<(u64, u64)>,
    /// Those that are, in order, and how many seconds of the break were left after each.
    within: Vec<(u64, f64)>,
}

/// What is known of the moment after a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Nothing,
    /// It was in no break.
    Outside,
    /// It was in one, of which so many seconds were left.
    Within(f64),
}

/// A mark, with what it tells of its break.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cue {
    /// It begins, and lasts so many seconds.
    Out { duration: Option<f64> },
    /// It goes on.
    On { elapsed: Option<f64>, duration: Option<f64> },
    /// It is over.
    In,
}

/// Tells for each segment whether it lies in a break, and what the next list has to know.
pub(super) fn in_breaks(
    list: &MediaPlaylist,
    marks: &[Mark],
    before: &Breaks,
) -> (Vec<bool>, Breaks) {
    let read = |tag: &OtherTag| Some((tag.position, Cue::read(&tag.name, &tag.value, marks)?));
    let cues: Vec<(usize, Cue)> = list.other_tags.iter().filter_map(read).collect();
    let mut state = before.at_first(list.number_of(0), cues.first());
    let implied = implied_begin(list, &cues).filter(|_| state == Known::Nothing);
    let mut cues = cues.into_iter().peekable();
    let mut flags = Vec::with_capacity(list.segments.len());
    let mut told = Vec::new();
    for (index, segment) in list.segments.iter().enumerate() {
        let (number, duration) = (list.number_of(index), seconds(list, segment));
        if implied == Some(index) {
            state = Known::Within(f64::INFINITY);
        }
        let mut goes_on = false;
        while let Some((_, cue)) = cues.next_if(|(position, _)| *position <= index) {
            state = cue.apply(state);
            goes_on = matches!(cue, Cue::On { .. });
        }
        state = match state {
            Known::Nothing => before.after(Some(number)),
            Known::Within(left) if goes_on || left > rounding(duration) => {
                Known::Within(left - duration)
            }
            Known::Outside | Known::Within(_) => Known::Outside,
        };
        flags.push(matches!(state, Known::Within(_)));
        told.push((number, state));
    }
    (flags, before.followed_by(&told))
}

/// From which segment on there is a break that the list does not begin: one that ends or goes on was there
/// before, for as long as it has lasted, or could.
fn implied_begin(list: &MediaPlaylist, cues: &[(usize, Cue)]) -> Option<usize> {
    let (position, lasted) = match cues.first()? {
        (position, Cue::In) => (*position, LONGEST_BREAK),
        (position, Cue::On { elapsed, .. }) => (*position, elapsed.unwrap_or(LONGEST_BREAK)),
        (_, Cue::Out { .. }) => return None,
    };
    let mut begin = position.min(list.segments.len());
    let mut before = 0.0;
    while let Some(earlier) = begin.checked_sub(1) {
        let duration = seconds(list, &list.segments[earlier]);
        before += duration;
        // the figures of marks are rounded, too
        if before > lasted + duration / 2.0 {
            break;
        }
        begin = earlier;
    }
    Some(begin)
}

impl Breaks {
    /// What is known of the moment after the segment `number`.
    fn after(&self, number: Option<u64>) -> Known {
        let (Some(number), Some((first, last))) = (number, self.known) else {
            return Known::Nothing;
        };
        if !(first..=last).contains(&number) {
            return Known::Nothing;
        }
        match self.within.binary_search_by_key(&number, |(within, _)| *within) {
            Ok(index) => Known::Within(self.within[index].1),
            Err(_) => Known::Outside,
        }
    }

    /// What is known before the segment `first` that a list begins with, given its first mark. The mark
    /// that ended a break may have left the list with the segment before it, so what the segment itself
    /// was counts first.
    fn at_first(&self, first: u64, mark: Option<&(usize, Cue)>) -> Known {
        let is_marked = mark.is_some_and(|(position, _)| *position == 0);
        match self.after(Some(first)) {
            Known::Outside if !is_marked => Known::Outside,
            Known::Outside | Known::Within(_) | Known::Nothing => self.after(first.checked_sub(1)),
        }
    }

    /// This, and what a list told of its segments; nothing of this where the list is about others.
    fn followed_by(&self, told: &[(u64, Known)]) -> Self {
        let (Some((first, _)), Some((last, _))) = (told.first(), told.last()) else {
            return self.clone();
        };
        let old = self.known.filter(|(known_first, known_last)| {
            *first <= known_last.saturating_add(1) && *last >= *known_first
        });
        let newly = told.iter().find(|(_, state)| *state != Known::Nothing).map(|(from, _)| *from);
        let Some(newly) = newly else {
            return if old.is_some() { self.clone() } else { Self::default() };
        };
        let kept_from = first.saturating_sub(KEPT_SEGMENTS);
        let known_from = old.map_or(newly, |(known_first, _)| known_first.min(newly));
        let known_to = old.map_or(*last, |(_, known_last)| known_last.max(*last));
        let is_kept = |number: u64| number >= kept_from && !(newly..=*last).contains(&number);
        let kept = self.within.iter().filter(|(number, _)| old.is_some() && is_kept(*number));
        let added = told.iter().filter_map(|(number, state)| match state {
            Known::Within(left) => Some((*number, *left)),
            Known::Nothing | Known::Outside => None,
        });
        let mut within: Vec<(u64, f64)> = kept.copied().chain(added).collect();
        within.sort_unstable_by_key(|(number, _)| *number);
        Self { known: Some((known_from.max(kept_from), known_to)), within }
    }
}

impl Cue {
    fn read(name: &str, value: &str, marks: &[Mark]) -> Option<Self> {
        let tail = if let Some(tail) = name.strip_prefix("EXT-X-SCTE35-") {
            Some(tail).filter(|_| marks.contains(&Mark::Scte35))
        } else {
            name.strip_prefix("EXT-X-CUE-").filter(|_| marks.contains(&Mark::Cue))
        };
        let (elapsed, duration) = figures(value);
        match tail? {
            "OUT" => Some(Self::Out { duration }),
            "OUT-CONT" => Some(Self::On { elapsed, duration }),
            "IN" => Some(Self::In),
            _ => None,
        }
    }

    /// What is known after this mark, where so much was known before it.
    fn apply(self, before: Known) -> Known {
        match (self, before) {
            (Self::Out { duration }, _) => Known::Within(duration.unwrap_or(LONGEST_BREAK)),
            (Self::On { elapsed: Some(elapsed), duration: Some(duration) }, _) => {
                Known::Within(duration - elapsed)
            }
            (Self::On { .. }, Known::Within(left)) if left.is_finite() => Known::Within(left),
            (Self::On { .. }, _) => Known::Within(LONGEST_BREAK),
            (Self::In, _) => Known::Outside,
        }
    }
}

/// The seconds that a mark tells: elapsed and in all. Written `30`, `DURATION=30`, `8.3/30` or
/// `ElapsedTime=8.3,Duration=30,…`.
fn figures(value: &str) -> (Option<f64>, Option<f64>) {
    let (mut elapsed, mut duration) = (None, None);
    for part in value.split(',') {
        let (name, figure) = part.split_once('=').unwrap_or(("", part));
        let name = name.trim();
        if name.is_empty() {
            let (first, second) =
                figure.split_once('/').map_or((None, figure), |(a, b)| (Some(a), b));
            elapsed = elapsed.or_else(|| number(first?));
            duration = duration.or_else(|| number(second));
        } else if name.eq_ignore_ascii_case("ElapsedTime") {
            elapsed = number(figure);
        } else if name.eq_ignore_ascii_case("Duration") {
            duration = number(figure);
        }
    }
    // a break of no length at all is one whose length is not known
    (elapsed, duration.filter(|duration| *duration > 0.0))
}

fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().trim_matches('"').parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}
