use super::*;

fn seconds(seconds: f64) -> MediaDuration {
    MediaDuration::from_seconds(seconds).unwrap()
}

fn measured(seconds: f64) -> Measured {
    let micros = Duration::from_secs_f64(seconds).as_micros();
    Measured { micros: u64::try_from(micros).unwrap(), doubt: 0, step: 40_000 }
}

fn time(video: Option<f64>, audio: Option<f64>) -> MediaTime {
    MediaTime::new(video.map(measured), audio.map(measured), None).unwrap()
}

/// The least that is enough, in milliseconds.
fn least(promised: f64, version: Option<u64>) -> u32 {
    let is_enough = |millis: &u32| {
        let time = time(Some(f64::from(*millis) / 1000.0), None);
        shortfall(&time, seconds(promised), version).is_none()
    };
    (0..12_000).find(is_enough).unwrap()
}

#[test]
fn what_is_tolerated_is_little_enough_to_notice_a_tenth() {
    assert_eq!(least(2.0, Some(3)), 1700);
    assert_eq!(least(4.0, Some(3)), 3700);
    assert_eq!(least(6.006, Some(7)), 5586);
    assert_eq!(least(10.0, Some(3)), 9300);
    assert_eq!(least(0.3, Some(3)), 0);
    // rounded: the true length may be half a second less
    assert_eq!(least(4.0, Some(2)), 3200);
    assert_eq!(least(4.0, None), 3200);
    // no whole number, so it is exact whatever the version
    assert_eq!(least(4.004, None), 3704);
}

#[test]
fn the_less_of_both_kinds_is_told() {
    let few = u64::try_from(FEW.as_micros()).unwrap() + 1;
    let short = |video: f64, audio: f64| {
        let video = Measured { step: few, ..measured(video) };
        let time = MediaTime::new(Some(video), Some(measured(audio)), None).unwrap();
        shortfall(&time, seconds(4.0), Some(3))
    };
    assert_eq!(short(4.0, 3.75), None);
    assert_eq!(short(3.75, 4.0), None);
    let sound = short(4.0, 3.6).unwrap();
    assert_eq!(sound.medium, Medium::Audio);
    assert_eq!(sound.to_string(), "3.600 s of sound where 4.000 s were promised");
    assert_eq!(short(3.5, 3.6).unwrap().medium, Medium::Video);
}

#[test]
fn where_pictures_come_often_they_decide() {
    let short = |video, audio| shortfall(&time(video, audio), seconds(4.0), Some(3));
    assert_eq!(short(Some(4.0), Some(1.0)), None, "the sound may end with the stream");
    assert_eq!(short(Some(3.6), Some(4.0)).unwrap().medium, Medium::Video);
    assert_eq!(short(None, Some(3.6)).unwrap().found, Duration::from_millis(3600));
}

#[test]
fn a_last_picture_may_be_held() {
    let video = Measured { micros: 3_000_000, doubt: 700_000, step: 40_000 };
    let time = |doubt| MediaTime::new(Some(Measured { doubt, ..video }), None, None).unwrap();
    assert_eq!(shortfall(&time(700_000), seconds(4.0), Some(3)), None);
    assert!(shortfall(&time(699_999), seconds(4.0), Some(3)).is_some());
}

#[test]
fn more_than_promised_is_told_apart() {
    let more = |video, audio| surplus(&time(video, audio), seconds(4.0), Some(3));
    assert_eq!(more(Some(4.3), Some(4.3)), None);
    assert_eq!(more(Some(4.0), Some(6.0)), Some(Duration::from_secs(2)));
    assert_eq!(shortfall(&time(Some(9.0), Some(6.0)), seconds(4.0), Some(3)), None);
}

#[test]
fn streams_reach_from_where_the_first_of_them_begins() {
    let reach = |lag| {
        let time = MediaTime::new(Some(measured(4.0)), Some(measured(3.0)), Some(lag)).unwrap();
        let micros = |extent: Option<Extent>| extent.unwrap().length.as_micros();
        (micros(time.video), micros(time.audio))
    };
    assert_eq!(reach(0), (4_000_000, 3_000_000));
    // sound that begins later
    assert_eq!(reach(1), (4_000_000, 3_000_001));
    assert_eq!(reach(10_000_000), (4_000_000, 13_000_000));
    assert_eq!(reach(10_000_001), (4_000_000, 3_000_000));
    // sound that begins sooner: by interleaving, or alone
    assert_eq!(reach(-300_000), (4_000_000, 3_000_000));
    assert_eq!(reach(-300_001), (4_300_001, 3_000_000));
    assert_eq!(reach(-10_000_001), (4_000_000, 3_000_000));
    assert_eq!(reach(i64::MIN), (4_000_000, 3_000_000));
}

#[test]
fn without_any_stream_there_is_no_time() {
    assert_eq!(MediaTime::new(None, None, Some(5)), None);
    let time = time(Some(1.0), Some(2.0));
    assert_eq!((time.least(), time.most()), (Duration::from_secs(1), Duration::from_secs(2)));
}
