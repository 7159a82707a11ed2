//! What a channel does, as a value: what it publishes, how its lists look, and what goes wrong. Pure.
//!
//! Segments are known by their index: index 1 is published one second after the origin began, and
//! what is in the first list has 0 and less. Pauses of the publisher move what comes after them.

use std::ops::Range;

use super::faults::{ListFault, ListTrouble, Scope, SegmentFault, SegmentTrouble, Until};
use super::footage::Clip;

mod dice;
mod mixes;
mod scenarios;

pub use dice::Dice;
pub use scenarios::{Scenario, scenarios};

/// What a channel does.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// What it was made from, if it was not written by hand.
    pub seed: Option<u64>,
    /// How the lists look.
    pub shape: Shape,
    /// What changes in the stream, in order.
    pub changes: Vec<Change>,
    /// What goes wrong with segments; the first one that names a segment counts.
    pub segment_troubles: Vec<SegmentTrouble>,
    /// What goes wrong with lists; the first one at a time counts.
    pub list_troubles: Vec<ListTrouble>,
    /// When initialization sections go wrong, in milliseconds, and how.
    pub section_troubles: Vec<(Range<i64>, SegmentFault)>,
    /// When, in milliseconds, the channel moves: every path changes, and the old ones answer 404.
    pub moves: Option<i64>,
}

/// Where a recorder is told to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// At a multivariant playlist, each answer of which hands out a fresh address.
    Multivariant,
    /// At a media playlist.
    Media,
    /// Nowhere: it asks as it asks Twitch.
    Twitch,
    /// At another channel, of which this one is the second quality.
    Beside,
}

/// Which segments have an EXT-X-PROGRAM-DATE-TIME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dated {
    /// All.
    Each,
    /// Those whose index can be divided by that.
    Every(i32),
    /// All but those from one index on, up to another.
    Lost {
        /// The first without a date.
        from: i32,
        /// The first that has one again.
        until: i32,
    },
    /// None.
    Never,
}

/// How segments are addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressed {
    /// Each at an address of its own.
    ByIndex,
    /// By its media sequence number, so that an encoder that restarts uses addresses again.
    ByNumber,
    /// Four to a resource, by byte ranges; without the flag, the server ignores those.
    ByRange {
        /// Whether a request for a range is answered with that range.
        honoured: bool,
    },
}

/// How advertisements are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// The title of each segment begins with `Amazon`.
    pub titles: bool,
    /// An EXT-X-DATERANGE of the class `twitch-stitched-ad`.
    pub date_ranges: bool,
    /// EXT-X-SCTE35-OUT and EXT-X-SCTE35-IN.
    pub scte35: bool,
}

/// How a channel's lists look.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Where it begins.
    pub entry: Entry,
    /// Whether the recorder is told that it should always be up.
    pub important: bool,
    /// What lists say how long a segment is at most, in seconds.
    pub target: i64,
    /// How many segments a list holds.
    pub window: usize,
    /// How many there are at the beginning.
    pub backlog: i32,
    /// The number of the first segment.
    pub first_number: u64,
    /// What it shows at first.
    pub clip: Clip,
    /// Which segment of the clip comes first.
    pub offset: usize,
    /// Which segments are dated.
    pub dated: Dated,
    /// How segments are addressed.
    pub addressed: Addressed,
    /// How advertisements are marked.
    pub marks: Marks,
    /// How many segments a fresh address shows advertisements for.
    pub pre_roll: i32,
    /// Whether a list can be asked for before it is there.
    pub blocking_reload: bool,
    /// Whether lists come compressed.
    pub gzip: bool,
    /// Whether lists begin with a byte order mark and have lines that end as those of DOS.
    pub crlf: bool,
    /// Whether lists leave their older half out (EXT-X-SKIP).
    pub skips: bool,
    /// What the key's address answers instead of the key.
    pub key_status: Option<u16>,
    /// Whether all initialization sections have one address, which answers with that of the newest segment.
    pub shared_section: bool,
    /// Whether the channel has a second quality, which is the channel of the same name with `_64p`.
    pub second_quality: bool,
}

/// Something that changes in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The index of the first segment that it is about.
    pub at: i32,
    /// What.
    pub what: What,
}

/// What changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The publisher stops for a while and begins anew.
    Restart {
        /// The number it begins at.
        number: u64,
        /// How long it is gone, in milliseconds.
        pause: i64,
        /// What it leaves behind.
        leaves: Leaves,
    },
    /// So many segments are never listed, while their numbers count.
    SkipNumbers(i32),
    /// The dates jump by so many milliseconds; announced as a discontinuity or not.
    ClockJump {
        /// Milliseconds.
        by: i64,
        /// Whether there is an EXT-X-DISCONTINUITY.
        announced: bool,
    },
    /// Another clip, announced as a discontinuity or not.
    Show {
        /// Which.
        clip: Clip,
        /// Whether there is an EXT-X-DISCONTINUITY.
        announced: bool,
    },
    /// So many segments are announced as not there.
    Gap(i32),
    /// So many segments are encrypted.
    Encrypt {
        /// How many.
        count: i32,
        /// How.
        method: Method,
    },
    /// So many segments are advertisements, at every address.
    MidRoll(i32),
    /// So many segments show the same as the first of them, byte for byte.
    Still(i32),
    /// So many times the list names the segment before again, under numbers of its own.
    Again(i32),
}

/// How segments are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As a whole, with an initialization vector in the list.
    Aes128,
    /// As a whole, with the number as initialization vector.
    Aes128ByNumber,
    /// In a way that no recorder can undo.
    SampleAes,
}

/// What a publisher that stops leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// Its last list, as if it went on.
    List,
    /// Its last list, with EXT-X-ENDLIST.
    EndList,
    /// Its last list, with EXT-X-ENDLIST, and after three seconds nothing: 404 everywhere.
    Nothing,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            entry: Entry::Multivariant,
            important: true,
            target: 1,
            window: 10,
            backlog: 10,
            first_number: 1000,
            clip: Clip::Ts,
            offset: 0,
            dated: Dated::Each,
            addressed: Addressed::ByIndex,
            marks: Marks { titles: true, date_ranges: true, scte35: false },
            pre_roll: 0,
            blocking_reload: false,
            gzip: false,
            crlf: false,
            skips: false,
            key_status: None,
            shared_section: false,
            second_quality: false,
        }
    }
}

impl Script {
    /// A channel of that shape with which nothing goes wrong.
    pub fn healthy(shape: Shape) -> Self {
        Self {
            seed: None,
            shape,
            changes: Vec::new(),
            segment_troubles: Vec::new(),
            list_troubles: Vec::new(),
            section_troubles: Vec::new(),
            moves: None,
        }
    }

    /// A channel with some of everything, the same for the same seed.
    pub fn from_seed(seed: u64) -> Self {
        mixes::script(seed)
    }

    /// Lets `what` happen at the segment of index `at`; to be called in order.
    #[must_use]
    pub fn change(mut self, at: i32, what: What) -> Self {
        self.changes.push(Change { at, what });
        self
    }

    /// Lets the segments of these indices go wrong.
    #[must_use]
    pub fn segments(mut self, segments: Range<i32>, fault: SegmentFault, until: Until) -> Self {
        self.segment_troubles.push(SegmentTrouble { segments, fault, until });
        self
    }

    /// Lets lists go wrong during these seconds.
    #[must_use]
    pub fn lists(mut self, seconds: Range<i64>, fault: ListFault, scope: Scope) -> Self {
        let during = seconds.start * 1000..seconds.end.saturating_mul(1000);
        self.list_troubles.push(ListTrouble { during, fault, scope });
        self
    }

    /// Lets initialization sections go wrong during these seconds.
    #[must_use]
    pub fn sections(mut self, seconds: Range<i64>, fault: SegmentFault) -> Self {
        self.section_troubles.push((seconds.start * 1000..seconds.end * 1000, fault));
        self
    }

    /// Lets every path change after so many seconds.
    #[must_use]
    pub fn moving(mut self, after: i64) -> Self {
        self.moves = Some(after * 1000);
        self
    }

    /// What goes wrong with the segment of that index, if anything does.
    pub fn trouble(&self, index: i32) -> Option<&SegmentTrouble> {
        self.segment_troubles.iter().find(|trouble| trouble.segments.contains(&index))
    }

    /// What goes wrong with lists at that time, for an address that was handed out at `handed_out`;
    /// `None` where that is nothing. Times are milliseconds since the origin began.
    pub fn list_trouble(&self, now: i64, handed_out: i64) -> Option<&ListTrouble> {
        self.list_troubles.iter().find(|trouble| {
            let is_met = match trouble.scope {
                Scope::OldAddresses => handed_out < trouble.during.start,
                Scope::MediaPlaylists | Scope::Channel => true,
                Scope::Multivariant | Scope::Token => false,
            };
            is_met && trouble.during.contains(&now)
        })
    }

    /// What goes wrong with the multivariant playlist at that time.
    pub fn channel_trouble(&self, now: i64) -> Option<&ListTrouble> {
        let scopes = [Scope::Channel, Scope::Multivariant];
        let mut all = self.list_troubles.iter();
        all.find(|trouble| scopes.contains(&trouble.scope) && trouble.during.contains(&now))
    }

    /// What goes wrong with tokens at that time.
    pub fn token_trouble(&self, now: i64) -> Option<&ListTrouble> {
        let mut all = self.list_troubles.iter();
        all.find(|trouble| trouble.scope == Scope::Token && trouble.during.contains(&now))
    }

    /// How initialization sections go wrong at that time.
    pub fn section_trouble(&self, now: i64) -> Option<SegmentFault> {
        let mut all = self.section_troubles.iter();
        all.find(|(during, _)| during.contains(&now)).map(|(_, fault)| *fault)
    }
}

#[cfg(test)]
mod tests;
