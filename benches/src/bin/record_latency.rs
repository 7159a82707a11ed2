//! How soon a segment is on the disk: from the moment when the origin first lists it until it has its
//! final name; and whether the playlist is loaded more often than it may be.
//!
//! Three origins at once, each with a downloader of its own and ten channels whose phases differ: one lists
//! on time, one too early or too late by up to a tenth of a second, and one also lets requests wait.
//!
//!     record_latency target/release/downloader [SEGMENTS]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, ensure};
use benches::figures::{Figures, Row, Unit};
use benches::live::material::{Material, SEGMENT};
use benches::live::origin::{Load, Origin};
use benches::live::recorded;
use benches::live::recorders::Recorder;
use chrono::TimeDelta;
use common::base::time::{Clock, SystemClock, Timestamp};

const CHANNELS: usize = 10;

/// How long a downloader may take until it records, in segments.
const WARM_UP: u32 = 8;

/// What the origins say (EXT-X-TARGETDURATION).
const TARGET_DURATION: TimeDelta = TimeDelta::seconds(2);

/// Requests are timed when they come, not when they were sent: how much that may shorten the time
/// between two of them.
const UNDER_WAY: TimeDelta = TimeDelta::milliseconds(20);

/// A way to publish.
struct Manner {
    name: &'static str,
    jitter: TimeDelta,
    can_block: bool,
    targets: [&'static str; 2],
}

const MANNERS: [Manner; 3] = [
    Manner {
        name: "on time",
        jitter: TimeDelta::zero(),
        can_block: false,
        targets: ["median ≤ 500 ms", "≤ 1.5 s"],
    },
    Manner {
        name: "± 100 ms",
        jitter: TimeDelta::milliseconds(100),
        can_block: false,
        targets: ["median ≤ 500 ms", "≤ 1.5 s"],
    },
    Manner {
        name: "± 100 ms, blocking reload",
        jitter: TimeDelta::milliseconds(100),
        can_block: true,
        targets: ["median ≤ 100 ms", ""],
    },
];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program = fs::canonicalize(arguments.next().context("give the downloader's path")?)?;
    let segments: u32 = arguments.next().map_or(Ok(150), |segments| segments.parse())?;
    let folder = benches::scratch("record-latency")?;
    let material = Arc::new(Material::ready()?);
    let mut running = Vec::new();
    for (number, manner) in MANNERS.iter().enumerate() {
        let Manner { jitter, can_block, .. } = *manner;
        let origin = Origin::start(Arc::clone(&material), CHANNELS, jitter, can_block)?;
        let folder = folder.path().join(number.to_string());
        let recorder = Recorder::downloader(&program, &origin, 0..CHANNELS, &folder)?;
        running.push((manner, origin, recorder));
    }
    thread::sleep(SEGMENT * WARM_UP);
    let from = SystemClock.now();
    thread::sleep(SEGMENT * segments);
    let until = SystemClock.now();
    // what was listed last may still be on its way
    thread::sleep(3 * SEGMENT);
    for (manner, origin, mut recorder) in running {
        recorder.stop()?;
        let measured = measure(&origin, &recorder.store(), from, until)?;
        report(manner, &measured);
    }
    Ok(())
}

/// What was measured of all channels of an origin.
struct Measured {
    /// From listed to visible, in nanoseconds.
    delays: Vec<f64>,
    /// Playlist requests for each segment, of each channel.
    requests: Vec<f64>,
    too_early: u32,
    lost: u32,
}

fn measure(origin: &Origin, base: &Path, from: Timestamp, until: Timestamp) -> Result<Measured> {
    let (mut delays, mut requests, mut too_early, mut lost) = (Vec::new(), Vec::new(), 0, 0);
    for channel in 0..CHANNELS {
        let stored = recorded::stored(base, channel)?;
        let numbers = recorded::listed(origin, channel, from, until)?;
        let segments = u32::try_from(numbers.clone().count())?;
        for number in numbers {
            let Some(stored) = stored.get(&origin.schedule().start(channel, number)) else {
                lost += 1;
                continue;
            };
            let delay = stored.visible - origin.schedule().listed(channel, number);
            delays.push(delay.as_seconds_f64() * 1e9);
        }
        let mut loads = origin.loads(channel);
        too_early += count_too_early(&loads, from, until);
        loads.retain(|load| (from..until).contains(&load.came));
        requests.push(f64::from(u32::try_from(loads.len())?) / f64::from(segments));
    }
    ensure!(!delays.is_empty(), "nothing is stored");
    Ok(Measured { delays, requests, too_early, lost })
}

/// How many requests came sooner after the one before than RFC 8216 §6.3.4 allows: a target duration
/// after one that brought news, half of it after any other. One that waits for a segment newer than the
/// last that it was told of may come at once (RFC 8216bis §6.2.5.2).
fn count_too_early(loads: &[Load], from: Timestamp, until: Timestamp) -> u32 {
    let mut too_early = 0;
    let mut known = None;
    let mut last: Option<(Timestamp, bool)> = None;
    for load in loads {
        let is_measured = (from..until).contains(&load.came);
        if let Some((came, was_news)) = last
            && is_measured
            && load.blocking.is_none_or(|asked| known.is_some_and(|known| asked <= known))
        {
            let allowed = if was_news { TARGET_DURATION } else { TARGET_DURATION / 2 };
            too_early += u32::from(load.came - came < allowed - UNDER_WAY);
        }
        last = Some((load.came, known != Some(load.newest)));
        known = Some(load.newest);
    }
    too_early
}

fn report(manner: &Manner, measured: &Measured) {
    let row = |what, figures, unit, target| {
        let work = format!("2 s segments published {}: {what}", manner.name);
        println!("{}", Row { work: &work, figures, unit, limit: None, target });
    };
    let delays = || measured.delays.iter().copied();
    row("until visible on disk", Figures::of(delays()), Unit::Nanoseconds, manner.targets[0]);
    let most = Figures::percentile(delays(), 99);
    row("until visible, 99th percentile", most, Unit::Nanoseconds, manner.targets[1]);
    let requests = Figures::of(measured.requests.iter().copied());
    row("playlist requests for a segment", requests, Unit::Count, "");
    let early = Figures::of([measured.too_early.into()]);
    row("requests earlier than RFC 8216 §6.3.4 allows", early, Unit::Count, "0");
    row("segments lost", Figures::of([measured.lost.into()]), Unit::Count, "0");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads(list: &[(i64, u64, Option<u64>)]) -> Vec<Load> {
        let load = |&(millis, newest, blocking): &(i64, u64, Option<u64>)| Load {
            came: Timestamp::from_micros(millis * 1000),
            blocking,
            newest,
        };
        list.iter().map(load).collect()
    }

    fn too_early(list: &[(i64, u64, Option<u64>)]) -> u32 {
        count_too_early(&loads(list), Timestamp::from_micros(1), Timestamp::MAX)
    }

    #[test]
    fn after_news_a_target_duration_and_else_half_of_it() {
        assert_eq!(too_early(&[(0, 5, None), (1995, 6, None), (3995, 6, None)]), 0);
        assert_eq!(too_early(&[(0, 5, None), (1900, 6, None)]), 1);
        assert_eq!(too_early(&[(0, 5, None), (2000, 5, None), (3000, 6, None)]), 0);
        assert_eq!(too_early(&[(0, 5, None), (2000, 5, None), (2900, 6, None)]), 1);
    }

    #[test]
    fn requests_that_wait_may_come_at_once_and_others_not() {
        assert_eq!(too_early(&[(0, 5, None), (10, 6, Some(6)), (1990, 7, Some(7))]), 0);
        assert_eq!(too_early(&[(0, 5, None), (10, 6, Some(6)), (1990, 6, None)]), 0);
        assert_eq!(too_early(&[(0, 5, None), (10, 6, Some(6)), (900, 6, None)]), 1);
        assert_eq!(too_early(&[(0, 5, None), (10, 5, Some(5))]), 1, "it was told of that one");
    }

    #[test]
    fn what_came_outside_the_span_does_not_count() {
        let loads = loads(&[(0, 5, None), (100, 5, None), (200, 5, None)]);
        let at = |millis: i64| Timestamp::from_micros(millis * 1000);
        assert_eq!(count_too_early(&loads, at(150), at(250)), 1);
    }
}
