//! Examining the bytes of segments as a downloader does, against reading them once.
//!
//! With playlists as arguments, tells instead what each of their segments promises and holds.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::figures::{Figures, Row, Unit};
use benches::media::{stretched, sum};
use common::format::hls::MediaPlaylist;
use common::format::media::examiner::{Examination, Examiner, Extent, Finding, shortfall};
use common::format::segment::MediaDuration;

fn main() -> Result<()> {
    let playlists: Vec<_> = std::env::args_os().skip(1).collect();
    if playlists.is_empty() {
        return measure();
    }
    playlists.iter().try_for_each(|playlist| compare(Path::new(playlist)))
}

/// About what 2.5 s hold at 6.4 Mbit/s.
const BYTES: usize = 2_000_000;
/// As large as the pieces that a body comes in.
const PIECE: usize = 16 << 10;
const ROUNDS: usize = 501;

fn measure() -> Result<()> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/testdata/media");
    let read = |name: &str| std::fs::read(samples.join(name)).with_context(|| name.to_owned());
    let dense = read("h264-aac.ts")?;
    let sparse = stretched(&dense);
    for (work, bytes) in [
        ("examine 2 MB of MPEG-TS at 6.4 Mbit/s", repeated(&sparse)),
        ("examine 2 MB of MPEG-TS, a picture in every 5 packets", repeated(&dense)),
        ("examine 2 MB of fragmented MP4 at 6.4 Mbit/s", fragmented(&read("h264-aac.mp4")?)?),
    ] {
        row(work, &bytes);
    }
    Ok(())
}

/// `segment`, again and again.
fn repeated(segment: &[u8]) -> Vec<u8> {
    segment.iter().copied().cycle().take(BYTES.next_multiple_of(188)).collect()
}

/// A segment of fragmented MP4 whose media is longer than it says.
fn fragmented(segment: &[u8]) -> Result<Vec<u8>> {
    let mdat = segment.windows(4).position(|kind| kind == b"mdat").context("no media")?;
    let mut all = segment[..mdat - 4].to_vec();
    all.extend(u32::try_from(BYTES)?.to_be_bytes());
    all.extend(b"mdat");
    all.resize(all.len() + BYTES - 8, 0xa5);
    Ok(all)
}

fn row(work: &str, bytes: &[u8]) {
    let mut times = [(); 2].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        black_box(examine(&[], bytes));
        times[0].push(begun.elapsed());
        let begun = Instant::now();
        black_box(sum(bytes));
        times[1].push(begun.elapsed());
    }
    let [figures, limit] = times.map(|times: Vec<Duration>| Figures::of_times(times));
    let limit = Some(("reading every word", limit));
    let row = Row { work, figures, unit: Unit::Nanoseconds, limit, target: "≤ 400 µs" };
    println!("{row}");
}

fn examine(init: &[u8], bytes: &[u8]) -> Examination {
    let mut examiner = Examiner::after(init);
    bytes.chunks(PIECE).for_each(|piece| examiner.feed(piece));
    examiner.finish()
}

/// Prints promise and find of each segment that `playlist` lists, and the least cut that is noticed.
fn compare(playlist: &Path) -> Result<()> {
    let name = || playlist.display().to_string();
    let folder = playlist.parent().unwrap_or(Path::new(""));
    let text = std::fs::read(playlist).with_context(name)?;
    let list = MediaPlaylist::parse(&text).with_context(name)?;
    for segment in list.segments {
        let init = segment.map.as_ref().map(|map| std::fs::read(folder.join(&map.uri)));
        let init = init.transpose()?.unwrap_or_default();
        let bytes = std::fs::read(folder.join(&segment.uri)).with_context(name)?;
        let promised = segment.duration.and_then(MediaDuration::from_seconds);
        let promised = promised.context("a segment promises nothing")?;
        let whole = examine(&init, &bytes);
        let is_short = |examination: &Examination| {
            let time = examination.media_time.as_ref();
            time.and_then(|time| shortfall(time, promised, list.version))
        };
        let short = is_short(&whole).map(|short| short.to_string()).unwrap_or_default();
        // whole packets are cut off, so that in a transport stream nothing else tells
        let is_noticed = |packets: &usize| {
            let cut = examine(&init, &bytes[..packets * 188]);
            cut.finding != Finding::Sound || is_short(&cut).is_some()
        };
        let noticed = (0..bytes.len() / 188).rev().find(is_noticed);
        let format = whole.format.map(|format| format.to_string()).unwrap_or_default();
        let [video, audio] = whole.media_time.map_or([None; 2], |time| [time.video, time.audio]);
        let (video, audio) = (seconds(video), seconds(audio));
        let noticed = noticed.map_or(0, |packets| packets * 188 * 100 / bytes.len());
        ensure!(bytes.len() < usize::MAX / 100, "{} is too large", segment.uri);
        println!(
            "{:<24} {:>8.3} {video:>8} {audio:>8} {noticed:>3} % {:?} {format} {short}",
            segment.uri,
            promised.seconds(),
            whole.finding,
        );
    }
    Ok(())
}

fn seconds(extent: Option<Extent>) -> String {
    let seconds = |extent: Extent| {
        let doubt = if extent.doubt.is_zero() { "" } else { "+" };
        format!("{:.3}{doubt}", extent.length.as_secs_f64())
    };
    extent.map_or_else(|| "-".to_owned(), seconds)
}
