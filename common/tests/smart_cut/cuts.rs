//! Cuts of every kind of source.

use common::base::time::TimeRange;
use common::plan::cut::Holes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::oracle::{judge, make};
use super::source::{Kind, Source};

const PLAIN: Kind = Kind {
    name: "h264",
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
    every_cut_is_exact(Kind { name: "h264-b", video, rate: (60, 1), ..PLAIN }).await;
}
