use super::*;

fn list(target: Option<f64>, first: u64, durations: &[f64]) -> MediaPlaylist {
    let segment = |duration: &f64| Segment { duration: Some(*duration), ..Segment::default() };
    MediaPlaylist {
        target_duration: target,
        media_sequence: first,
        segments: durations.iter().map(segment).collect(),
        ..MediaPlaylist::default()
    }
}

/// How long after its beginning the first load is to be followed by another.
fn first_delay(list: &MediaPlaylist, news: bool) -> Duration {
    Rhythm::new(Reload::ByTarget, Instant::now()).least(list, news)
}

#[test]
fn the_target_duration_after_news_else_half_of_it() {
    let list = list(Some(6.0), 4, &[6.0, 6.0, 6.0]);
    assert_eq!(first_delay(&list, true), Duration::from_secs(6));
    assert_eq!(first_delay(&list, false), Duration::from_secs(3));
}

#[test]
fn absurd_target_durations_are_bounded() {
    assert_eq!(first_delay(&list(Some(0.0), 0, &[]), true), Duration::from_millis(500));
    assert_eq!(first_delay(&list(Some(1e12), 0, &[]), true), Duration::from_mins(1));
    assert_eq!(first_delay(&list(None, 0, &[]), true), Duration::from_secs(2));
}

#[test]
fn a_list_that_holds_too_little_is_loaded_before_it_is_gone() {
    let delay = |list: &MediaPlaylist| first_delay(list, true);
    assert_eq!(delay(&list(Some(10.0), 4, &[2.0; 6])), Duration::from_secs(4));
    assert_eq!(delay(&list(Some(10.0), 0, &[2.0])), Duration::from_secs(10), "it begins");
    assert_eq!(delay(&list(Some(10.0), 4, &[f64::MAX; 2])), Duration::from_secs(10));
}

#[test]
fn durations_that_cannot_be_do_not_keep_us_from_loading() {
    for absurd in [95_443.7, 1e308, f64::MAX, f64::NAN, f64::INFINITY, -1e308] {
        for target in [Some(2.0), None, Some(1e308), Some(f64::NAN)] {
            let now = Instant::now();
            let mut rhythm = Rhythm::new(Reload::ByTarget, now);
            let durations = [2.0, 2.0, absurd, absurd, 2.0, absurd];
            for (seconds, first) in [(0_u64, 4), (2, 6), (4, 7), (60, 90)] {
                let began = now + Duration::from_secs(seconds);
                for shown in 1..=durations.len() {
                    let next = rhythm.next(&list(target, first, &durations[..shown]), true, began);
                    assert!(next <= began + LONGEST, "{absurd} {target:?} {shown}");
                }
            }
        }
    }
}

#[test]
fn some_services_are_loaded_as_often_as_they_publish() {
    let list = list(Some(6.0), 4, &[2.0; 15]);
    let rhythm = Rhythm::new(Reload::BySegment, Instant::now());
    assert_eq!(rhythm.least(&list, true), Duration::from_secs(2));
    assert_eq!(rhythm.least(&list, false), Duration::from_secs(1));
}

#[test]
fn what_a_server_can_do_is_read_from_its_list() {
    let read = |tags: &str| {
        MediaPlaylist::parse(format!("#EXTM3U\n{tags}\n#EXTINF:2,\na.ts\n").as_bytes()).unwrap()
    };
    assert!(read("#EXT-X-SERVER-CONTROL:HOLD-BACK=6,CAN-BLOCK-RELOAD=YES").can_block_reload);
    assert!(!read("#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=12").can_block_reload);
    assert_eq!(next_number(&read("#EXT-X-MEDIA-SEQUENCE:7")), 8);
}

/// A publisher of segments of `duration` whose listing is late by up to `jitter`, both in seconds.
struct Publisher {
    duration: f64,
    jitter: f64,
    target: f64,
}

impl Publisher {
    /// When segment `number` is listed.
    #[expect(clippy::cast_precision_loss, reason = "numbers are small")]
    fn listed(&self, number: u64) -> f64 {
        // spread evenly, and without a pattern that a segment's neighbours follow
        let spread = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / f64::from(1 << 24);
        10.0 + number as f64 * self.duration + self.jitter * spread
    }

    /// How late each segment is seen by somebody who begins at `begin`, from the tenth on that they
    /// see; checks that they load no more often than they may.
    fn watch(&self, begin: f64, seconds: f64) -> Vec<f64> {
        let epoch = Instant::now();
        let mut rhythm = Rhythm::new(Reload::ByTarget, epoch);
        let (mut at, mut seen, mut lateness) = (begin, None, Vec::new());
        while at < begin + seconds {
            let newest = (0..u64::MAX).find(|number| self.listed(*number + 1) > at).unwrap();
            let news = seen != Some(newest);
            for number in seen.map_or(newest, |seen: u64| seen + 1)..=newest {
                lateness.push(at - self.listed(number));
            }
            seen = Some(newest);
            let list = list(Some(self.target), newest.saturating_sub(5), &[self.duration; 6]);
            let now = epoch + Duration::from_secs_f64(at);
            let next = rhythm.next(&list, news, now).duration_since(epoch).as_secs_f64();
            let least = if news { self.target } else { self.target / 2.0 };
            assert!(next >= at + least - 1e-6, "at {at}: {next}");
            assert!(next <= at + 2.5 * self.target, "at {at}: {next}");
            at = next;
        }
        lateness.split_off(10)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a length")]
/// The median, the 99th percentile and the maximum.
fn spread(mut lateness: Vec<f64>) -> (f64, f64, f64) {
    lateness.sort_by(f64::total_cmp);
    let at = |part: f64| lateness[((lateness.len() - 1) as f64 * part) as usize];
    (at(0.5), at(0.99), at(1.0))
}

#[test]
fn segments_are_seen_soon_whenever_one_begins() {
    for step in 0..20 {
        let publisher = Publisher { duration: 2.0, jitter: 0.0, target: 2.0 };
        let (median, most, last) = spread(publisher.watch(100.0 + 0.1 * f64::from(step), 600.0));
        assert!(median < 0.5 && most < 0.6 && last < 2.6, "{median} {most} {last}");
    }
}

#[test]
fn a_publisher_that_is_not_exact_is_met_behind_its_latest() {
    for step in 0..20 {
        let publisher = Publisher { duration: 2.0, jitter: 0.2, target: 2.0 };
        let (median, most, _) = spread(publisher.watch(100.0 + 0.1 * f64::from(step), 1200.0));
        assert!(median < 0.5 && most < 1.5, "{median} {most}");
    }
}

#[test]
fn segments_shorter_than_the_target_are_not_waited_for_too_often() {
    let publisher = Publisher { duration: 1.96, jitter: 0.02, target: 2.0 };
    let (median, _, last) = spread(publisher.watch(100.3, 600.0));
    // one and a half segments: the load in between was left out
    assert!(median < 0.7 && last < 1.5 * 1.96 + 0.02, "{median} {last}");
}

#[test]
fn a_publisher_that_stood_still_is_found_again() {
    let epoch = Instant::now();
    let mut rhythm = Rhythm::new(Reload::ByTarget, epoch);
    let mut show = |newest: u64, news: bool, at: f64| {
        let list = list(Some(2.0), newest - 5, &[2.0; 6]);
        rhythm.next(&list, news, epoch + Duration::from_secs_f64(at));
        rhythm.heard.unwrap().aim
    };
    for number in 0..40_u32 {
        show(10 + u64::from(number), true, 2.0 * f64::from(number));
    }
    assert!(matches!(show(50, true, 80.0), Aim::Within(..) | Aim::At(_)));
    for second in 82..120 {
        show(50, false, f64::from(second));
    }
    let Aim::Within(low, high) = show(51, true, 120.7) else { panic!("it was searched for") };
    assert!((high - low - 2.0).abs() < 1e-6, "{low} {high}");
}
