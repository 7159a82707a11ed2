use super::*;

fn micros(text: &str) -> Option<i64> {
    Timestamp::parse_http(text).ok().map(Timestamp::micros)
}

#[test]
fn http_times_are_utc_or_converted() {
    let ten = micros("2026-11-20T10:00:00").unwrap();
    assert_eq!(ten, 1_795_168_800_000_000);
    for same in ["2026-11-20T10:00", "2026-11-20T10:00Z", "2026-11-20T10:00:00.000000000Z"] {
        assert_eq!(micros(same), Some(ten), "{same}");
    }
    assert_eq!(micros("2026-11-20T11:30:00+01:30"), Some(ten));
    assert_eq!(micros("2026-11-20T02:00-08:00"), Some(ten));
    assert_eq!(micros("2026-11-20T10:00:00.5"), Some(ten + 500_000));
    assert_eq!(micros("2026-11-20T10:00:00.123456789"), Some(ten + 123_456));
}

#[test]
fn nothing_else_is_guessed() {
    for bad in [
        "",
        "12",
        "2026-11-20",
        "2026-11-20 10:00:00",
        "2026-11-20T10",
        "2026-11-20T24:00:00",
        "2026-11-20T10:60:00",
        "2026-11-20T10:00:60",
        "2026-02-30T10:00:00",
        "0000-01-01T00:00:00",
        "2026-11-20T10:00:00.",
        "2026-11-20T10:00:00.1234567890",
        "2026-11-20T10:00:00,5",
        "2026-11-20T10:00:00z",
        "2026-11-20T10:00:00+0100",
        "2026-11-20T10:00:00+24:00",
        "2026-11-20T10:00:00Z+01:00",
        "2026-11-20T10:00:00 01:00",
        "9999-12-31T23:59:59-00:01",
        "20261120T100000",
        "+026-11-20T10:00:00",
        "Jan 2 2024",
        "1795168800",
        "２026-11-20T10:00:00",
    ] {
        assert_eq!(micros(bad), None, "{bad:?}");
    }
}

#[test]
fn printing_reads_back() {
    for text in
        ["2026-11-20T10:00:00.000001", "0001-01-01T00:00:00.000000", "9999-12-31T23:59:59.999999"]
    {
        assert_eq!(Timestamp::parse_http(text).unwrap().to_string(), text);
    }
}

#[test]
fn hours_are_strict() {
    let hour: Hour = "2026-11-20T10".parse().unwrap();
    assert_eq!(hour.to_string(), "2026-11-20T10");
    assert_eq!(hour.start().to_string(), "2026-11-20T10:00:00.000000");
    assert_eq!(hour.next().unwrap().to_string(), "2026-11-20T11");
    assert_eq!(hour.end(), hour.next().unwrap().start());
    for bad in [
        "",
        "2026-11-20",
        "2026-11-20T24",
        "2026-11-20T1",
        "2026-11-20T101",
        "2026-13-20T10",
        "0000-01-01T00",
    ] {
        assert_eq!(bad.parse::<Hour>(), Err(ParseHourError), "{bad:?}");
    }
}

#[test]
fn instants_before_the_epoch_lie_in_their_own_hour() {
    let before = Timestamp::parse_http("1969-12-31T23:59:59.5").unwrap();
    assert_eq!(before.hour().to_string(), "1969-12-31T23");
}

#[test]
fn a_range_needs_the_folder_before_its_start() {
    let at = |text| Timestamp::parse_http(text).unwrap();
    let range = TimeRange::new(at("2026-11-20T10:30:00"), at("2026-11-20T12:00:00")).unwrap();
    let hours =
        ["2026-11-20T08", "2026-11-20T09", "2026-11-20T10", "2026-11-20T12", "2026-11-20T13"];
    let expected = [false, true, true, true, false];
    assert_eq!(hours.map(|hour| range.may_lie_in(hour.parse().unwrap())), expected);
    assert_eq!(TimeRange::new(range.end(), range.start()), None);
    assert_eq!(TimeRange::new(range.end(), range.end()), None);
}

#[test]
fn arithmetic_stops_at_the_ends_of_the_calendar() {
    assert_eq!(Timestamp::MAX + TimeDelta::MAX, Timestamp::MAX);
    assert_eq!(Timestamp::MIN - TimeDelta::MAX, Timestamp::MIN);
    assert_eq!(Timestamp::MAX.hour().next(), None);
    assert_eq!(Timestamp::MIN.to_naive().to_string(), "0000-01-01 00:00:00");
    assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999");
}
