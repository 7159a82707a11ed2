use common::base::time::Timestamp;

use super::*;

fn entry() -> Entry {
    let place = Place {
        start: Timestamp::from_micros(0),
        duration: MediaDuration::ZERO,
        origin: Origin::Stated,
    };
    Entry::new(listing(0), place, Before::Nothing(None), true, Instant::now())
}

/// As a source lists it.
fn listing(source: u32) -> Listing {
    Listing {
        source: SourceId(source),
        numbering: 0,
        number: 7,
        stretch: None,
        segment: Arc::default(),
        base: Arc::new("http://host/".parse().unwrap()),
        version: None,
    }
}

fn unlist(entry: &mut Entry) -> Settling {
    entry.unlist(SourceId(0))
}

fn failed(retry: Retry) -> Attempt {
    let failure = Failure { why: Why::Expired, detail: "404".to_owned(), retry };
    Attempt::failed(failure)
}

const ID: SegmentId = SegmentId(0);

fn attempt(entry: &mut Entry, retry: Retry, now: Instant) -> Settling {
    entry.start(ID, Urgency::Newest, now);
    entry.finish(failed(retry), false, now)
}

#[test]
fn a_refused_segment_is_asked_for_at_each_reload_while_it_is_listed() {
    let now = Instant::now();
    let mut entry = entry();
    for _ in 0..3 {
        assert_eq!(attempt(&mut entry, Retry::WhileListed, now), Settling::Pending);
        assert!(!entry.is_ready(now), "not before the next list");
        assert!(entry.is_ready(now + UNHEARD), "unless there is none");
        entry.relist(listing(0), false, now);
        assert!(entry.is_ready(now));
    }
    assert_eq!(attempt(&mut entry, Retry::WhileListed, now), Settling::Pending);
    let given_up = Settling::GivenUp(Why::Expired, "404 after 4 attempts".to_owned());
    assert_eq!(unlist(&mut entry), given_up);
    assert_eq!(entry.state, State::Settled);
}

#[test]
fn a_stop_says_what_kept_a_segment_from_being_saved() {
    let now = Instant::now();
    let given_up = |why, detail: &str| Settling::GivenUp(why, detail.to_owned());
    let mut untried = entry();
    assert_eq!(untried.stop(), Settling::Pending, "it may be stored");
    untried.state = State::Due(now);
    assert_eq!(untried.stop(), given_up(Why::Stopped, "the downloader was stopped"));
    assert_eq!(untried.stop(), Settling::Done, "once");
    let mut failing = entry();
    assert_eq!(attempt(&mut failing, Retry::Later, now), Settling::Pending);
    assert_eq!(failing.stop(), given_up(Why::Expired, "404 after 1 attempt"));
    let mut cut_off = entry();
    assert_eq!(attempt(&mut cut_off, Retry::Later, now), Settling::Pending);
    cut_off.start(ID, Urgency::Newest, now);
    let detail = "the downloader was stopped".to_owned();
    let stopped = Failure { why: Why::Stopped, detail, retry: Retry::Never };
    let settling = cut_off.finish(Attempt::failed(stopped), false, now);
    assert_eq!(settling, given_up(Why::Expired, "404 after 2 attempts"));
}

#[test]
fn a_segment_refused_when_it_is_not_listed_is_final() {
    let now = Instant::now();
    let mut entry = entry();
    entry.start(ID, Urgency::Newest, now);
    assert_eq!(unlist(&mut entry), Settling::Pending, "the attempt goes on");
    let given_up = Settling::GivenUp(Why::Expired, "404 after 1 attempt".to_owned());
    assert_eq!(entry.finish(failed(Retry::WhileListed), false, now), given_up);
}

#[test]
fn passing_trouble_is_retried_later_and_later_but_not_for_ever() {
    let now = Instant::now();
    let mut entry = entry();
    entry.listed = false;
    let mut waits = Vec::new();
    for _ in 1..12 {
        assert_eq!(attempt(&mut entry, Retry::Later, now), Settling::Pending);
        let State::Due(at) = entry.state else { panic!("{:?}", entry.state) };
        waits.push((at - now).as_millis());
    }
    assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 16000, 16000, 16000, 16000, 16000]);
    let late = now + LONGEST_EFFORT;
    assert!(matches!(attempt(&mut entry, Retry::Later, late), Settling::GivenUp(..)));
}

#[test]
fn a_hopeless_segment_is_asked_for_rarely_while_it_is_listed() {
    let now = Instant::now();
    let mut entry = entry();
    assert_eq!(attempt(&mut entry, Retry::Later, now), Settling::Pending);
    let now = now + LONGEST_EFFORT;
    assert_eq!(attempt(&mut entry, Retry::Later, now), Settling::Pending);
    entry.relist(listing(0), false, now);
    assert_eq!(entry.state, State::Due(now + RARELY));
}

#[test]
fn where_numbers_begin_anew_what_was_refused_is_not_asked_for_again() {
    let now = Instant::now();
    let rarely = |retry| {
        let mut entry = entry();
        for _ in 0..EAGER_ATTEMPTS {
            assert_eq!(attempt(&mut entry, retry, now), Settling::Pending);
        }
        entry.relist(listing(0), false, now);
        entry
    };
    assert_eq!(unlist(&mut rarely(Retry::WhileListed)), Settling::Pending, "it may be there yet");
    let superseded = |mut entry: Entry, claim| {
        assert_eq!(unlist(&mut entry), Settling::Pending);
        entry.superseded(claim)
    };
    let given_up = Settling::GivenUp(Why::Expired, "404 after 8 attempts".to_owned());
    assert_eq!(superseded(rarely(Retry::WhileListed), Claim::Free), given_up);
    assert_eq!(superseded(rarely(Retry::Later), Claim::Soon), Settling::Pending);
    assert_eq!(superseded(rarely(Retry::Later), Claim::Taken), given_up, "another is there");
    let mut elsewhere = rarely(Retry::WhileListed);
    elsewhere.relist(listing(1), false, now);
    assert_eq!(superseded(elsewhere, Claim::Taken), Settling::Pending, "another source lists it");
}

#[test]
fn the_best_copy_is_remembered() {
    let now = Instant::now();
    let mut entry = entry();
    let mut save = |completeness, size| {
        let saved = Some(Saved { completeness, size, is_new: true });
        entry.start(ID, Urgency::Newest, now);
        entry.finish(Attempt { saved, ..failed(Retry::Later) }, false, now);
        entry.start(ID, Urgency::Newest, now).best_partial
    };
    assert_eq!(save(Completeness::Partial, 10), 10);
    assert_eq!(save(Completeness::Suspect, 5), 0, "any suspect one is better than a partial");
    assert_eq!(save(Completeness::Partial, 20), 0);
}
