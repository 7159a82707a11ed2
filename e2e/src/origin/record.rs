//! What happened between the origin and its clients, channel by channel. Times are milliseconds since
//! the origin began.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How many answers a story tells of.
const TOLD: usize = 12;

/// Everything about one channel.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// What happened to each segment, by its index.
    pub segments: BTreeMap<i32, SegmentRecord>,
    /// Every request for a media playlist, in order of their arrival.
    pub lists: Vec<ListRequest>,
    /// When the multivariant playlist was asked for.
    pub multivariants: Vec<i64>,
    /// When a token was asked for.
    pub tokens: Vec<i64>,
    /// When initialization sections were asked for.
    pub sections: Vec<i64>,
}

/// What happened to one segment.
#[derive(Clone, Debug, Default)]
pub struct SegmentRecord {
    /// When lists that show it as programme were delivered.
    pub listed: Vec<i64>,
    /// When lists that show an advertisement in its place were delivered.
    pub listed_as_advertisement: Vec<i64>,
    /// Which addresses do so.
    pub advertised_at: BTreeSet<usize>,
    /// When a list was first delivered that does not show it any more.
    pub unlisted: Option<i64>,
    /// Every request for it, in order of their arrival.
    pub answers: Vec<SegmentAnswer>,
}

/// An answer to a request for a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentAnswer {
    /// When it was asked for.
    pub asked: i64,
    /// When the answer ended, as far as it did.
    pub ended: Option<i64>,
    /// Whether every byte was delivered, and rightly.
    pub is_whole: bool,
    /// Whether it only sent the client elsewhere.
    pub is_redirect: bool,
    /// What the answer was, for people.
    pub what: String,
}

/// A request for a media playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRequest {
    /// When it came.
    pub asked: i64,
    /// When the answer ended, as far as it did.
    pub ended: Option<i64>,
    /// Which of the addresses that were handed out.
    pub address: usize,
    /// Whether it may be held until there is something new.
    pub is_blocking: bool,
    /// Whether the answer only sent the client elsewhere.
    pub is_redirect: bool,
    /// The first and the last index that it showed, if it was a list.
    pub shown: Option<(i32, i32)>,
    /// What the answer was, for people.
    pub what: String,
}

impl Record {
    /// What happened to the lists, in one line: which answers began when at which address.
    pub fn story_of_lists(&self) -> String {
        let mut story = Vec::new();
        let mut before = None;
        for list in &self.lists {
            let this = (list.address, &list.what, list.ended.is_some());
            if before != Some(this) {
                let ended = if list.ended.is_some() { "" } else { " without an end" };
                let (asked, address, what) = (list.asked, list.address, &list.what);
                story.push(format!("from {asked} ms {what}{ended} at address {address}"));
            }
            before = Some(this);
        }
        story.push(format!("addresses handed out at {:?} ms", self.multivariants));
        story.join("; ")
    }
}

impl SegmentRecord {
    /// When it was first delivered whole.
    pub fn whole_at(&self) -> Option<i64> {
        self.answers.iter().filter(|answer| answer.is_whole).filter_map(|answer| answer.ended).min()
    }

    /// What happened, in one line.
    pub fn story(&self) -> String {
        let mut story = match (self.listed.first(), self.listed.last()) {
            (Some(first), Some(last)) => format!("listed from {first} to {last} ms"),
            _ => "never listed".to_owned(),
        };
        if let Some(first) = self.listed_as_advertisement.first() {
            let _ = write!(story, ", as an advertisement from {first} ms");
        }
        if self.answers.is_empty() {
            story.push_str(", never asked for");
        }
        for SegmentAnswer { asked, ended, is_whole, what, .. } in self.answers.iter().take(TOLD) {
            let ended = ended.map_or("no end".to_owned(), |ended| format!("{ended} ms"));
            let whole = if *is_whole { ", whole" } else { "" };
            let _ = write!(story, "; asked at {asked} ms: {what} until {ended}{whole}");
        }
        if self.answers.len() > TOLD {
            let _ = write!(story, "; and {} more", self.answers.len() - TOLD);
        }
        story
    }
}
