use std::fmt::Write as _;

use common::base::hash::ContentHash;
use common::format::segment::Completeness;
use common::io::store::notes::Why;

use super::*;

mod copies;
mod doubts;
mod holes;
mod overlap;
mod retries;
mod simulation;
mod sources;
mod stretches;

/// No segment to fetch.
const NONE: [u64; 0] = [];
const HOUR: &str = "2026-11-20T10";

/// A planner with its surroundings, driven by playlists of two-second segments.
struct Bench {
    planner: Planner,
    source: SourceId,
    known: Known,
    now: Now,
    events: Vec<Event>,
}

/// Seconds after 10:00.
fn at(seconds: f64) -> Timestamp {
    let hour: Hour = HOUR.parse().unwrap();
    hour.start() + delta(seconds)
}

#[expect(clippy::cast_possible_truncation, reason = "a few minutes")]
fn delta(seconds: f64) -> TimeDelta {
    TimeDelta::microseconds((seconds * 1e6).round() as i64)
}

/// Dated segments of two seconds, number `n` beginning `2n` seconds after 10:00.
fn dated(numbers: std::ops::RangeInclusive<u64>) -> String {
    let mut text = format!("#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{}\n", numbers.start());
    for number in numbers {
        let start = at(2.0 * f64::from(u32::try_from(number).unwrap()));
        writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{start}Z\n#EXTINF:2.0,\n{number}.ts").unwrap();
    }
    text
}

/// The same without dates.
fn undated(numbers: std::ops::RangeInclusive<u64>) -> String {
    let text = dated(numbers);
    let lines = text.lines().filter(|line| !line.starts_with("#EXT-X-PROGRAM"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The segments of a list, without what stands before them.
fn dates_of(list: &str) -> String {
    let lines = list.lines().filter(|line| {
        !line.starts_with("#EXT-X-TARGETDURATION") && !line.starts_with("#EXT-X-MEDIA-SEQUENCE")
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

impl Bench {
    fn new() -> Self {
        Self::after(&Recall::default())
    }

    fn after(recalled: &Recall) -> Self {
        let now = Now { wall: at(600.0), instant: Instant::now() };
        let mut planner = Planner::new(Trust { clock: true, numbers: false }, recalled);
        let source = planner.open(&"http://host/live.m3u8?token=1".parse().unwrap());
        Self { planner, source, known: Known::default(), now, events: Vec::new() }
    }

    /// With full segments of two seconds in the store that begin at those seconds.
    fn with_stored(starts: &[u32]) -> Self {
        let hash = ContentHash::of(b"");
        let name = |start: &u32| format!("{:02}:{:02}-2.0-full-{hash}.ts", start / 60, start % 60);
        let names: Vec<String> = starts.iter().map(name).collect();
        let span = |start: &u32| (at(f64::from(*start)), at(f64::from(*start) + 2.0));
        let mut bench = Self::after(&Recall { spans: starts.iter().map(span).collect() });
        bench.known.read(HOUR.parse().unwrap(), &names);
        bench
    }

    /// Shows a list; returns the numbers to fetch.
    fn show(&mut self, lines: &str) -> Vec<u64> {
        self.observe(lines);
        self.numbers_due()
    }

    fn numbers_due(&mut self) -> Vec<u64> {
        self.jobs().iter().map(|job| job.number).collect()
    }

    /// Shows a list of the source, in which `advertisements` are.
    fn observe(&mut self, lines: &str) {
        self.observe_in(self.source, lines, &[]);
    }

    fn observe_in(&mut self, source: SourceId, lines: &str, advertisements: &[u64]) {
        let list = MediaPlaylist::parse(format!("#EXTM3U\n{lines}").as_bytes()).unwrap();
        let base = Arc::new("http://host/".parse().unwrap());
        let is_advertisement = |index| advertisements.contains(&list.number_of(index));
        let advertisements: Vec<bool> = (0..list.segments.len()).map(is_advertisement).collect();
        let shown = Shown { list: &list, base: &base, advertisements: &advertisements };
        self.events.extend(self.planner.observe(source, &shown, self.now));
        for hour in self.planner.fresh_hours() {
            if !self.known.has_read(hour) {
                self.known.read(hour, &[]);
            }
        }
        self.events.extend(self.planner.admit(&self.known, self.now));
    }

    /// Opens another source.
    fn open(&mut self, address: &str) -> SourceId {
        self.planner.open(&address.parse().unwrap())
    }

    fn close(&mut self, source: SourceId) {
        self.events.extend(self.planner.close(source));
    }

    /// The segment that a source numbers so.
    fn id(&self, number: u64) -> SegmentId {
        let mut sources = self.planner.sources.values();
        *sources.find_map(|source| source.ids.get(&number)).unwrap()
    }

    fn jobs(&mut self) -> Vec<Job> {
        self.planner.due(self.now.instant, 8)
    }

    /// The numbers that are being fetched.
    fn under_way(&self) -> Vec<u64> {
        let sources = self.planner.sources.values();
        let ids = sources.flat_map(|source| &source.ids);
        let under_way = |id| self.planner.entries[id].state == State::InFlight;
        ids.filter(|(_, id)| under_way(id)).map(|(number, _)| *number).collect()
    }

    fn wait(&mut self, seconds: u64) {
        self.now.instant += Duration::from_secs(seconds);
        self.now.wall = self.now.wall + TimeDelta::seconds(i64::try_from(seconds).unwrap());
    }

    fn finish(&mut self, number: u64, attempt: Attempt) {
        let id = self.id(number);
        if let Some(Completeness::Full) = attempt.saved.map(|saved| saved.completeness) {
            let place = self.planner.entries[&id].place;
            self.known.insert(place.start, place.duration);
        }
        self.events.extend(self.planner.finish(id, attempt, self.now.instant));
    }

    fn save(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            let saved = Saved { completeness: Completeness::Full, size: 1, is_new: true };
            self.finish(number, Attempt { saved: Some(saved), ..Attempt::default() });
        }
    }

    fn refuse(&mut self, number: u64, retry: Retry) {
        let failure = Failure { why: Why::Expired, detail: "404".to_owned(), retry };
        self.finish(number, Attempt::failed(failure));
    }

    /// The spans that were missed: start and length in seconds after 10:00, and why.
    fn missed(&mut self) -> Vec<(f64, f64, Why)> {
        let events = std::mem::take(&mut self.events);
        let seconds = |delta: TimeDelta| delta.as_seconds_f64();
        let missed = events.into_iter().filter_map(|event| match event {
            Event::Missed { start, duration, why, .. } => {
                Some((seconds(start - at(0.0)), seconds(duration), why))
            }
            _ => None,
        });
        missed.collect()
    }

    fn discontinuities(&self) -> Vec<(Timestamp, &str)> {
        let found = self.events.iter().filter_map(|event| match event {
            Event::Discontinuity { start, detail, .. } => Some((*start, detail.as_str())),
            _ => None,
        });
        found.collect()
    }
}

#[test]
fn each_segment_is_fetched_once() {
    let mut bench = Bench::new();
    assert_eq!(bench.show(&dated(5..=7)), [5, 6, 7]);
    assert_eq!(bench.show(&dated(5..=7)), NONE, "they are under way");
    bench.save(5..=7);
    assert_eq!(bench.show(&dated(6..=8)), [8]);
    bench.save([8]);
    assert_eq!(bench.show(&dated(5..=7)), NONE, "an edge lags");
    assert_eq!(bench.show(&dated(7..=9)), [9]);
    assert_eq!(bench.missed(), []);
}

#[test]
fn a_job_says_where_the_segment_lies() {
    let mut bench = Bench::new();
    bench.observe(&dated(5..=6));
    let jobs = bench.jobs();
    assert_eq!((jobs[1].start, jobs[1].duration.seconds()), (at(12.0), 2.0));
    assert_eq!(jobs[1].segment.uri, "6.ts");
    assert_eq!(jobs[1].doubt, None);
    assert_eq!(jobs[1].attempt, 1);
}

#[test]
fn what_is_stored_is_not_fetched_again() {
    let mut bench = Bench::with_stored(&[10, 12]);
    assert_eq!(bench.show(&dated(5..=8)), [7, 8]);
    assert_eq!(bench.missed(), []);
}

#[test]
fn the_time_since_the_last_stored_segment_is_missing_because_we_were_stopped() {
    let mut bench = Bench::with_stored(&[0, 2]);
    bench.show(&dated(5..=7));
    assert_eq!(bench.missed(), [(4.0, 6.0, Why::Stopped)]);
    bench.show(&dated(6..=8));
    assert_eq!(bench.missed(), [], "it is told once");
}

#[test]
fn what_a_killed_process_had_not_fetched_is_missing_unless_it_is_listed() {
    let mut bench = Bench::with_stored(&[0, 4, 8, 12]);
    assert_eq!(bench.show(&dated(5..=7)), [5, 7]);
    assert_eq!(bench.missed(), [(2.0, 2.0, Why::Stopped), (6.0, 2.0, Why::Stopped)]);
}

#[test]
fn a_jump_says_how_far_it_goes_and_a_discontinuity_alone_hides_nothing() {
    let jumps = |tag: &str, second: &str| {
        let mut bench = Bench::new();
        let date = format!("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:{second}Z");
        bench.observe(&format!("{}{tag}{date}\n#EXTINF:2.0,\n8.ts\n", dated(5..=7)));
        let jumps = bench.events.iter().filter_map(|event| match event {
            Event::Discontinuity { jumped, .. } => jumped.num_milliseconds().into(),
            _ => None,
        });
        jumps.collect::<Vec<i64>>()
    };
    let announced = "#EXT-X-DISCONTINUITY\n";
    assert_eq!(jumps("", "46"), [30_000]);
    assert_eq!(jumps(announced, "46"), [30_000]);
    assert_eq!(jumps(announced, "16"), [0]);
    assert_eq!(jumps("", "16"), [0; 0]);
}

#[test]
fn the_newest_go_first_and_the_backlog_leaves_them_room() {
    let mut bench = Bench::new();
    assert_eq!(bench.show(&dated(0..=99)), [97, 98, 99, 0, 1, 2, 3]);
    bench.save([0, 97]);
    assert_eq!(bench.numbers_due(), [4, 5]);
    bench.save([98, 99]);
    assert_eq!(bench.numbers_due(), [6]);
    assert_eq!(bench.numbers_due(), NONE, "six of eight may be others than the newest");
    assert_eq!(bench.show(&dated(1..=100)), [100]);
    assert_eq!(bench.show(&dated(2..=101)), [101]);
    assert_eq!(bench.show(&dated(3..=102)), NONE, "eight are under way");
}

#[test]
fn gaps_encrypted_and_undefined_segments_are_missing_at_once() {
    let mut bench = Bench::new();
    let list = "#EXT-X-TARGETDURATION:2\n#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:00Z\n\
        #EXTINF:2,\n0.ts\n\
        #EXT-X-GAP\n#EXTINF:2,\n1.ts\n\
        #EXT-X-BYTERANGE:5\n#EXTINF:2,\n2.ts\n\
        #EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:2,\n3.ts\n\
        #EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n#EXTINF:2,\n4.ts\n\
        #EXT-X-KEY:METHOD=NONE\n#EXTINF:2,\n5.ts\n";
    assert_eq!(bench.show(list), [3, 5, 0]);
    let expected = [(2.0, 2.0, Why::Gap), (4.0, 2.0, Why::Damaged), (8.0, 2.0, Why::Refused)];
    assert_eq!(bench.missed(), expected);
    bench.show(list);
    assert_eq!(bench.missed(), [], "they are told once");
}

#[test]
fn skipped_numbers_are_told_from_lists_that_we_did_not_see() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.wait(2);
    bench.show(&dated(50..=52));
    assert_eq!(bench.missed(), [(16.0, 84.0, Why::SequenceJump)]);
    bench.wait(60);
    bench.show(&dated(80..=82));
    assert_eq!(bench.missed(), [(106.0, 54.0, Why::Expired)], "a minute passed");
}

#[test]
fn a_list_that_stood_still_has_skipped_no_numbers_unless_it_is_short_then() {
    for (newest, why) in [(20, Why::Expired), (18, Why::SequenceJump)] {
        let mut bench = Bench::new();
        bench.show(&dated(5..=7));
        bench.wait(26);
        // as it was for a while
        for _ in 0..2 {
            bench.show(&dated(8..=10));
            bench.wait(2);
        }
        assert_eq!(bench.missed(), []);
        bench.show(&dated(18..=newest));
        assert_eq!(bench.missed(), [(22.0, 14.0, why)]);
    }
}

#[test]
fn a_renumbered_list_is_recorded_without_repeating_what_is_stored() {
    let mut bench = Bench::new();
    bench.show(&dated(100..=102));
    bench.save(100..=102);
    let renumbered = dated(102..=104).replace("SEQUENCE:102", "SEQUENCE:0");
    assert_eq!(bench.show(&renumbered), [1, 2], "the first is number 102 of before");
    assert!(bench.events.contains(&Event::Renumbered));
    bench.save([1, 2]);
    assert_eq!(bench.missed(), []);
    let moved_on = dated(103..=105).replace("SEQUENCE:103", "SEQUENCE:1");
    assert_eq!(bench.show(&moved_on), [3]);
}

#[test]
fn segments_under_way_survive_a_renumbering() {
    let mut bench = Bench::new();
    bench.show(&dated(100..=102));
    let id = bench.id(101);
    bench.show(&dated(200..=201).replace("SEQUENCE:200", "SEQUENCE:0"));
    let failure = Failure { why: Why::TimeOut, detail: "slow".to_owned(), retry: Retry::Later };
    let attempt = Attempt::failed(failure);
    assert_eq!(bench.planner.finish(id, attempt, bench.now.instant), None);
    bench.wait(1);
    assert_eq!(bench.jobs().iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
}

#[test]
fn a_list_without_dates_is_placed_by_arrival_and_uncertain() {
    let mut bench = Bench::new();
    bench.observe(&undated(5..=7));
    let jobs = bench.jobs();
    let starts: Vec<_> = jobs.iter().map(|job| (job.start, job.doubt.is_none())).collect();
    let expected = [(at(594.0), false), (at(596.0), false), (at(598.0), false)];
    assert_eq!(starts, expected);
    bench.wait(2);
    bench.observe(&undated(7..=8));
    assert_eq!(bench.jobs()[0].start, at(600.0), "carried on by durations");
    assert_eq!(bench.missed(), []);
}

#[test]
fn a_date_before_counts_for_a_list_that_has_lost_its_dates() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.observe(&undated(8..=9));
    let starts: Vec<_> = bench.jobs().iter().map(|job| (job.start, job.doubt.is_none())).collect();
    assert_eq!(starts, [(at(16.0), true), (at(18.0), true)]);
}

#[test]
fn contents_that_claim_one_moment_are_all_fetched() {
    let mut bench = Bench::new();
    let same = "#EXT-X-TARGETDURATION:2\n\
        #EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:00Z\n#EXTINF:2,\na.ts\n\
        #EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:00Z\n#EXTINF:2,\nb.ts\n";
    assert_eq!(bench.show(same), [0, 1]);
    bench.save([0, 1]);
    let third = "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:00Z\n#EXTINF:2,\nc.ts\n";
    assert_eq!(bench.show(&format!("{same}{third}")), [2]);
}

#[test]
fn announced_and_seen_discontinuities_are_told_once() {
    let mut bench = Bench::new();
    let announced =
        dated(5..=7).replace("#EXTINF:2.0,\n6", "#EXT-X-DISCONTINUITY\n#EXTINF:2.0,\n6");
    bench.show(&announced);
    bench.show(&announced);
    assert_eq!(bench.discontinuities(), [(at(12.0), "")]);
    bench.events.clear();
    let jump = "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:16.5Z\n#EXTINF:2.0,\n8.ts\n";
    bench.show(&format!("{}{jump}", dated(5..=7)));
    let expected = [(at(16.5), "the publisher's clock jumped by 0.5 s")];
    assert_eq!(bench.discontinuities(), expected);
    assert!(
        bench
            .events
            .contains(&Event::Skew { source: bench.source, by: TimeDelta::milliseconds(500) })
    );
    assert_eq!(bench.missed(), []);
}

#[test]
fn a_list_of_any_length_costs_bounded_memory() {
    let mut bench = Bench::new();
    let mut list = "#EXT-X-TARGETDURATION:2\n".to_owned();
    for _ in 0..MAX_LISTED + 500 {
        list.push_str("#EXTINF:2,\na\n");
    }
    bench.observe(&list);
    assert_eq!(bench.planner.entries.len(), MAX_LISTED);
    let newest = bench.id(MAX_LISTED as u64 + 499);
    assert!(bench.planner.entries.contains_key(&newest));
}

#[test]
fn a_publisher_that_renumbers_without_end_costs_bounded_memory() {
    let mut bench = Bench::new();
    let count = MAX_LISTED as u64 / 2;
    for round in 1..=6 {
        let mut list = format!("#EXT-X-MEDIA-SEQUENCE:{}\n", 1_000_000_000 - round * 2 * count);
        for number in 0..count {
            writeln!(list, "#EXTINF:0.01,\n{round}-{number}").unwrap();
        }
        bench.observe(&list);
    }
    let renumbered = |event: &&Event| **event == Event::Renumbered;
    assert_eq!(bench.events.iter().filter(renumbered).count(), 5);
    assert_eq!(bench.planner.entries.len(), MAX_ENTRIES);
    let given_up = bench.missed();
    assert_eq!(given_up.len() as u64, 6 * count - MAX_ENTRIES as u64);
    assert!(given_up.iter().all(|(_, _, why)| *why == Why::Expired));
}

#[test]
fn a_renumbered_list_without_dates_is_carried_on_by_its_own_numbers() {
    let mut bench = Bench::new();
    bench.show(&undated(100..=102));
    bench.show(&undated(0..=1));
    bench.observe(&undated(2..=3));
    let starts: Vec<_> = bench.jobs().iter().map(|job| job.start).collect();
    assert_eq!(starts, [at(600.0), at(602.0)], "not by their own arrival");
}

#[test]
fn a_segment_whose_duration_is_a_guess_is_uncertain() {
    let mut bench = Bench::new();
    bench.observe(&dated(5..=6).replace("#EXTINF:2.0,\n6", "#EXTINF:,\n6"));
    let jobs: Vec<_> =
        bench.jobs().iter().map(|job| (job.duration.seconds(), job.doubt.is_none())).collect();
    assert_eq!(jobs, [(2.0, true), (2.0, false)]);
}

#[test]
fn an_empty_list_changes_nothing() {
    let mut bench = Bench::new();
    bench.show(&dated(5..=7));
    bench.save(5..=7);
    assert_eq!(bench.show("#EXT-X-TARGETDURATION:2\n"), NONE);
    assert_eq!(bench.show(&dated(6..=8)), [8]);
    assert_eq!(bench.missed(), []);
}
