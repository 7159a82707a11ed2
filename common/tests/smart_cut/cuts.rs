//! Cuts of every kind of source.

use common::base::time::TimeRange;
use common::plan::cut::Holes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::oracle::{judge, make, numbers};
use super::source::{Kind, Source, range};

pub(crate) const PLAIN: Kind = Kind {
    rate: (30, 1),
    seconds: 12,
    video: "-c:v libx264 -preset veryfast -crf 20 -bf 0 -g 60 -keyint_min 60 -sc_threshold 0",
    audio: "-c:a aac -b:a 128k",
    sound: (1024, 48_000, 1),
    clock: 10.0,
};

/// Three pictures between those that they are made from.
pub(crate) const REORDERED: &str = "-c:v libx264 -preset veryfast -crf 20 -bf 3 -b_strategy 0 -g 60 \
     -keyint_min 60 -sc_threshold 0 -x264opts b-pyramid=normal";

/// No group but the first is closed.
pub(crate) const OPEN: &str = "-c:v libx264 -preset veryfast -crf 20 -bf 3 -g 60 -keyint_min 60 \
     -sc_threshold 0 -x264opts open-gop=1 -bsf:v dump_extra=freq=keyframe";

/// HEVC whose groups are open.
pub(crate) const TEN_BITS: &str = "-c:v libx265 -preset ultrafast -crf 20 -pix_fmt yuv420p10le \
     -x265-params log-level=none:bframes=3:keyint=60:min-keyint=60:scenecut=0:open-gop=1";

/// Each third picture is shown twice as long.
pub(crate) const UNEVEN: Kind = Kind {
    video: "-vf settb=1/90000,setpts=(N+floor(N/3))*3000 -fps_mode passthrough \
            -enc_time_base 1:90000 -c:v libx264 -preset veryfast -crf 20 -bf 2 -g 45 -keyint_min 45 \
            -sc_threshold 0",
    seconds: 9,
    sound: (1024, 44_100, 2),
    ..PLAIN
};

/// How many cuts of each kind of source are tried.
pub(crate) fn tries() -> u64 {
    let told = std::env::var("WUBLOADER_TEST_CUTS").ok();
    told.map_or(6, |told| told.parse().expect("WUBLOADER_TEST_CUTS is a number"))
}

/// The seeds of the cuts that are tried, by the first one.
pub(crate) fn seeds() -> std::ops::Range<u64> {
    let told = std::env::var("WUBLOADER_TEST_SEED").ok();
    let first = told.map_or(0, |told| told.parse().expect("WUBLOADER_TEST_SEED is a number"));
    first..first + tries()
}

/// Random ranges of `source`, the same for a seed.
pub(crate) fn ranges(source: &Source, seed: u64) -> Vec<TimeRange> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (length, count) = (source.seconds(), rng.random_range(1..=6));
    let one = |_| {
        let start = rng.random_range(0.0..length - 1.0);
        let end: f64 = start + rng.random_range(0.02..length / 2.0);
        range(start, end.min(length - 0.1))
    };
    (0..count).map(one).collect()
}

async fn every_cut_is_exact(source: &Source, holes: Holes) {
    let mut wrong = Vec::new();
    for seed in seeds() {
        let ranges = ranges(source, seed);
        let is_empty = ranges.iter().any(|range| source.stretches(*range).is_empty());
        let problems = match make(source, &ranges, holes).await {
            Err(error) if is_empty && error.contains("has no video from") => Vec::new(),
            Ok(made) => judge(source, &ranges, &made).await,
            Err(error) => vec![error],
        };
        if !problems.is_empty() {
            wrong.push(format!("seed {seed}, {ranges:?}: {problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), tries(), wrong.join("\n"));
}

async fn of(kind: Kind) {
    every_cut_is_exact(&Source::make(vec![kind]).await, Holes::Refuse).await;
}

#[tokio::test]
async fn of_h264() {
    of(PLAIN).await;
}

#[tokio::test]
async fn of_h264_that_is_reordered() {
    of(Kind { video: REORDERED, rate: (60, 1), ..PLAIN }).await;
}

#[tokio::test]
async fn of_h264_at_5994() {
    of(Kind { rate: (60_000, 1001), sound: (1024, 44_100, 2), ..PLAIN }).await;
}

#[tokio::test]
async fn of_h264_whose_clock_begins_anew() {
    // 2^33 ticks are 95443.7 s
    of(Kind { video: REORDERED, clock: 95_438.0, sound: (1024, 48_000, 6), ..PLAIN }).await;
}

#[tokio::test]
async fn of_h264_with_open_groups() {
    // longer than what is encoded at a time
    of(Kind { video: OPEN, seconds: 30, ..PLAIN }).await;
}

#[tokio::test]
async fn of_h264_in_segments_that_begin_anywhere() {
    let video =
        "-c:v libx264 -preset veryfast -crf 20 -bf 2 -g 200 -keyint_min 200 -sc_threshold 0";
    let audio = "-c:a aac -b:a 128k -hls_flags split_by_time";
    // decoding may have to begin three segments earlier
    of(Kind { video, audio, seconds: 20, ..PLAIN }).await;
}

#[tokio::test]
async fn of_hevc() {
    let video = "-c:v libx265 -preset ultrafast -crf 20 -x265-params \
                 log-level=none:bframes=2:keyint=60:min-keyint=60:scenecut=0:open-gop=0";
    of(Kind { video, ..PLAIN }).await;
}

#[tokio::test]
async fn of_hevc_with_open_groups_and_ten_bits() {
    of(Kind { video: TEN_BITS, ..PLAIN }).await;
}

#[tokio::test]
async fn of_sound_as_mp3() {
    let audio = "-c:a libmp3lame -b:a 128k";
    of(Kind { audio, sound: (1152, 44_100, 2), ..PLAIN }).await;
}

#[tokio::test]
async fn of_sound_as_ac3() {
    of(Kind { audio: "-c:a ac3 -b:a 256k", sound: (1536, 48_000, 2), ..PLAIN }).await;
}

#[tokio::test]
async fn over_holes() {
    let mut source = Source::make(vec![Kind { video: REORDERED, seconds: 16, ..PLAIN }]).await;
    source.lose(1);
    source.lose(4);
    source.lose(5);
    every_cut_is_exact(&source, Holes::Allow).await;
}

#[tokio::test]
async fn over_holes_in_open_groups() {
    let mut source = Source::make(vec![Kind { video: TEN_BITS, seconds: 16, ..PLAIN }]).await;
    source.lose(1);
    source.lose(5);
    every_cut_is_exact(&source, Holes::Allow).await;
}

#[tokio::test]
async fn over_an_encoder_that_starts_anew() {
    let first = Kind { seconds: 7, ..PLAIN };
    let second = Kind { seconds: 7, video: REORDERED, clock: 4000.0, ..PLAIN };
    every_cut_is_exact(&Source::make(vec![first, second]).await, Holes::Refuse).await;
}

#[tokio::test]
async fn of_pictures_that_are_shown_for_different_times() {
    of(UNEVEN).await;
}

#[tokio::test]
async fn a_change_of_format_is_refused_with_its_place() {
    let smaller = "-vf scale=160:88 -c:v libx264 -bf 0 -g 60 -keyint_min 60 -sc_threshold 0";
    let other_sound = Kind { audio: "-c:a aac -ar 44100", ..PLAIN };
    for second in [Kind { video: smaller, ..PLAIN }, other_sound] {
        let source = Source::make_unlike(vec![Kind { seconds: 4, ..PLAIN }, second]).await;
        let refused = make(&source, &[range(1.0, 8.0)], Holes::Refuse).await;
        let error = refused.err().expect("it is refused");
        assert!(error.starts_with("the format changes at about 2026-11-20T10:59:5"), "{error}");
        // each by itself can be cut
        for range in [range(0.5, 3.7), range(4.5, 9.0)] {
            let made = make(&source, &[range], Holes::Refuse).await.unwrap();
            assert!(made.report.is_sound(), "{:?}", made.report);
        }
    }
}

/// What a damaged segment costs is itself: the cut comes to an end, and what is far from it is as it was.
#[tokio::test]
async fn damage_costs_what_is_damaged() {
    for seed in seeds() {
        let mut source = Source::make(vec![Kind { video: REORDERED, seconds: 10, ..PLAIN }]).await;
        let mut rng = StdRng::seed_from_u64(seed);
        source.damage(2, &mut rng);
        let range = range(1.3, 8.4);
        match make(&source, &[range], Holes::Allow).await {
            Ok(made) => {
                let shown = numbers(&made.bytes).await;
                let has = |number: usize| shown.contains(&Some(number));
                assert!((39..110).all(has) && (190..252).all(has), "seed {seed}: {shown:?}");
            }
            // one that holds nothing of use
            Err(error) => assert!(error.contains("cannot be cut exactly"), "seed {seed}: {error}"),
        }
    }
}
