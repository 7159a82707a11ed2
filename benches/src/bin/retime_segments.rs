//! Moving transport streams on their clock, memory to memory, against copying them and against reading them.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::figures::{Figures, Row, Unit};
use benches::media::{stretched, sum};
use common::format::mpegts::{Oddities, Retimer, Shift, Shifts};

/// Ten minutes at 6.4 Mbit/s.
const BYTES: usize = 478_000_000 / 188 * 188;
/// About what a segment holds.
const SEGMENT: usize = 1_600_000 / 188 * 188;
/// Where ffmpeg puts the sound.
const SOUND_PID: u16 = 0x101;
const ROUNDS: usize = 11;

fn main() -> Result<()> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/testdata/media/h264-aac.ts");
    let sample = std::fs::read(&sample).with_context(|| sample.display().to_string())?;
    for (kind, segment) in [
        ("478 MB of MPEG-TS at 6.4 Mbit/s", stretched(&sample)),
        ("478 MB of MPEG-TS, a picture in every 5 packets", sample),
    ] {
        let stream: Vec<u8> = segment.iter().copied().cycle().take(BYTES).collect();
        rows(kind, stream)?;
    }
    Ok(())
}

fn rows(kind: &str, mut stream: Vec<u8>) -> Result<()> {
    let mut copy = stream.clone();
    let mut times = [(); 4].map(|()| Vec::new());
    let mut measure = |index: usize, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        times[index].push(begun.elapsed());
    };
    let (mut oddities, mut latest) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let mut retimer = Retimer::default();
        // as a cut does it: the sound apart, and told when each picture is shown
        let shifts = Shifts { all: Shift::by(90_000), apart: vec![(SOUND_PID, Shift::by(90_100))] };
        measure(0, &mut || {
            for segment in stream.chunks_mut(SEGMENT) {
                oddities
                    .push(retimer.retime(segment, &shifts, |moved| latest = latest.max(moved.pts)));
            }
        });
        measure(1, &mut || {
            for (from, to) in stream.chunks(SEGMENT).zip(copy.chunks_mut(SEGMENT)) {
                to.copy_from_slice(from);
                oddities.push(retimer.retime(to, &shifts, |moved| latest = latest.max(moved.pts)));
            }
        });
        measure(2, &mut || copy.copy_from_slice(black_box(&stream)));
        measure(3, &mut || {
            black_box(sum(&stream));
        });
    }
    black_box(latest);
    ensure!(oddities.iter().all(|found| *found == Oddities::default()), "the stream is odd");
    let [place, copied, copying, reading] =
        times.map(|times: Vec<Duration>| Figures::of_times(times));
    let target = "≤ 119 ms (4 GB/s)";
    for (work, figures, limit) in [
        (format!("retime {kind}, in place"), place, ("reading every word", reading)),
        (format!("retime {kind}, into a copy"), copied, ("copying", copying)),
    ] {
        let row = Row { work: &work, figures, unit: Unit::Nanoseconds, limit: Some(limit), target };
        println!("{row}");
    }
    Ok(())
}
