use std::time::Duration;

use super::*;

fn feed(channel: &str, quality: &str) -> Feed {
    Feed { channel: channel.parse().unwrap(), quality: quality.parse().unwrap() }
}

/// What is told of states that are entered at these seconds.
fn told(important: bool, states: &[(u64, Status, &str)]) -> Vec<Option<(Severity, String)>> {
    let began = Instant::now();
    let mut told = Told::new(began);
    let tell = |(seconds, status, detail): &(u64, Status, &str)| {
        told.enter(*status, detail, important, began + Duration::from_secs(*seconds))
    };
    states.iter().map(tell).collect()
}

/// What is told.
macro_rules! line {
    ($severity:expr, $text:expr) => {
        Some(($severity, $text.to_owned()))
    };
}

#[test]
fn a_state_is_told_when_it_begins_and_now_and_then() {
    use Severity::Normal;
    use Status::{Changed, Offline, Up};
    let expected = [
        line!(Normal, "off"),
        None,
        line!(Normal, "off"),
        line!(Severity::Degraded, "odd"),
        line!(Normal, "records again"),
        None,
        line!(Normal, "off"),
    ];
    let states = [
        (0, Offline, "off"),
        (599, Offline, "off"),
        (600, Offline, "off"),
        (601, Changed, "odd"),
        (602, Up, "anything"),
        (10_000, Up, "else"),
        (10_001, Offline, "off"),
    ];
    assert_eq!(told(false, &states), expected);
    assert_eq!(told(false, &[(0, Up, "")]), [line!(Normal, "records")]);
    assert_eq!(told(false, &[(0, Status::Starting, "x")]), [None]);
}

#[test]
fn what_comes_and_goes_is_told_once_a_minute_and_counts_as_trouble_that_lasts() {
    use Severity::{Act, Degraded, Normal};
    let flaps = (0..12).flat_map(|round| {
        [(round * 10, Status::Failing, "slow"), (round * 10 + 6, Status::Up, "")]
    });
    let states: Vec<_> = flaps.collect();
    let lines: Vec<_> = told(false, &states).into_iter().flatten().collect();
    let expected =
        [(Degraded, "slow"), (Normal, "records again"), (Act, "slow"), (Normal, "records again")];
    assert_eq!(lines, expected.map(|(severity, line)| (severity, line.to_owned())));
    let apart = [(0, Status::Failing, "x"), (1, Status::Up, ""), (90, Status::Failing, "x")];
    let lines: Vec<_> = told(false, &apart).into_iter().flatten().collect();
    assert_eq!(lines[2], (Degraded, "x".to_owned()), "after a minute it is another");
}

#[test]
fn what_was_held_back_is_told_once_it_lasts() {
    let failing = |seconds| (seconds, Status::Failing, "x");
    let states = [failing(10), (12, Status::Up, ""), failing(20), failing(69), failing(70)];
    let act = line!(Severity::Act, "x");
    assert_eq!(told(false, &states)[2..], [None, None, act]);
}

#[test]
fn a_state_that_begins_again_for_another_reason_is_told_a_few_times() {
    let mut states = vec![];
    for (round, reason) in (0..).zip(["one", "two", "three", "four", "one", "five"]) {
        states.push((round * 5, Status::Offline, reason));
        states.push((round * 5 + 1, Status::Up, ""));
    }
    let lines: Vec<_> = told(false, &states).into_iter().flatten().map(|(_, line)| line).collect();
    let expected = ["one", "records again", "two", "records again", "three", "records again"];
    assert_eq!(lines, expected);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_records_but_finds_no_other_address_calls_for_somebody() {
    let metrics = Metrics::empty();
    let statuses = Statuses::new(&metrics);
    let feed = statuses.of(&feed("c", "source"), false);
    feed.set(Status::Up, "");
    feed.looked(Status::Up, "");
    assert_eq!(statuses.report().lines, ["c source: up"]);
    for (found, degraded) in
        [(Status::Unreachable, false), (Status::Refused, true), (Status::Changed, true)]
    {
        feed.looked(found, "no token");
        let report = statuses.report();
        let line = format!("c source: up, but no other address ({}): no token", found.token());
        assert_eq!((report.degraded, report.lines), (degraded, vec![line]));
        let shown = format!("status=\"{}\"}} 1", found.token());
        let text = metrics.render();
        assert!(text.lines().any(|line| line.starts_with("feed_lookup") && line.ends_with(&shown)));
    }
    feed.looked(Status::Up, "");
    assert!(!statuses.report().degraded);
}

#[test]
fn another_reason_for_the_same_state_is_told_at_most_once_a_minute() {
    let offline = |at, detail| (at, Status::Offline, detail);
    let states = [
        offline(0, "in 3 h"),
        offline(59, "in 2 h"),
        offline(60, "in 2 h"),
        offline(119, "in 2 h"),
    ];
    let expected =
        [line!(Severity::Normal, "in 3 h"), None, line!(Severity::Normal, "in 2 h"), None];
    assert_eq!(told(false, &states), expected);
}

#[test]
fn each_state_asks_as_much_as_it_needs() {
    use Severity::{Act, Degraded, Normal};
    for (status, ordinary, important) in [
        (Status::Offline, Normal, Degraded),
        (Status::Refused, Degraded, Degraded),
        (Status::Changed, Degraded, Degraded),
        (Status::Unreachable, Degraded, Degraded),
        (Status::AdsOnly, Normal, Normal),
        (Status::Failing, Degraded, Degraded),
        (Status::Up, Normal, Normal),
    ] {
        for (is_important, expected) in [(false, ordinary), (true, important)] {
            let told = told(is_important, &[(0, status, "x")]);
            assert_eq!(told[0].as_ref().unwrap().0, expected, "{status:?} {is_important}");
        }
    }
    for status in [Status::Failing, Status::Refused, Status::Changed] {
        let lasts = [(0, status, "x"), (59, status, "x"), (60, status, "x")];
        assert_eq!(told(false, &lasts), [line!(Degraded, "x"), None, line!(Act, "x")]);
    }
}

#[test]
fn the_metric_is_one_for_the_state_and_zero_for_the_others() {
    let metrics = Metrics::empty();
    let statuses = Statuses::new(&metrics);
    let (one, _other) =
        (statuses.of(&feed("c", "source"), false), statuses.of(&feed("d", "x"), true));
    let ones = || {
        let text = metrics.render();
        assert_eq!(text.matches("feed_status{").count(), 16, "{text}");
        assert_eq!(text.matches("feed_lookup_status{").count(), 16, "{text}");
        let ones =
            text.lines().filter(|line| line.starts_with("feed_status") && line.ends_with(" 1"));
        ones.map(|line| line.rsplit("status=").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ones(), ["\"starting\"} 1", "\"starting\"} 1"]);
    for status in Status::ALL {
        one.set(status, "x");
        assert_eq!(one.get(), status);
        assert_eq!(ones()[0], format!("\"{}\"}} 1", status.token()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_report_has_a_line_for_each_feed_and_calls_for_somebody() {
    let statuses = Statuses::new(&Metrics::empty());
    assert_eq!(statuses.report(), Parts::default());
    let b = statuses.of(&feed("b", "source"), false);
    let a = statuses.of(&feed("a", "720p"), true);
    let report = || {
        let parts = statuses.report();
        (parts.degraded, parts.lines)
    };
    let lines = |a: &str, b: &str| vec![format!("a 720p: {a}"), format!("b source: {b}")];
    assert_eq!(report(), (false, lines("starting for 0 s", "starting for 0 s")));
    a.set(Status::Up, "");
    b.set(Status::Offline, "nothing\nthere");
    tokio::time::advance(Duration::from_hours(1)).await;
    assert_eq!(report(), (false, lines("up", "offline for 3600 s: nothing there")));
    b.set(Status::AdsOnly, "");
    assert_eq!(report(), (false, lines("up", "ads-only for 0 s")));
    for (status, degraded) in [
        (Status::Unreachable, false),
        (Status::Changed, true),
        (Status::Refused, true),
        (Status::Failing, true),
    ] {
        b.set(status, "x");
        assert!(!report().0, "{status:?} may pass");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(report().0, degraded, "{status:?}");
    }
    b.set(Status::Offline, "");
    assert!(!report().0);
    a.set(Status::Offline, "");
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(!report().0);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(report().0, "what should always be up is not");
    assert_eq!(report().1[0], "a 720p: offline for 60 s");
}

#[test]
fn what_is_mentioned_is_not_repeated_soon() {
    let began = Instant::now();
    let mut told = Told::new(began);
    let mut mention =
        |message, minutes| told.mention(message, began + Duration::from_mins(minutes));
    assert!(mention("no other address", 0));
    assert!(!mention("no other address", 9));
    assert!(mention("no other address", 10));
    assert!(!mention("refused", 10), "not each time that it is put differently");
    assert!(mention("refused", 11), "something else");
    assert_eq!(told.status(), Status::Starting, "it is no state");
}
