//! The same cuts made by smartcut, another program for this, if it is there:
//!
//!     WUBLOADER_SMARTCUT=smartcut cargo test -p common --test smart_cut beside -- --nocapture
//!
//! prints a table. It is given an MP4 file, into which ffmpeg has copied the segments.

use std::path::Path;
use std::time::Instant;

use chrono::TimeDelta;
use common::base::time::TimeRange;
use common::plan::cut::Holes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::cuts::{OPEN, PLAIN, REORDERED, TEN_BITS, UNEVEN, tries};
use super::media::{decoded_with_damage, ffmpeg, ran};
use super::oracle::{LEAST_PSNR, make, psnr};
use super::source::{Kind, PICTURE_BYTES, Source, number};

/// What was wrong with some cuts, and how long they took.
#[derive(Debug, Default)]
struct Tally {
    cuts: usize,
    failed: usize,
    pictures: usize,
    wrong_pictures: usize,
    bad_pictures: usize,
    seams: usize,
    wrong_seams: usize,
    seconds: f64,
}

impl Tally {
    fn count(&mut self, source: &Source, ranges: &[TimeRange], shown: &[u8]) {
        let stretches: Vec<_> = ranges.iter().flat_map(|range| source.stretches(*range)).collect();
        let expected: Vec<usize> = stretches.iter().cloned().flatten().collect();
        let pictures: Vec<&[u8]> = shown.chunks_exact(PICTURE_BYTES).collect();
        let numbers: Vec<Option<usize>> = pictures.iter().map(|picture| number(picture)).collect();
        let is_bad = |(picture, number): (&&[u8], &Option<usize>)| {
            number.is_some_and(|number| psnr(picture, source.picture(number)) < LEAST_PSNR)
        };
        let bad = pictures.iter().zip(&numbers).filter(|pair| is_bad(*pair)).count();
        self.pictures += expected.len();
        self.wrong_pictures += distance(&expected, &numbers);
        self.bad_pictures += bad;
        // the first picture, the last, and each pair where two stretches meet
        let follows = |pair: [Option<usize>; 2]| numbers.windows(2).any(|shown| *shown == pair);
        let joins = stretches.windows(2).map(|pair| [Some(pair[0].end - 1), Some(pair[1].start)]);
        self.seams += stretches.len() + 1;
        self.wrong_seams += joins.filter(|pair| !follows(*pair)).count();
        self.wrong_seams +=
            usize::from(numbers.first().copied().flatten() != expected.first().copied());
        self.wrong_seams +=
            usize::from(numbers.last().copied().flatten() != expected.last().copied());
    }

    fn row(&self, of: &str, by: &str) -> String {
        #[expect(clippy::cast_precision_loss, reason = "they are few")]
        let seconds = self.seconds / self.cuts.max(1) as f64;
        format!(
            "| {of} | {by} | {} of {} | {} of {} | {} | {} of {} | {seconds:.2} |",
            self.failed,
            self.cuts,
            self.wrong_pictures,
            self.pictures,
            self.bad_pictures,
            self.wrong_seams,
            self.seams
        )
    }
}

/// How many pictures have to be put in, left out or changed to make one of the other.
fn distance(expected: &[usize], shown: &[Option<usize>]) -> usize {
    let mut row: Vec<usize> = (0..=shown.len()).collect();
    for (index, wanted) in expected.iter().enumerate() {
        let mut before = row[0];
        row[0] = index + 1;
        for (place, found) in shown.iter().enumerate() {
            let changed = before + usize::from(*found != Some(*wanted));
            before = row[place + 1];
            row[place + 1] = changed.min(before + 1).min(row[place] + 1);
        }
    }
    row[shown.len()]
}

/// Random ranges that come in order and do not overlap, as it wants them. They begin and end half a millisecond before
/// pictures, so that it is the same for both which of these are meant.
fn ascending(source: &Source, seed: u64) -> Vec<TimeRange> {
    let mut rng = StdRng::seed_from_u64(seed);
    let count = 2 * rng.random_range(1..=3);
    let mut numbers: Vec<usize> =
        (0..count).map(|_| rng.random_range(1..source.times.len() - 8)).collect();
    numbers.sort_unstable();
    let time = |number: usize| source.times[number] - TimeDelta::microseconds(500);
    let range = |pair: &[usize]| TimeRange::new(time(pair[0]), time(pair[1] + 1)).unwrap();
    numbers.chunks(2).map(range).collect()
}

async fn of_ours(source: &Source, ranges: &[TimeRange], tally: &mut Tally) {
    tally.cuts += 1;
    let begun = Instant::now();
    let made = make(source, ranges, Holes::Refuse).await;
    tally.seconds += begun.elapsed().as_secs_f64();
    let Ok(made) = made else {
        tally.failed += 1;
        return;
    };
    let cut = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&cut, made.bytes).unwrap();
    tally.count(source, ranges, &decoded_with_damage(cut.path()).await);
}

async fn of_theirs(
    program: &str,
    source: &Source,
    ranges: &[TimeRange],
    input: &Path,
    tally: &mut Tally,
) {
    tally.cuts += 1;
    let output = input.with_file_name("out.mp4");
    // there is none yet when it is tried first
    let _ = std::fs::remove_file(&output);
    let keep: Vec<String> = ranges.iter().map(|range| source.in_file(*range)).collect();
    let (from, to, keep) = (input.display(), output.display(), keep.join(","));
    let arguments = format!("{from} {to} --keep {keep} --log-level fatal");
    let begun = Instant::now();
    let ended = ran(program, &arguments, Vec::new()).await;
    tally.seconds += begun.elapsed().as_secs_f64();
    if ended.status.success() && output.exists() {
        tally.count(source, ranges, &decoded_with_damage(&output).await);
    } else {
        tally.failed += 1;
    }
}

#[tokio::test]
async fn beside_smartcut() {
    let Ok(program) = std::env::var("WUBLOADER_SMARTCUT") else { return };
    println!(
        "| source | program | cuts that failed | pictures missing or out of place | pictures under 42 dB | seams wrong | seconds a cut |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let closed = "-c:v libx265 -preset ultrafast -crf 20 -x265-params \
                  log-level=none:bframes=2:keyint=60:min-keyint=60:scenecut=0:open-gop=0";
    for (name, kind) in [
        ("H.264 without reordering", PLAIN),
        (
            "H.264, 60/s, three B-pictures in a pyramid",
            Kind { video: REORDERED, rate: (60, 1), ..PLAIN },
        ),
        (
            "H.264, 59.94/s, AAC at 44.1 kHz",
            Kind { rate: (60_000, 1001), sound: (1024, 44_100, 2), ..PLAIN },
        ),
        ("H.264, open groups", Kind { video: OPEN, ..PLAIN }),
        ("H.264, shown unequally long", UNEVEN),
        ("HEVC", Kind { video: closed, ..PLAIN }),
        ("HEVC, open groups, 10 bit", Kind { video: TEN_BITS, ..PLAIN }),
    ] {
        let source = Source::make(vec![kind]).await;
        let (mut ours, mut theirs) = (Tally::default(), Tally::default());
        let folder = tempfile::tempdir().unwrap();
        let (input, whole) = (folder.path().join("in.mp4"), source.whole(0));
        ffmpeg(&format!("-i {} -c copy {}", whole.display(), input.display()), Vec::new()).await;
        for seed in 0..tries() {
            let ranges = ascending(&source, seed);
            of_ours(&source, &ranges, &mut ours).await;
            of_theirs(&program, &source, &ranges, &input, &mut theirs).await;
        }
        println!("{}", ours.row(name, "Wubloader"));
        println!("{}", theirs.row(name, "smartcut"));
    }
}
