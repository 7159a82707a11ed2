//! Which pictures of a range can be copied as they are, and which have to be encoded again. Pure.
//!
//! A range begins with the picture that is shown at its start and ends before the one that is shown at its end, so that
//! ranges which meet share no picture and miss none. What is copied begins with a picture that needs no other, but the
//! parameter sets that it names, and is all that is decoded from there up to some other picture. The pictures that are
//! shown before and after it are encoded again.

use std::ops::Range;

use crate::format::codec::nal::RandomAccess;

/// A picture as far as it matters here, in the order in which pictures are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// When it is shown, in any unit; no two of a stream are shown at a time.
    pub at: i64,
    /// How decoding can begin with it, if it can.
    pub access: Option<RandomAccess>,
    /// Whether it is whole: another one is copied all the same, but nothing is begun with it.
    pub intact: bool,
}

impl Shown {
    /// Whether decoding can begin with it.
    pub fn is_key(&self) -> bool {
        self.intact && self.access.is_some()
    }
}

/// What can be done about pictures that lead an open group: those that are shown before the picture with which it begins,
/// and decoded after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leading {
    /// Nothing, so that no such group begins what is copied.
    Needed,
    /// They can be left out, and encoded as all that is shown before.
    Droppable,
}

/// How the pictures of a range are obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// When the pictures are shown that are encoded and come first.
    pub head: Range<i64>,
    /// Which pictures are copied, in the order in which they are decoded, but for those that are shown before the end of
    /// `head`.
    pub copied: Range<usize>,
    /// When the pictures are shown that are encoded and come last.
    pub tail: Range<i64>,
}

/// When the first picture of a range is shown: the one that is on the screen at `start`, or else the first of all.
pub fn first_shown(pictures: &[Shown], start: i64) -> Option<i64> {
    let before = pictures.iter().map(|picture| picture.at).filter(|at| *at <= start).max();
    before.or_else(|| pictures.iter().map(|picture| picture.at).min())
}

/// Splices the `pictures` that are shown within `range`. Where their times go on from group to group, as little of them is
/// encoded as can be.
///
/// `pictures` must hold all that are shown within `range`, and all that are decoded between those.
pub fn splice(pictures: &[Shown], range: Range<i64>, leading: Leading) -> Splice {
    let whole = Splice { head: range.clone(), copied: 0..0, tail: range.end..range.end };
    let Some((begin, first)) = first_copied(pictures, range.start, leading) else { return whole };
    let (end, behind) = last_copied(pictures, begin, range.end);
    if end == begin {
        return whole;
    }
    Splice { head: range.start..first, copied: begin..end, tail: behind..range.end }
}

/// The first picture that can be copied with all behind it, but for those that lead it if they can be left out, none of
/// which is shown before `start`; and when the first of these is shown.
pub fn first_copied(pictures: &[Shown], start: i64, leading: Leading) -> Option<(usize, i64)> {
    // the earliest that is shown of each picture and those that are decoded after it
    let mut earliest = i64::MAX;
    let mut found = None;
    // the latest that is shown of those that are decoded before each
    let latest = pictures.iter().scan(i64::MIN, |latest, picture| {
        let before = *latest;
        *latest = before.max(picture.at);
        Some(before)
    });
    let latest: Vec<i64> = latest.collect();
    for (index, (picture, latest)) in pictures.iter().zip(latest).enumerate().rev() {
        let own = match (picture.access, leading) {
            (Some(RandomAccess::Open), Leading::Droppable) => Some(picture.at),
            (Some(RandomAccess::Closed), _) => Some(picture.at.min(earliest)),
            _ => None,
        };
        earliest = earliest.min(picture.at);
        let own = own.filter(|own| picture.intact && *own >= start && latest < *own);
        found = own.map(|own| (index, own)).or(found);
    }
    found
}

/// The end of the longest run of pictures from `begin` on that are shown before all others behind them and before `end`;
/// and when the first of those others is shown, or `end`.
pub fn last_copied(pictures: &[Shown], begin: usize, end: i64) -> (usize, i64) {
    let rest = &pictures[begin..];
    // the earliest that is shown of all from each on
    let mut earliest: Vec<i64> = rest
        .iter()
        .rev()
        .scan(end, |earliest, picture| {
            *earliest = picture.at.min(*earliest);
            Some(*earliest)
        })
        .collect();
    earliest.reverse();
    earliest.push(end);
    let (mut latest, mut found) = (i64::MIN, (begin, earliest[0]));
    for (index, (picture, behind)) in rest.iter().zip(&earliest[1..]).enumerate() {
        latest = latest.max(picture.at);
        if latest < *behind {
            found = (begin + index + 1, *behind);
        }
    }
    found
}

#[cfg(test)]
mod tests;
