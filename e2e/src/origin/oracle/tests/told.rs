//! What a recorder told, and how soon it came, on a channel with which all was well.

use super::*;

/// What a recorder tells of a channel that it records.
fn up() -> Told {
    let metrics = "feed_status{channel=\"chan\",quality=\"source\",status=\"up\"} 1\n";
    let asked = EPOCH + TimeDelta::seconds(SECONDS);
    Told::read(metrics, "ok\nchan source: up\n", ("chan", "source"), (asked, asked))
}

impl Channel {
    fn telling(mut self, change: impl FnOnce(&mut Told)) -> Self {
        let mut told = up();
        change(&mut told);
        self.told = Some(told);
        self
    }
}

fn on_twitch(target: i64) -> Script {
    Script::healthy(Shape { entry: Entry::Twitch, target, ..Shape::default() })
}

#[test]
fn the_state_must_be_told_in_both_places() {
    Channel::plain().telling(|_| ()).holds();
    let mut failing = Channel::plain().telling(|told| told.status = vec!["failing".to_owned()]);
    failing.told.as_mut().unwrap().health = "failing for 3 s".to_owned();
    failing.breaks("feed_status says [\"failing\"], but the channel is up");
    let healthy = Channel::plain().telling(|told| told.health = "starting".to_owned());
    healthy.breaks("/healthz says \"starting\" where feed_status says [\"up\"]");
}

#[test]
fn what_lasts_to_the_end_is_told_for_what_it_is() {
    let lasting = |entry, fault, scope| {
        let script = Script::healthy(Shape { entry, ..Shape::default() });
        script.lists(20..1000, fault, scope)
    };
    let (multivariant, twitch) = (Entry::Multivariant, Entry::Twitch);
    let both = |fault| {
        let script = lasting(twitch, ListFault::Status(404), Scope::MediaPlaylists);
        script.lists(20..1000, fault, Scope::Token)
    };
    for (script, expected) in [
        (lasting(multivariant, ListFault::Status(403), Scope::Channel), "refused"),
        (lasting(multivariant, ListFault::Status(404), Scope::Channel), "offline"),
        (lasting(twitch, ListFault::Status(404), Scope::Channel), "changed"),
        (lasting(multivariant, ListFault::Html, Scope::Channel), "changed"),
        (lasting(multivariant, ListFault::Silence, Scope::Channel), "unreachable"),
        (both(ListFault::Json), "changed"),
        (both(ListFault::Status(500)), "unreachable"),
    ] {
        let told = |status: &str| {
            let status = status.to_owned();
            let mut channel = Channel::recorded(script.clone()).telling(|told| {
                told.health.clone_from(&status);
                told.status = vec![status];
            });
            // which is for other tests
            channel.record = Record::default();
            channel.held.files.clear();
            let of_state = |text: &String| text.contains("feed_status");
            channel.violations().into_iter().filter(of_state).count()
        };
        assert_eq!((told(expected), told("failing")), (0, 1), "{script:?}");
    }
}

#[test]
fn what_never_was_offline_is_not_told_to_be() {
    for fault in [ListFault::Html, ListFault::Status(500)] {
        let script = Script::healthy(Shape::default()).lists(10..11, fault, Scope::Channel);
        let looked = |told: &mut Told| told.lookup = vec!["offline".to_owned()];
        Channel::recorded(script).telling(looked).breaks("told to be offline, which it never was");
    }
    let script =
        Script::healthy(Shape::default()).lists(10..11, ListFault::Status(404), Scope::Channel);
    Channel::recorded(script).telling(|told| told.lookup = vec!["offline".to_owned()]).holds();
}

#[test]
fn what_is_counted_as_missed_is_what_is_noted() {
    let missed = |count| move |told: &mut Told| told.missed.extend([("expired".to_owned(), count)]);
    let with_note = || {
        let mut channel = troubled(SegmentFault::Status(404), Until::Ever);
        channel.miss(8, "Status(404)");
        channel.note(8, Why::Expired);
        channel
    };
    with_note().telling(missed(1)).holds();
    for count in [0, 2] {
        let channel = with_note().telling(missed(count));
        channel.breaks("for the reason expired, but 1 notes were written, of at most 1 pieces");
    }
}

#[test]
fn each_advertisement_is_counted_for_each_address_at_most() {
    let advertised = |addresses: &[usize]| {
        let mut channel = changed(What::MidRoll(1));
        channel.lose(10);
        let record = channel.record.segments.get_mut(&10).unwrap();
        record.listed_as_advertisement = std::mem::take(&mut record.listed);
        record.advertised_at.extend(addresses);
        channel.note(10, Why::Advertisement);
        channel
    };
    let counted = |count| {
        move |told: &mut Told| {
            told.advertisements = count;
            told.missed.extend([("advertisement".to_owned(), 1)]);
        }
    };
    advertised(&[1]).telling(counted(1)).holds();
    advertised(&[1, 2]).telling(counted(2)).holds();
    advertised(&[1]).telling(counted(2)).breaks("ad_segments_ignored_total is 2");
    advertised(&[1]).telling(counted(0)).breaks("ad_segments_ignored_total is 0");
}

#[test]
fn half_of_the_segments_must_be_asked_for_soon() {
    let late_by = |script: Script, late: i64| {
        let mut channel = Channel::recorded(script);
        for record in channel.record.segments.values_mut() {
            record.answers.iter_mut().for_each(|answer| answer.asked += late);
        }
        channel
    };
    let healthy = || Script::healthy(Shape::default());
    late_by(healthy(), 300).holds();
    late_by(healthy(), 600).breaks("were asked for later than 710 ms, where 500 are due");
    let resting =
        Script::healthy(Shape::default()).segments(8..9, SegmentFault::Reset, Until::Attempts(1));
    late_by(resting, 600).holds();
    late_by(on_twitch(3), 600).breaks("where 500 are due");
}

#[test]
fn a_target_duration_is_waited_for_where_the_provider_says_so() {
    Channel::recorded(on_twitch(3)).holds();
    let thrice = Shape { target: 3, ..Shape::default() };
    let mut channel = Channel::recorded(Script::healthy(thrice));
    channel.breaks("the media playlist at address 1 was asked for more often");
    for (at, list) in (0..).zip(&mut channel.record.lists) {
        list.asked = at * 3000;
    }
    channel.holds();
    // one that holds less than three of them may be loaded as often as it takes
    let short = Shape { target: 3, window: 3, ..Shape::default() };
    Channel::recorded(Script::healthy(short)).holds();
}

#[test]
fn tokens_and_sections_must_not_be_asked_for_too_often() {
    let mut channel = Channel::plain();
    channel.record.tokens = (0..11).map(|at| at * 900).collect();
    channel.breaks("a token was asked for more than 10 times between 0 and 9000 ms");
    let mut channel = Channel::plain();
    channel.record.sections = (0..11).map(|at| at * 100).collect();
    channel.breaks("initialization sections were asked for more than 10 times");
}

#[test]
fn undated_segments_are_stored_once_in_order_and_as_far_apart_as_they_last() {
    let undated = || {
        let script = Script::healthy(Shape { dated: Dated::Never, ..Shape::default() });
        let mut channel = Channel::recorded(script);
        for file in &mut channel.held.files {
            file.completeness = Completeness::Suspect;
        }
        channel
    };
    undated().holds();
    let mut twice = undated();
    let again = HeldFile { start: EPOCH + TimeDelta::seconds(60), ..twice.held.files[20].clone() };
    twice.held.files.push(again);
    twice.breaks("is stored twice or out of order");
    let mut swapped = undated();
    let start = swapped.held.files[20].start;
    swapped.held.files[20].start = swapped.held.files[21].start;
    swapped.held.files[21].start = start;
    swapped.held.files.sort_by_key(|file| file.start);
    assert!(swapped.violations().iter().any(|text| text.contains("out of order")));
    let mut drifting = undated();
    for file in &mut drifting.held.files[20..] {
        file.start = file.start + TimeDelta::milliseconds(5);
    }
    drifting.breaks("lies 1005 ms after");
    let mut elsewhere = undated();
    for file in &mut elsewhere.held.files {
        file.start = file.start + TimeDelta::seconds(11);
    }
    assert!(elsewhere.violations().iter().all(|text| text.contains("lies 11000 ms from where")));
    let mut repeated = undated();
    let segments = &mut repeated.stream.segments;
    let long_ago = |of: &Published| {
        let (index, start) = (of.index - 180, of.start - 180_000);
        Published { index, start, at: start, ..of.clone() }
    };
    let earlier: Vec<Published> = segments.iter().map(long_ago).collect();
    segments.splice(0..0, earlier);
    repeated.holds();
}

#[test]
fn what_its_section_kept_from_being_stored_may_be_missed_only_meanwhile() {
    let shape = Shape { clip: Clip::Fmp4, ..Shape::default() };
    let missing =
        |seconds| Script::healthy(shape.clone()).sections(seconds, SegmentFault::Status(404));
    let missed = |script| {
        let mut channel = Channel::recorded(script);
        channel.miss(8, "no");
        channel.record.segments.get_mut(&8).unwrap().answers.clear();
        channel.note(8, Why::Expired);
        channel
    };
    missed(missing(8..30)).holds();
    missed(missing(8..12)).breaks("was listed, and nothing kept it from being fetched");
}

#[test]
fn what_looks_meet_is_no_reason_while_nobody_has_to_look() {
    let huge = |script: Script| script.lists(9..30, ListFault::Huge, Scope::Multivariant);
    let overlooked = |script| {
        let mut channel = Channel::recorded(script);
        (8..=16).for_each(|index| channel.overlook(index));
        (8..=16).for_each(|index| channel.note(index, Why::Expired));
        channel.violations().len()
    };
    let healthy = || Script::healthy(Shape::default());
    assert_eq!(overlooked(huge(healthy())), 9);
    let expiring = healthy().lists(9..1000, ListFault::Status(403), Scope::OldAddresses);
    assert_eq!(overlooked(huge(expiring)), 0);
}
