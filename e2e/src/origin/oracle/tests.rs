//! Each kind of violation, made by hand on a channel with which all was well.

use common::io::store::notes::{Note, Why};

use super::*;
use crate::origin::faults::{ListFault, Scope, SegmentFault, Until};
use crate::origin::footage::Clip;
use crate::origin::held::HeldFile;
use crate::origin::record::{ListRequest, SegmentAnswer};
use crate::origin::script::{Dated, Entry, Leaves, Script, Shape, What};
use common::format::segment::Completeness;

mod told;

const SECONDS: i64 = 50;
const EPOCH: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// What became of a channel.
struct Channel {
    script: Script,
    stream: Stream,
    record: Record,
    held: Held,
    told: Option<Told>,
    footage: Footage,
}

impl Channel {
    /// A channel that was recorded as it should be, as far as nothing is wrong with it.
    fn recorded(script: Script) -> Self {
        let stream = Stream::of(&script, SECONDS);
        let (footage, record, held) = (Footage::made_up(), Record::default(), Held::default());
        let mut channel = Self { script, stream, record, held, told: None, footage };
        for second in 1..SECONDS {
            channel.load(second * 1000 + 100);
        }
        for segment in channel.stream.segments.clone() {
            if channel.record.segments.contains_key(&segment.index) {
                channel.fetch(&segment);
            }
        }
        channel
    }

    fn plain() -> Self {
        Self::recorded(Script::healthy(Shape::default()))
    }

    /// Lets a list be delivered.
    fn load(&mut self, now: i64) {
        let shown = self.stream.view(now).map(|view| view.segments);
        let shown: Vec<i32> = shown.iter().flatten().map(|segment| segment.index).collect();
        for index in &shown {
            self.record.segments.entry(*index).or_default().listed.push(now);
        }
        self.record.lists.push(ListRequest {
            asked: now,
            ended: Some(now),
            address: 1,
            is_blocking: false,
            is_redirect: false,
            shown: shown.first().copied().zip(shown.last().copied()),
            what: "200".to_owned(),
        });
    }

    /// Lets a segment be delivered and stored.
    fn fetch(&mut self, segment: &Published) {
        self.answer(segment.index, "200", true);
        let file = self.file(segment, Completeness::Full);
        self.held.files.push(file);
    }

    fn answer(&mut self, index: i32, what: &str, is_whole: bool) {
        let asked = self.segment(index).at + 110;
        let what = what.to_owned();
        let ended = Some(asked + 10);
        let answer = SegmentAnswer { asked, ended, is_whole, is_redirect: false, what };
        self.record.segments.entry(index).or_default().answers.push(answer);
    }

    fn file(&self, segment: &Published, completeness: Completeness) -> HeldFile {
        let hash = self.footage.reel(segment.clip).hashes[segment.clip_index];
        let start = EPOCH + TimeDelta::milliseconds(segment.start);
        let name = format!("file {}", segment.index);
        HeldFile { name, start, duration: 1_000_000, completeness, named: hash, hash, size: 9 }
    }

    fn segment(&self, index: i32) -> Published {
        self.stream.get(index).unwrap().clone()
    }

    fn file_of(&mut self, index: i32) -> &mut HeldFile {
        let start = EPOCH + TimeDelta::milliseconds(self.segment(index).start);
        self.held.files.iter_mut().find(|file| file.start == start).unwrap()
    }

    /// Forgets what was stored of a segment.
    fn lose(&mut self, index: i32) {
        let start = self.file_of(index).start;
        self.held.files.retain(|file| file.start != start);
    }

    /// Lets a segment be neither delivered nor stored.
    fn miss(&mut self, index: i32, what: &str) {
        self.lose(index);
        self.record.segments.get_mut(&index).unwrap().answers.clear();
        self.answer(index, what, false);
    }

    /// Lets a segment be missed because no list showed it.
    fn overlook(&mut self, index: i32) {
        self.lose(index);
        self.record.segments.remove(&index);
    }

    fn note(&mut self, index: i32, why: Why) {
        let start = EPOCH + TimeDelta::milliseconds(self.segment(index).start);
        self.held.notes.push(missing(start, 1.0, why));
    }

    fn violations(&self) -> Vec<String> {
        let Self { script, stream, record, held, told, footage } = self;
        let stopped = SECONDS * 1000;
        let name = "chan";
        let (told, epoch) = (told.as_ref(), EPOCH);
        violations(&Case { name, script, stream, record, held, told, footage, epoch, stopped })
    }

    /// Whether there is one violation, which holds `text`.
    fn breaks(&self, text: &str) {
        let violations = self.violations();
        assert_eq!(violations.len(), 1, "{text}: {violations:#?}");
        assert!(violations[0].starts_with("chan"), "{violations:?}");
        assert!(violations[0].contains(text), "{violations:?} should hold {text:?}");
    }

    fn holds(&self) {
        assert_eq!(self.violations(), Vec::<String>::new());
    }
}

fn missing(start: Timestamp, duration: f64, why: Why) -> Note {
    Note::Missing { start, duration, why, detail: String::new(), learned: start }
}

fn troubled(fault: SegmentFault, until: Until) -> Channel {
    Channel::recorded(Script::healthy(Shape::default()).segments(8..9, fault, until))
}

fn changed(what: What) -> Channel {
    Channel::recorded(Script::healthy(Shape::default()).change(10, what))
}

#[test]
fn a_healthy_channel_holds_and_may_end_with_what_is_not_there_yet() {
    let mut channel = Channel::plain();
    channel.holds();
    channel.lose(46);
    channel.holds();
}

#[test]
fn what_was_delivered_whole_must_be_stored() {
    let mut channel = Channel::plain();
    channel.lose(8);
    channel.note(8, Why::Expired);
    channel.breaks("segment 8 (number 1017");
    channel.breaks("was delivered whole by 8120 ms, but is not stored whole: there is nothing, and a note expired");
}

#[test]
fn a_seed_is_named() {
    let mut channel = Channel::plain();
    channel.script.seed = Some(77);
    channel.lose(8);
    assert!(channel.violations()[0].starts_with("chan (seed 77): segment 8 "));
}

#[test]
fn what_was_delivered_whole_must_not_be_suspect() {
    let mut channel = Channel::plain();
    channel.file_of(8).completeness = Completeness::Suspect;
    channel.breaks("there is suspect of 9 bytes, and no note");
}

#[test]
fn a_full_file_must_be_a_segment_at_its_start() {
    let mut channel = Channel::plain();
    let mut damaged = channel.file(&channel.segment(8), Completeness::Full);
    damaged.hash = ContentHash::of(b"half");
    damaged.named = damaged.hash;
    channel.held.files.push(damaged);
    channel.breaks(
        "file 8 is stored as full, but its 9 bytes are no segment's; it lies where segment 8",
    );
    let mut channel = Channel::plain();
    let mut moved = channel.file(&channel.segment(8), Completeness::Full);
    moved.start = moved.start + TimeDelta::microseconds(1);
    channel.held.files.push(moved);
    channel.breaks("at the wrong time or with the wrong duration: it is segment 8");
    let mut channel = Channel::plain();
    let mut longer = channel.file(&channel.segment(8), Completeness::Full);
    longer.duration += 1;
    channel.held.files.push(longer);
    channel.breaks("at the wrong time or with the wrong duration");
}

#[test]
fn what_is_suspect_or_partial_may_be_anything() {
    let mut channel = Channel::plain();
    for completeness in [Completeness::Suspect, Completeness::Partial] {
        let hash = ContentHash::of(b"anything");
        let file = channel.file(&channel.segment(8), completeness);
        channel.held.files.push(HeldFile { hash, named: hash, ..file });
    }
    channel.holds();
}

#[test]
fn a_name_must_tell_the_hash_of_its_bytes() {
    let mut channel = Channel::plain();
    channel.file_of(8).named = ContentHash::of(b"");
    channel.breaks("file 8 has bytes that hash to");
}

#[test]
fn strangers_do_not_belong_into_the_store() {
    let mut channel = Channel::plain();
    channel.held.strangers.push("core".to_owned());
    channel.breaks("the store has a file that is no segment: core");
}

#[test]
fn advertisements_are_neither_stored_nor_forgotten() {
    let mut channel = changed(What::MidRoll(1));
    channel.lose(10);
    let record = channel.record.segments.get_mut(&10).unwrap();
    record.listed_as_advertisement = std::mem::take(&mut record.listed);
    channel.breaks("no note where one must give the reason advertisement");
    channel.note(10, Why::Advertisement);
    channel.holds();
    let hash = channel.footage.reel(Clip::Advertisement).hashes[3];
    for completeness in [Completeness::Full, Completeness::Suspect, Completeness::Partial] {
        let file = channel.file(&channel.segment(10), completeness);
        channel.held.files.push(HeldFile { hash, named: hash, ..file });
        channel.breaks("file 10 is an advertisement, which must not be stored");
        channel.held.files.pop();
    }
}

#[test]
fn what_never_came_needs_the_right_reason() {
    let mut channel = troubled(SegmentFault::Status(404), Until::Ever);
    channel.miss(8, "Status(404)");
    channel.breaks("has no note where one must give the reason expired");
    channel.note(8, Why::Refused);
    channel.breaks("has a note refused () where one must give the reason expired");
    channel.note(8, Why::Expired);
    channel
        .breaks("has a note refused (), a note expired () where one must give the reason expired");
    channel.held.notes.remove(0);
    channel.holds();
}

#[test]
fn what_is_stored_is_not_missing() {
    let mut channel = Channel::plain();
    channel.note(8, Why::Expired);
    channel.breaks("is stored whole, and has a note expired ()");
}

#[test]
fn a_recorder_that_never_came_is_no_good_one() {
    let mut channel = Channel::plain();
    channel.record = Record::default();
    channel.held.files.clear();
    channel.breaks("was the first that was in reach of whoever followed");
}

#[test]
fn a_note_must_cover_all_of_it() {
    let mut channel = troubled(SegmentFault::Html, Until::Ever);
    channel.miss(8, "Html");
    let start = EPOCH + TimeDelta::milliseconds(channel.segment(8).start);
    channel.held.notes.push(missing(start, 0.6, Why::Damaged));
    channel.breaks("where one must give the reason damaged");
    channel.held.notes.push(missing(start + TimeDelta::milliseconds(600), 0.4, Why::Damaged));
    channel.holds();
}

#[test]
fn what_would_have_come_must_be_asked_for_again() {
    let untils = [Until::Attempts(1), Until::Millis(4000)];
    for fault in [SegmentFault::Status(404), SegmentFault::Reset, SegmentFault::Empty] {
        for until in untils {
            let mut channel = troubled(fault, until);
            channel.miss(8, "no");
            channel.note(8, fault.reasons()[0]);
            channel.breaks("would have been whole to whoever asks as often as is due");
        }
    }
    let mut channel = troubled(SegmentFault::Silence, Until::Attempts(1));
    channel.miss(8, "Silence");
    channel.note(8, Why::TimeOut);
    channel.breaks("would have been whole to whoever asks as often as is due");
}

#[test]
fn what_would_have_come_after_it_was_unlisted_may_be_missed() {
    let mut channel = troubled(SegmentFault::Status(404), Until::Millis(9500));
    channel.miss(8, "Status(404)");
    channel.note(8, Why::Expired);
    channel.holds();
}

#[test]
fn what_was_not_listed_must_have_been_out_of_reach() {
    let mut channel = Channel::plain();
    channel.overlook(8);
    channel.note(8, Why::Expired);
    channel.breaks("would have been listed to whoever followed the channel, until 18000 ms");
    let shape = Shape { window: 4, ..Shape::default() };
    let fault = ListFault::Status(404);
    let script = Script::healthy(shape).lists(8..20, fault, Scope::MediaPlaylists);
    let mut channel = Channel::recorded(script);
    channel.overlook(9);
    channel.breaks("has no note where one must give the reason expired or offline");
    channel.note(9, Why::Offline);
    channel.holds();
}

#[test]
fn a_fresh_address_must_be_asked_for_in_time() {
    let script = Script::healthy(Shape::default());
    let script = script.lists(10..1000, ListFault::Status(403), Scope::OldAddresses);
    let mut channel = Channel::recorded(script);
    channel.overlook(12);
    channel.note(12, Why::Refused);
    channel.breaks("would have been listed to whoever followed the channel, until 22000 ms");
}

#[test]
fn gaps_and_skipped_numbers_are_noted_as_what_they_are() {
    let mut channel = changed(What::Gap(1));
    channel.lose(10);
    channel.record.segments.get_mut(&10).unwrap().answers.clear();
    channel.breaks("where one must give the reason gap");
    channel.note(10, Why::Gap);
    channel.holds();
    let mut channel = changed(What::SkipNumbers(1));
    channel.breaks("where one must give the reason sequence-jump");
    channel.note(10, Why::SequenceJump);
    channel.holds();
}

#[test]
fn undated_segments_are_suspect_wherever_they_lie() {
    let script = Script::healthy(Shape { dated: Dated::Never, ..Shape::default() });
    let mut channel = Channel::recorded(script);
    for file in &mut channel.held.files {
        file.completeness = Completeness::Suspect;
        file.start = file.start + TimeDelta::milliseconds(321);
    }
    channel.holds();
    channel.held.files[12].completeness = Completeness::Full;
    let violations = channel.violations();
    assert!(
        violations.iter().any(|text| text.contains("nothing says when it was")),
        "{violations:?}"
    );
    let index = channel.held.files.len() / 2;
    channel.held.files[12].completeness = Completeness::Suspect;
    channel.held.files.remove(index);
    channel.breaks("was delivered whole");
}

#[test]
fn a_clock_that_jumped_may_make_suspect() {
    let mut channel = changed(What::ClockJump { by: 30_000, announced: false });
    channel.file_of(10).completeness = Completeness::Suspect;
    channel.holds();
    channel.file_of(9).completeness = Completeness::Suspect;
    channel.breaks("segment 9 ");
}

#[test]
fn announced_discontinuities_are_noted() {
    let mut channel = changed(What::Show { clip: Clip::LargeTs, announced: true });
    channel.breaks("segment 10 ");
    channel.breaks("came with EXT-X-DISCONTINUITY, which no note tells");
    let start = EPOCH + TimeDelta::milliseconds(channel.segment(10).start);
    channel.held.notes.push(Note::Discontinuity {
        start,
        skipped: None,
        detail: String::new(),
        learned: start,
    });
    channel.holds();
}

#[test]
fn time_off_is_noted() {
    let what = What::Restart { number: 0, pause: 10_000, leaves: Leaves::Nothing };
    let mut channel = changed(what);
    channel.breaks("the channel was offline from 9000 to 19000 ms (Nothing), which no note tells");
    let start = EPOCH + TimeDelta::milliseconds(9000);
    channel.held.notes.push(missing(start, 10.0, Why::Offline));
    channel.holds();
}

#[test]
fn playlists_must_not_be_asked_for_too_often() {
    let mut channel = Channel::plain();
    for at in 0..10 {
        channel
            .record
            .lists
            .push(ListRequest { asked: 49_100 + at, ..channel.record.lists[48].clone() });
    }
    channel.breaks("the media playlist at address 1 was asked for more often");
    for list in &mut channel.record.lists {
        list.is_blocking = true;
    }
    channel.breaks("the media playlist at address 1 was asked for more often");
    channel.record.lists.truncate(49);
    for (at, list) in (0..).zip(&mut channel.record.lists) {
        list.asked = at * 100;
    }
    channel.holds();
    let mut channel = Channel::plain();
    channel.record.multivariants = (0..11).map(|at| at * 900).collect();
    channel
        .breaks("the multivariant playlist was asked for more than 10 times between 0 and 9000 ms");
    channel.record.multivariants = (0..40).map(|at| at * 1100).collect();
    channel.holds();
}

#[test]
fn segments_must_not_be_asked_for_too_often() {
    let mut channel = Channel::plain();
    (0..4).for_each(|_| channel.answer(8, "Reset", false));
    channel.breaks("segment 8 was asked for 5 times in 0 ms");
    let mut channel = Channel::plain();
    channel.answer(8, "200", true);
    channel.holds();
    channel.answer(8, "200", true);
    channel.breaks("segment 8 was delivered whole 3 times");
}
