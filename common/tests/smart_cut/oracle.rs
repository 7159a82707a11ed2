//! What a cut must be, and whether it is.

use std::path::Path;

use common::base::time::TimeRange;
use common::cut::smart::{self, Encoders, Report, Timeline};
use common::io::ffmpeg::Ffmpeg;
use common::plan::cut::Holes;
use futures_util::TryStreamExt;

use super::source::{
    PICTURE_BYTES, SOUND_RATE, Source, decoded_pictures, decoded_sound, number, stamps,
};

/// The least signal-to-noise ratio of a picture that was encoded again, in dB.
const LEAST_PSNR: f64 = 42.0;

/// A cut that was made.
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    pub(crate) report: Report,
}

pub(crate) async fn make(
    source: &Source,
    ranges: &[TimeRange],
    holes: Holes,
) -> Result<Made, String> {
    let plan = common::cut::plan(&source.store, &source.feed, ranges, holes);
    let plan = plan.map_err(|error| error.to_string())?;
    let (stream, checked) = smart::stream(
        &source.store,
        &source.feed,
        plan,
        &Encoders::new(Ffmpeg::new("ffmpeg"), 2),
        Timeline::Continuous,
    );
    let blocks: Vec<_> = stream.try_collect().await.map_err(|error| {
        let mut text = error.to_string();
        let mut inner: &dyn std::error::Error = &error;
        while let Some(source) = inner.source() {
            text = format!("{text}: {source}");
            inner = source;
        }
        text
    })?;
    Ok(Made { bytes: blocks.concat(), report: checked.report().expect("it has ended") })
}

/// Checks a cut of `ranges` and tells what is wrong with it.
pub(crate) async fn judge(source: &Source, ranges: &[TimeRange], made: &Made) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.ts");
    std::fs::write(&path, &made.bytes).unwrap();
    let expected: Vec<usize> = ranges
        .iter()
        .flat_map(|range| {
            let (first, end) = (source.shown(range.start()), source.shown(range.end()));
            // the end of the last segment is the end of all
            let end = if range.end() > source.times[end] && end + 1 == source.times.len() {
                end + 1
            } else {
                end
            };
            first..end.max(first + 1)
        })
        .collect();
    let mut wrong = judge_pictures(source, &path, &expected, made).await;
    wrong.extend(judge_times(source, &path, &expected).await);
    wrong.extend(judge_sound(source, &path, ranges).await);
    if !made.report.is_sound() || made.report.pictures != expected.len() as u64 {
        wrong.push(format!("the report is {:?}, of {} pictures", made.report, expected.len()));
    }
    wrong
}

async fn judge_pictures(
    source: &Source,
    path: &Path,
    expected: &[usize],
    made: &Made,
) -> Vec<String> {
    let shown = decoded_pictures(path).await;
    let shown: Vec<&[u8]> = shown.chunks(PICTURE_BYTES).collect();
    let numbers: Vec<Option<usize>> = shown.iter().map(|picture| number(picture)).collect();
    let mut wrong = Vec::new();
    if numbers.iter().copied().collect::<Option<Vec<_>>>().as_deref() != Some(expected) {
        let first =
            numbers.iter().zip(expected).position(|(shown, wanted)| *shown != Some(*wanted));
        wrong.push(format!(
            "{} pictures, not {}; the first that is wrong is {first:?}: {:?}, not {:?}",
            numbers.len(),
            expected.len(),
            first.map(|first| &numbers[first.saturating_sub(2)..(first + 3).min(numbers.len())]),
            first.map(|first| &expected[first.saturating_sub(2)..(first + 3).min(expected.len())])
        ));
        return wrong;
    }
    let mut changed = 0;
    for (picture, number) in shown.iter().zip(expected) {
        let original = source.picture(*number);
        if *picture != original {
            changed += 1;
            let ratio = psnr(picture, original);
            if ratio < LEAST_PSNR {
                wrong.push(format!("picture {number} has {ratio:.1} dB"));
            }
        }
    }
    if changed > made.report.encoded {
        wrong.push(format!(
            "{changed} pictures are not as they were, but {} were encoded",
            made.report.encoded
        ));
    }
    wrong
}

fn psnr(one: &[u8], other: &[u8]) -> f64 {
    let squares = one.iter().zip(other).map(|(one, other)| f64::from(one.abs_diff(*other)).powi(2));
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    let error = squares.sum::<f64>() / one.len() as f64;
    10.0 * (255.0_f64.powi(2) / error).log10()
}

async fn judge_times(source: &Source, path: &Path, expected: &[usize]) -> Vec<String> {
    let mut wrong = Vec::new();
    let video = stamps(path, 'v').await;
    if let Some(pair) = video.windows(2).find(|pair| pair[1].1 <= pair[0].1) {
        wrong.push(format!("decode times are {pair:?}"));
    }
    if let Some(early) = video.iter().find(|(pts, dts)| pts < dts) {
        wrong.push(format!("{early:?} is shown before it is decoded"));
    }
    let mut shown: Vec<i64> = video.iter().map(|(pts, _)| *pts).collect();
    shown.sort_unstable();
    if shown.first() != Some(&0) {
        wrong.push(format!("the first picture is shown at {:?}", shown.first()));
    }
    // each as long as it was, and the last of a range as long as the others
    let lasts = |number: usize| {
        let next = (number + 1).min(source.times.len() - 1);
        let micros = (source.times[next] - source.times[next - 1]).num_microseconds().unwrap();
        micros * 9 / 100
    };
    for (pair, number) in shown.windows(2).zip(expected) {
        if (pair[1] - pair[0]).abs_diff(lasts(*number)) > 2 {
            wrong.push(format!(
                "picture {number} is shown for {} ticks, not {}",
                pair[1] - pair[0],
                lasts(*number)
            ));
        }
    }
    let sound = stamps(path, 'a').await;
    let (samples, rate, _) = source.kind.sound;
    let frame = i64::from(samples) * 90_000 / i64::from(rate);
    let mut packets = sound.windows(2);
    // one may have several frames
    if let Some(pair) = packets.find(|pair| (pair[1].0 - pair[0].0 + 2) % frame > 4) {
        wrong.push(format!("sound is heard at {pair:?}"));
    }
    wrong
}

/// Compares what is heard with what was heard then, piece by piece.
async fn judge_sound(source: &Source, path: &Path, ranges: &[TimeRange]) -> Vec<String> {
    const PIECE: usize = SOUND_RATE / 20;
    let heard = decoded_sound(path).await;
    let samples = |micros: i64| usize::try_from(micros.max(0)).unwrap() * SOUND_RATE / 1_000_000;
    let mut wrong = Vec::new();
    let (frame, rate, _) = source.kind.sound;
    let half = usize::try_from(frame).unwrap() * SOUND_RATE / usize::try_from(rate).unwrap() / 2;
    let mut at = 0_i64;
    for range in ranges {
        let first = source.shown(range.start());
        let count = source.shown(range.end()).saturating_sub(first).max(1);
        let origin =
            (source.times[first] - source.times[0]).num_microseconds().unwrap() + source.lead;
        let lasts = (source.times[first + count] - source.times[first]).num_microseconds().unwrap();
        let mut within = 0;
        while within + 50_000 <= lasts {
            let (there, here) = (samples(origin + within), samples(at + within));
            // not where a frame of another range may be heard
            let is_inner = within >= 30_000 && within + 80_000 <= lasts;
            if is_inner && let Some(piece) = heard.get(here..here + PIECE) {
                match lag(piece, &source.sound, there, 4 * half) {
                    Some(lag) if lag.unsigned_abs() <= half + 6 => {}
                    other => wrong.push(format!("at {} us sound is off by {other:?}", at + within)),
                }
            } else if is_inner {
                wrong.push(format!("at {} us there is no sound", at + within));
            }
            within += 50_000;
        }
        at += lasts;
    }
    let lasts = samples(at);
    if heard.len().abs_diff(lasts) > SOUND_RATE / 40 {
        wrong.push(format!("sound has {} samples, not {lasts}", heard.len()));
    }
    wrong
}

/// How much later `piece` is heard than `there` in `all`; `None` where it is nowhere near.
fn lag(piece: &[i16], all: &[i16], there: usize, most: usize) -> Option<isize> {
    let energy =
        |samples: &[i16]| samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
    let mut best: Option<(f64, usize)> = None;
    for start in there.saturating_sub(most)..=there + most {
        let Some(other) = all.get(start..start + piece.len()) else { continue };
        let product: f64 =
            piece.iter().zip(other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let likeness = product / (energy(piece) * energy(other)).sqrt().max(1.0);
        if best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, start));
        }
    }
    let (_, start) = best.filter(|(likeness, _)| *likeness > 0.7)?;
    Some(start.cast_signed() - there.cast_signed())
}
