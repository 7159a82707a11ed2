//! What a cut must be, and whether it is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use common::base::time::TimeRange;
use common::cut::smart::{self, Encoders, Report, Timeline};
use common::format::codec::nal::{AnnexB, Kind, Syntax};
use common::format::mpegts::{Packets, PesPackets, Tables};
use common::io::ffmpeg::Ffmpeg;
use common::plan::cut::Holes;
use futures_util::TryStreamExt;

use super::media::{decoded_pictures, decoded_sound, decoded_with_damage, ffmpeg, stamps};
use super::source::{PICTURE_BYTES, SOUND_RATE, Source, number};

/// The least signal-to-noise ratio of a picture that was encoded again, in dB.
pub(crate) const LEAST_PSNR: f64 = 42.0;

/// How many ticks the distance of two frames of sound may be off: their stamps, that of the frame whose distance to its place
/// all of a stretch keep, and that place are rounded by half a tick each, and the length of a frame by less than one.
const ROUNDED: i64 = 3;

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
    let stretches: Vec<Range<usize>> =
        ranges.iter().flat_map(|range| source.stretches(*range)).collect();
    let expected: Vec<usize> = stretches.iter().cloned().flatten().collect();
    let shown = decoded_pictures(&path).await;
    let mut wrong = judge_pictures(source, &shown, &expected, made);
    wrong.extend(judge_copies(&path, &shown, source.is_even()).await);
    wrong.extend(judge_sets(source, made));
    wrong.extend(judge_times(source, &path, &expected).await);
    wrong.extend(judge_sound(source, &path, &stretches).await);
    if !made.report.is_sound() || made.report.pictures != expected.len() as u64 {
        wrong.push(format!("the report is {:?}, of {} pictures", made.report, expected.len()));
    }
    wrong
}

/// The number of each picture of a cut that may be damaged, as far as it can be read.
pub(crate) async fn numbers(bytes: &[u8]) -> Vec<Option<usize>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.ts");
    std::fs::write(&path, bytes).unwrap();
    let shown = decoded_with_damage(&path).await;
    shown.chunks_exact(PICTURE_BYTES).map(number).collect()
}

/// Whether another container shows the same, and the first one again.
async fn judge_copies(path: &Path, shown: &[u8], is_even: bool) -> Vec<String> {
    let (mp4, back) = (path.with_extension("mp4"), path.with_extension("back.ts"));
    let mut wrong = Vec::new();
    for (from, to) in [(path, &mp4), (&mp4, &back)] {
        ffmpeg(&format!("-i {} -c copy {}", from.display(), to.display()), Vec::new()).await;
        let copied = decoded_pictures(to).await;
        // ffmpeg gives the last sample of an MP4 file the length of the one before it, and loses the last picture if that
        // is shown later, of any stream whose pictures are not shown equally long
        let is_last_lost = !is_even && copied.len() + PICTURE_BYTES == shown.len();
        if copied != shown && !(is_last_lost && shown.starts_with(&copied)) {
            wrong.push(format!("{} shows something else", to.display()));
        }
    }
    wrong
}

/// Whether an id of a parameter set always means the same one, as it must for those that keep one of each.
fn judge_sets(source: &Source, made: &Made) -> Option<String> {
    let tables = Tables::find(&mut Packets::new(&made.bytes)).unwrap();
    let program = tables.program();
    let video = program.streams().find(|stream| stream.codec().is_video()).unwrap();
    let syntax = Syntax::of(video.codec()).unwrap();
    let mut sets: BTreeMap<(bool, u32), Vec<u8>> = BTreeMap::new();
    let mut units = PesPackets::new(Packets::new(&made.bytes), video.pid, usize::MAX);
    let mut wrong = 0;
    while let Some(part) = units.advance() {
        for unit in AnnexB::new(part.payload) {
            let id = match syntax.kind(unit) {
                Some(Kind::Sps) => (true, syntax.sps_id(unit).unwrap()),
                Some(Kind::Pps) => (false, syntax.pps_ids(unit).unwrap().0),
                _ => continue,
            };
            wrong += usize::from(*sets.entry(id).or_insert_with(|| unit.to_vec()) != unit);
        }
    }
    // an encoder that starts anew may give the same id to another
    let is_wrong = wrong > 0 && source.parts.len() == 1;
    is_wrong.then(|| format!("{wrong} parameter sets have the id of another one"))
}

fn judge_pictures(source: &Source, shown: &[u8], expected: &[usize], made: &Made) -> Vec<String> {
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

pub(crate) fn psnr(one: &[u8], other: &[u8]) -> f64 {
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
    // each as long as it was
    let lasts = |number: usize| source.lasts(number..number + 1) * 9 / 100;
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
    let (samples, rate, _) = source.parts[0].kind.sound;
    let frame = i64::from(samples) * 90_000 / i64::from(rate);
    let mut packets = sound.windows(2);
    // one may have several frames
    if let Some(pair) = packets.find(|pair| {
        pair[1].0 - pair[0].0 < frame - ROUNDED
            || (pair[1].0 - pair[0].0 + ROUNDED) % frame > 2 * ROUNDED
    }) {
        wrong.push(format!("sound is heard at {pair:?}"));
    }
    wrong
}

/// Compares what is heard with what was heard then, piece by piece.
async fn judge_sound(source: &Source, path: &Path, stretches: &[Range<usize>]) -> Vec<String> {
    const PIECE: usize = SOUND_RATE / 20;
    const STEP_MICROS: i64 = 130_000;
    let heard = decoded_sound(path).await;
    let samples = |micros: i64| usize::try_from(micros.max(0)).unwrap() * SOUND_RATE / 1_000_000;
    let mut wrong = Vec::new();
    let (frame, rate, _) = source.parts[0].kind.sound;
    let half = usize::try_from(frame).unwrap() * SOUND_RATE / usize::try_from(rate).unwrap() / 2;
    let mut at = 0_i64;
    for stretch in stretches {
        let part = source.part_of(stretch.start);
        let origin = source.lasts(part.first..stretch.start) + part.lead;
        let lasts = source.lasts(stretch.clone());
        // not where a frame of another stretch may be heard, or where it is missing with what was lost
        // (of MP3, a frame may need bytes of those before it, so that the first is not heard)
        let begins = match part.kind.sound.0 {
            _ if source.is_lost_before(stretch.start) => 200_000,
            1152 => 90_000,
            _ => 30_000,
        };
        let ends = if source.is_lost_from(stretch.end) { 250_000 } else { 80_000 };
        for within in (begins..lasts - ends).step_by(STEP_MICROS.try_into().unwrap()) {
            let (there, here) = (samples(origin + within), samples(at + within));
            let found = heard.get(here..here + PIECE);
            match found.and_then(|piece| lag(piece, &part.sound, there, 2 * half)) {
                Some(lag) if lag.unsigned_abs() <= half + 6 => {}
                other => wrong.push(format!("at {} us sound is off by {other:?}", at + within)),
            }
        }
        at += lasts;
    }
    wrong.truncate(5);
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
