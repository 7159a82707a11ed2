//! The frame rate that time stamps show.

/// Of longer gaps it is not known how many frames they stand for, since the median is rounded as well.
const MOST_MULTIPLES: u64 = 8;

/// Frames in a second, from how long each lasts in ticks, of which a second has `scale`; `None` if none
/// has a duration.
///
/// Most last as long as the median or, where frames were dropped, as a few of it. What is not near a
/// multiple does not count, such as a last frame that is held. The mean, and not the median itself, is
/// taken, since time stamps are rounded. It stands for the nearest integer n, or n · 1000/1001, if that
/// rounding can account for the difference.
pub(super) fn from_durations(mut durations: Vec<u64>, scale: u32) -> Option<f64> {
    durations.retain(|duration| *duration > 0);
    durations.sort_unstable();
    let median = *durations.get(durations.len() / 2)?;
    let near = near(median, scale);
    let (mut frames, mut ticks, mut furthest) = (0, 0.0, 0);
    for duration in durations {
        let (count, distance) = multiple(duration, median);
        if (1..=MOST_MULTIPLES).contains(&count) && distance <= near {
            frames += count;
            ticks += float(duration);
            furthest = furthest.max(distance);
        }
    }
    let rate = f64::from(scale) * float(frames) / ticks;
    Some(usual_rate(rate, rate * float(furthest + 1) / ticks))
}

/// How far from a multiple of the median a duration may be: an eighth of the median, or a millisecond,
/// the coarsest unit that time stamps are rounded to.
fn near(median: u64, scale: u32) -> u64 {
    (median / 8).max(scale.div_ceil(1000).into())
}

/// Which multiple of `median` is nearest to `duration`, and how far that is.
const fn multiple(duration: u64, median: u64) -> (u64, u64) {
    let (count, above) = (duration / median, duration % median);
    let below = median - above;
    if above <= below { (count, above) } else { (count + 1, below) }
}

/// Of the rates in use the one that is nearest to `rate`, or `rate` if none is within `tolerance`.
fn usual_rate(rate: f64, tolerance: f64) -> f64 {
    const NTSC: f64 = 1000.0 / 1001.0;
    let whole = rate.round();
    let ntsc = (rate / NTSC).round() * NTSC;
    let nearest = if (rate - whole).abs() <= (rate - ntsc).abs() { whole } else { ntsc };
    let fits = nearest > 0.0 && (rate - nearest).abs() <= tolerance;
    if fits { nearest } else { rate }
}

#[expect(clippy::cast_precision_loss, reason = "a duration of 2⁵³ ticks needs no last digit")]
const fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(durations: &[u64], scale: u32) -> String {
        from_durations(durations.to_vec(), scale)
            .map_or_else(String::new, |rate| format!("{rate:.3}"))
    }

    #[test]
    fn rates_in_use_are_told_apart_in_spite_of_rounding() {
        assert_eq!(rate(&[3000; 10], 90_000), "30.000");
        assert_eq!(rate(&[3003; 10], 90_000), "29.970");
        assert_eq!(rate(&[1501, 1502, 1501, 1502, 1501], 90_000), "59.940");
        assert_eq!(rate(&[1500], 90_000), "60.000");
        // whole milliseconds, as streams have that came by RTMP
        assert_eq!(rate(&[17, 16, 17].repeat(20), 1000), "60.000");
        assert_eq!(rate(&[1530, 1440, 1530].repeat(20), 90_000), "60.000");
        // no rate in use
        assert_eq!(rate(&[7200; 9], 90_000), "12.500");
    }

    /// In ticks, of which a second has `scale`: `count` frames of `units`/`rate` seconds, rounded down.
    fn rounded(count: u64, units: u64, rate: u64, scale: u64) -> Vec<u64> {
        let time = |frame: u64| frame * units * scale / rate;
        (0..count).map(|frame| time(frame + 1) - time(frame)).collect()
    }

    #[test]
    fn a_thousandth_is_told_in_any_unit() {
        for (whole, ntsc) in [(24, "23.976"), (30, "29.970"), (60, "59.940"), (120, "119.880")] {
            // as in MP4, as in TS, as in TS that was milliseconds before
            for scale in [15_360, 90_000, 1000] {
                let count = 10 * whole;
                let expected = format!("{whole}.000");
                assert_eq!(rate(&rounded(count, 1, whole, scale.into()), scale), expected);
                let durations = rounded(count, 1001, 1000 * whole, scale.into());
                assert_eq!(rate(&durations, scale), ntsc, "{scale}");
                let coarse = rounded(count, 1001, 1000 * whole, 1000);
                let coarse: Vec<_> = coarse.iter().map(|duration| duration * 90).collect();
                assert_eq!(rate(&coarse, 90_000), ntsc);
            }
        }
    }

    #[test]
    fn milliseconds_may_be_coarse() {
        assert_eq!(rate(&rounded(1440, 1, 144, 1000), 1000), "144.000");
        assert_eq!(rate(&rounded(2400, 1, 240, 1000), 1000), "240.000");
    }

    #[test]
    fn the_frames_that_are_there_count_and_no_gap() {
        // a last frame that is held, by ffmpeg; one that is held a little
        assert_eq!(rate(&[&[512; 29][..], &[840]].concat(), 15_360), "30.000");
        assert_eq!(rate(&[&[512; 28][..], &[612]].concat(), 15_360), "30.000");
        // one frame in ten is dropped
        let dropped = [&[3000; 8][..], &[6000]].concat();
        assert_eq!(rate(&dropped.repeat(3), 90_000), "30.000");
        // and in milliseconds, at 59.94 and 29.97 frames
        let mut times: Vec<u64> = (0..300).map(|frame| frame * 1_001_000 / 60_000).collect();
        times.retain(|time| time % 10 != 3);
        let durations: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(rate(&durations, 1000), "59.940");
        // 51 frames at the true rate, but 50 of the median
        assert_eq!(rate(&[&durations[..], &[850]].concat(), 1000), "59.940");
        let durations = [&[3000; 10][..], &[9000, 180_000], &[3000; 10], &[0]].concat();
        assert_eq!(rate(&durations, 90_000), "30.000");
        assert_eq!(from_durations(vec![0, 0], 90_000), None);
        assert_eq!(from_durations(Vec::new(), 90_000), None);
        assert!(from_durations(vec![u64::MAX, u64::MAX, 1], 1).is_some_and(f64::is_finite));
    }
}
