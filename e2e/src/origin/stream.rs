//! From a script to the segments that are published, and which of them a list shows when. Pure.

use super::footage::{Clip, SEGMENT_MILLIS, SEGMENTS};
use super::script::{Dated, Leaves, Method, Script, What};

/// How long after an end everything is gone, in milliseconds, where nothing is left.
const ENDED_LIST_MILLIS: i64 = 3000;

/// A segment on the timeline. Times are milliseconds since the origin began.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Counted on through everything.
    pub index: i32,
    /// Its media sequence number.
    pub number: u64,
    /// The index of the segment at whose address it is: its own, unless it is listed again.
    pub original: i32,
    /// Which uninterrupted numbering it belongs to; a list shows one only.
    pub part: u32,
    /// When its date says that it begins.
    pub start: i64,
    /// When it is listed first.
    pub at: i64,
    /// What it shows.
    pub clip: Clip,
    /// Which segment of the clip.
    pub clip_index: usize,
    /// Whether the list says that it does not follow on.
    pub discontinuity: bool,
    /// Whether its date does not follow on, which nothing announces.
    pub jumped: bool,
    /// Whether the list dates it.
    pub dated: bool,
    /// Whether it is listed as a gap.
    pub gap: bool,
    /// How it is encrypted.
    pub method: Option<Method>,
    /// Whether it is an advertisement at every address.
    pub mid_roll: bool,
    /// Whether it is never listed.
    pub hidden: bool,
}

/// A time in which nothing is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// From when; by the dates, too.
    pub from: i64,
    /// Until when.
    pub until: i64,
    /// What is left behind.
    pub leaves: Leaves,
}

/// Everything that a channel publishes.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// In order.
    pub segments: Vec<Published>,
    /// In order.
    pub pauses: Vec<Pause>,
    window: usize,
    /// How many of those a list names.
    named: usize,
}

/// What a list shows.
#[derive(Clone, Debug, PartialEq)]
pub struct View<'a> {
    /// In order, of one numbering.
    pub segments: Vec<&'a Published>,
    /// Whether it says that nothing will be added.
    pub ended: bool,
}

impl Stream {
    /// What `script` publishes within `seconds` of the origin's beginning.
    pub fn of(script: &Script, seconds: i64) -> Self {
        let mut maker = Maker::new(script);
        while maker.at < seconds * 1000 {
            maker.publish(script);
        }
        let window = script.shape.window;
        let named = if script.shape.skips { window - window / 2 } else { window };
        Self { segments: maker.segments, pauses: maker.pauses, window, named }
    }

    /// The segment of that index.
    pub fn get(&self, index: i32) -> Option<&Published> {
        let first = self.segments.first()?.index;
        self.segments.get(usize::try_from(index.checked_sub(first)?).ok()?)
    }

    /// The newest segment at `now` that has that number.
    pub fn by_number(&self, number: u64, now: i64) -> Option<&Published> {
        let mut newest_first = self.segments.iter().rev();
        newest_first.find(|segment| segment.number == number && segment.at <= now)
    }

    /// The newest segment at `now`.
    pub fn newest(&self, now: i64) -> Option<&Published> {
        self.segments.iter().rev().find(|segment| segment.at <= now && !segment.hidden)
    }

    /// What a list shows at `now`, `None` when the channel is gone.
    pub fn view(&self, now: i64) -> Option<View<'_>> {
        let pause = self.pauses.iter().find(|pause| (pause.from..pause.until).contains(&now));
        let leaves = pause.map(|pause| (pause.leaves, now - pause.from));
        if leaves.is_some_and(|(leaves, age)| leaves == Leaves::Nothing && age >= ENDED_LIST_MILLIS)
        {
            return None;
        }
        let count = self.segments.partition_point(|segment| segment.at <= now);
        let there = self.segments[..count].iter().filter(|segment| !segment.hidden);
        let mut segments: Vec<&Published> = there.rev().take(self.window).collect();
        let part = segments.first().map(|newest| newest.part);
        segments.retain(|segment| Some(segment.part) == part);
        segments.reverse();
        Some(View { segments, ended: leaves.is_some_and(|(leaves, _)| leaves != Leaves::List) })
    }

    /// Until when lists name a segment: until there are enough newer ones, or another numbering.
    pub fn listed_until(&self, segment: &Published) -> i64 {
        let newer =
            self.segments.iter().filter(|other| !other.hidden && other.index > segment.index);
        let mut count = 0;
        for other in newer {
            count += 1;
            if count == self.named || other.part != segment.part {
                return other.at;
            }
        }
        i64::MAX
    }
}

/// How a segment fails to follow on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    Announced,
    Silent,
}

/// The state while segments are made one after another.
struct Maker {
    segments: Vec<Published>,
    pauses: Vec<Pause>,
    index: i32,
    number: u64,
    part: u32,
    /// When the next one begins on the clock of the origin, so that it is published a second later.
    at: i64,
    /// How far the dates are ahead of that.
    clock: i64,
    clip: Clip,
    /// The end of each state that lasts for a number of segments.
    gap_end: i32,
    mid_roll_end: i32,
    hidden_end: i32,
    method_end: i32,
    still_end: i32,
    method: Option<Method>,
    /// Which segment of the clip is shown as long as the picture stands still.
    still: usize,
}

impl Maker {
    fn new(script: &Script) -> Self {
        let shape = &script.shape;
        let first = 1 - shape.backlog;
        Self {
            segments: Vec::new(),
            pauses: Vec::new(),
            index: first,
            number: shape.first_number,
            part: 0,
            at: i64::from(first - 1) * SEGMENT_MILLIS,
            clock: 0,
            clip: shape.clip,
            gap_end: first,
            mid_roll_end: first,
            hidden_end: first,
            method_end: first,
            still_end: first,
            method: None,
            still: 0,
        }
    }

    fn publish(&mut self, script: &Script) {
        let (mut discontinuity, mut jumped) = (false, false);
        let index = self.index;
        for change in script.changes.iter().filter(|change| change.at == index) {
            if let What::Again(count) = change.what {
                (0..count).for_each(|_| self.list_again());
                continue;
            }
            if let What::Still(count) = change.what {
                (self.still_end, self.still) = (index + count, self.clip_index(script));
            }
            let broke = self.change(change.what);
            discontinuity |= broke == Some(Break::Announced);
            jumped |= broke == Some(Break::Silent);
        }
        let hidden = self.index < self.hidden_end;
        if self.segments.last().is_some_and(|last| last.hidden) && !hidden {
            self.part += 1;
        }
        let clip_index = self.clip_index(script);
        // where the clip begins again, its timestamps do
        discontinuity |= clip_index == 0 && !self.segments.is_empty();
        self.segments.push(Published {
            index: self.index,
            original: self.index,
            number: self.number,
            part: self.part,
            start: self.at + self.clock,
            at: self.at + SEGMENT_MILLIS,
            clip: self.clip,
            clip_index,
            discontinuity,
            jumped,
            dated: match script.shape.dated {
                Dated::Each => true,
                Dated::Every(count) => self.index.rem_euclid(count) == 0,
                Dated::Lost { from, until } => !(from..until).contains(&self.index),
                Dated::Never => false,
            },
            gap: self.index < self.gap_end,
            method: self.method.filter(|_| self.index < self.method_end),
            mid_roll: self.index < self.mid_roll_end,
            hidden,
        });
        self.at += SEGMENT_MILLIS;
        self.index += 1;
        self.number += 1;
    }

    /// Lets `what` happen; returns how the next segment fails to follow on, if it does.
    fn change(&mut self, what: What) -> Option<Break> {
        let of = |announced| if announced { Break::Announced } else { Break::Silent };
        match what {
            What::Restart { number, pause, leaves } => {
                self.pauses.push(Pause { from: self.at, until: self.at + pause, leaves });
                self.at += pause;
                self.number = number;
                self.part += 1;
                // its first list begins with the segment, so that a tag would say nothing
                return (leaves == Leaves::List).then_some(Break::Silent);
            }
            What::SkipNumbers(count) => self.hidden_end = self.index + count,
            What::ClockJump { by, announced } => {
                self.clock += by;
                return Some(of(announced));
            }
            What::Show { clip, announced } => {
                self.clip = clip;
                return announced.then_some(Break::Announced);
            }
            What::Gap(count) => self.gap_end = self.index + count,
            What::Encrypt { count, method } => {
                (self.method, self.method_end) = (Some(method), self.index + count);
            }
            What::MidRoll(count) => self.mid_roll_end = self.index + count,
            What::Still(_) | What::Again(_) => {}
        }
        None
    }

    /// Publishes the segment before once more: another number, and nothing else that is new.
    fn list_again(&mut self) {
        let Some(last) = self.segments.last().cloned() else { return };
        let (index, number) = (self.index, self.number);
        self.segments.push(Published { index, number, discontinuity: false, ..last });
        (self.index, self.number) = (index + 1, number + 1);
    }

    fn clip_index(&self, script: &Script) -> usize {
        if self.index < self.still_end {
            return self.still;
        }
        let first = 1 - script.shape.backlog;
        let passed = usize::try_from(self.index - first).unwrap_or(0);
        (script.shape.offset + passed) % SEGMENTS
    }
}

#[cfg(test)]
mod tests;
