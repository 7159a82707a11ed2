//! Cuts of every kind of source.

use common::base::time::TimeRange;
use common::plan::cut::Holes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::oracle::{judge, make};
use super::source::{Kind, Source};

const PLAIN: Kind = Kind {
    rate: (30, 1),
    seconds: 12,
    video: "-c:v libx264 -preset veryfast -crf 20 -bf 0 -g 60 -keyint_min 60 -sc_threshold 0",
    audio: "-c:a aac -b:a 128k",
    sound: (1024, 48_000, 1),
    clock: 10.0,
};

/// How many cuts of each kind of source are tried.
fn tries() -> usize {
    let told = std::env::var("WUBLOADER_TEST_CUTS").ok();
    told.map_or(12, |told| told.parse().expect("WUBLOADER_TEST_CUTS is a number"))
}

async fn every_cut_is_exact(kind: Kind) {
    let source = Source::make(kind).await;
    let length = f64::from(source.kind.seconds);
    let mut wrong = Vec::new();
    for seed in 0..tries() {
        let mut rng = StdRng::seed_from_u64(seed as u64);
        let ranges: Vec<TimeRange> = (0..rng.random_range(1..=4))
            .map(|_| {
                let start = rng.random_range(0.0..length - 1.0);
                let end = (start + rng.random_range(0.02..6.0)).min(length - 0.3);
                source.range(start.min(end - 0.02), end)
            })
            .collect();
        match make(&source, &ranges, Holes::Refuse).await {
            Ok(made) => {
                let judged = judge(&source, &ranges, &made).await;
                if !judged.is_empty() {
                    wrong.push(format!("seed {seed}, {ranges:?}: {judged:#?}"));
                }
            }
            Err(error) => wrong.push(format!("seed {seed}, {ranges:?}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), tries(), wrong.join("\n"));
}

#[tokio::test]
async fn of_h264() {
    every_cut_is_exact(PLAIN).await;
}

#[tokio::test]
async fn of_h264_that_is_reordered() {
    let video = "-c:v libx264 -preset veryfast -crf 20 -bf 3 -b_strategy 0 -g 60 -keyint_min 60 -sc_threshold 0 \
                 -x264opts b-pyramid=normal";
    every_cut_is_exact(Kind { video, rate: (60, 1), ..PLAIN }).await;
}

#[tokio::test]
async fn of_h264_at_5994() {
    every_cut_is_exact(Kind { rate: (60_000, 1001), sound: (1024, 44_100, 2), ..PLAIN }).await;
}

#[tokio::test]
async fn of_h264_whose_clock_begins_anew() {
    // 2^33 ticks are 95443.7 s
    let video = "-c:v libx264 -preset veryfast -crf 20 -bf 2 -g 60 -keyint_min 60 -sc_threshold 0";
    every_cut_is_exact(Kind { video, clock: 95_438.0, sound: (1024, 48_000, 6), ..PLAIN }).await;
}

#[tokio::test]
async fn of_h264_with_open_groups() {
    let video = "-c:v libx264 -preset veryfast -crf 20 -bf 3 -g 60 -keyint_min 60 -sc_threshold 0 -x264opts open-gop=1 -bsf:v dump_extra=freq=keyframe";
    every_cut_is_exact(Kind { video, ..PLAIN }).await;
}

#[tokio::test]
async fn of_hevc() {
    let video = "-c:v libx265 -preset ultrafast -crf 20 -x265-params log-level=none:bframes=2:keyint=60:min-keyint=60:scenecut=0:open-gop=0";
    every_cut_is_exact(Kind { video, ..PLAIN }).await;
}

#[tokio::test]
async fn of_hevc_with_open_groups_and_ten_bits() {
    let video = "-c:v libx265 -preset ultrafast -crf 20 -pix_fmt yuv420p10le -x265-params log-level=none:bframes=3:keyint=60:min-keyint=60:scenecut=0:open-gop=1";
    every_cut_is_exact(Kind { video, ..PLAIN }).await;
}

#[tokio::test]
async fn of_sound_as_mp3() {
    every_cut_is_exact(Kind {
        audio: "-c:a libmp3lame -b:a 128k",
        sound: (1152, 44_100, 2),
        ..PLAIN
    })
    .await;
}

#[tokio::test]
async fn of_sound_as_ac3() {
    every_cut_is_exact(Kind { audio: "-c:a ac3 -b:a 256k", sound: (1536, 48_000, 2), ..PLAIN })
        .await;
}
