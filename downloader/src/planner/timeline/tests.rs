use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_http(&format!("2026-11-20T{text}")).unwrap()
}

fn seconds(seconds: f64) -> MediaDuration {
    MediaDuration::from_seconds(seconds).unwrap()
}

fn dated(start: &str) -> Slot {
    Slot { stated: Some(at(start)), ..undated() }
}

fn undated() -> Slot {
    Slot { stated: None, duration: seconds(2.0), placed: None }
}

fn placed(start: &str, origin: Origin) -> Slot {
    let place = Place { start: at(start), duration: seconds(2.0), origin };
    Slot { placed: Some(place), ..undated() }
}

/// Starts and origins, at 10:01:00 by our own clock.
fn starts(slots: &[Slot], before: Option<Place>) -> Vec<(Timestamp, Origin)> {
    let places = place(slots, before, at("10:01:00"), TimeDelta::seconds(10));
    assert_eq!(places.len(), slots.len());
    places.iter().map(|place| (place.start, place.origin)).collect()
}

#[test]
fn dates_count_and_are_carried_both_ways() {
    let slots = [undated(), dated("10:00:00"), undated(), dated("10:00:05"), undated()];
    let expected = [
        (at("09:59:58"), Origin::Carried),
        (at("10:00:00"), Origin::Stated),
        (at("10:00:02"), Origin::Carried),
        (at("10:00:05"), Origin::Stated),
        (at("10:00:07"), Origin::Carried),
    ];
    assert_eq!(starts(&slots, None), expected);
}

#[test]
fn the_segment_before_the_list_goes_before_later_dates() {
    let before = Place { start: at("10:00:00"), duration: seconds(2.0), origin: Origin::Stated };
    let slots = [undated(), dated("10:00:10")];
    let expected = [(at("10:00:02"), Origin::Carried), (at("10:00:10"), Origin::Stated)];
    assert_eq!(starts(&slots, Some(before)), expected);
}

#[test]
fn a_place_is_kept_when_the_date_changes_later() {
    let kept = Slot { stated: Some(at("10:00:00.001")), ..placed("10:00:00", Origin::Stated) };
    let expected = [(at("10:00:00"), Origin::Stated), (at("10:00:02"), Origin::Carried)];
    assert_eq!(starts(&[kept, undated()], None), expected);
}

#[test]
fn without_any_date_the_list_ends_when_it_is_seen() {
    let expected = [(at("10:00:56"), Origin::Arrival), (at("10:00:58"), Origin::Arrival)];
    assert_eq!(starts(&[undated(), undated()], None), expected);
}

#[test]
fn arrival_is_carried_on_while_it_is_about_right() {
    let slots = [placed("10:00:49", Origin::Arrival), undated()];
    let expected = [(at("10:00:49"), Origin::Arrival), (at("10:00:51"), Origin::Arrival)];
    assert_eq!(starts(&slots, None), expected, "7 s behind");
}

#[test]
fn arrival_begins_anew_after_a_pause_but_never_in_the_past() {
    let slots = [placed("10:00:20", Origin::Arrival), undated(), undated()];
    let starts_of = |slots: &[Slot]| starts(slots, None).into_iter().map(|(start, _)| start);
    let expected = [at("10:00:20"), at("10:00:56"), at("10:00:58")];
    assert!(starts_of(&slots).eq(expected), "the stream paused");
    let ahead = [placed("10:01:20", Origin::Arrival), undated(), undated()];
    let expected = [at("10:01:20"), at("10:01:22"), at("10:01:24")];
    assert!(starts_of(&ahead).eq(expected), "the durations are longer than the time they take");
}

#[test]
fn dates_of_encoders_without_a_clock_are_none() {
    let segment = |time: i64| Segment {
        program_date_time: Some(Timestamp::from_micros(time)),
        ..Segment::default()
    };
    assert_eq!(stated(&segment(0)), None);
    assert_eq!(stated(&segment(i64::MIN)), None);
    assert!(stated(&segment(EARLIEST_MICROS)).is_some());
}

#[test]
fn dates_of_years_to_come_are_none() {
    let now = at("10:00:00");
    let dated = |ahead| Segment { program_date_time: Some(now + ahead), ..Segment::default() };
    assert!(believed(&dated(TimeDelta::hours(24)), now).is_some(), "a wrong time zone at worst");
    assert_eq!(believed(&dated(TimeDelta::hours(25)), now), None);
    assert_eq!(believed(&dated(TimeDelta::days(26_000)), now), None);
}

#[test]
fn durations_that_cannot_be_are_found_otherwise() {
    let segment = |duration, start: Option<&str>| Segment {
        duration,
        program_date_time: start.map(at),
        ..Segment::default()
    };
    let next = segment(Some(2.0), Some("10:00:03.5"));
    let first = |extinf| duration(&segment(extinf, Some("10:00:00")), Some(&next), Some(2.0));
    assert_eq!(first(Some(1.967)), (seconds(1.967), true));
    assert_eq!(first(Some(0.0)), (seconds(0.0), true));
    assert_eq!(first(None), (seconds(3.5), false), "by the next date");
    assert_eq!(first(Some(123_456_789.0)), (seconds(3.5), false));
    assert_eq!(first(Some(60.0)), (seconds(3.5), false), "far over the target duration");
    let alone = |target| duration(&segment(None, None), None, target);
    assert_eq!(alone(Some(6.0)), (seconds(6.0), false));
    assert_eq!(alone(Some(1e9)), (seconds(0.0), false));
    assert_eq!(alone(None), (seconds(0.0), false));
}
