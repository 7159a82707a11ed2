//! The frame rate that time stamps show.

/// Frames in a second, from how long each lasts in ticks, of which a second has `scale`; `None` if none
/// has a duration.
///
/// Only those between half and one and a half times the median count, so that a gap or a last frame
/// that is held does not. The mean of them is taken for the nearest integer n, or n · 1000/1001, if the
/// rounding of the time stamps can account for the difference.
pub(super) fn from_durations(mut durations: Vec<u64>, scale: u32) -> Option<f64> {
    durations.retain(|duration| *duration > 0);
    durations.sort_unstable();
    let median = *durations.get(durations.len() / 2)?;
    durations.retain(|duration| (duration / 2..=duration.saturating_mul(2)).contains(&median));
    let (shortest, longest) = (*durations.first()?, *durations.last()?);
    let total: f64 = durations.iter().map(|duration| float(*duration)).sum();
    let rate = f64::from(scale) * float(durations.len() as u64) / total;
    let tolerance = rate * float(longest - shortest + 1) / total;
    Some(usual_rate(rate, tolerance))
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

    #[test]
    fn gaps_do_not_count() {
        let durations = [&[3000; 10][..], &[9000, 180_000], &[3000; 10], &[0]].concat();
        assert_eq!(rate(&durations, 90_000), "30.000");
        assert_eq!(from_durations(vec![0, 0], 90_000), None);
        assert_eq!(from_durations(Vec::new(), 90_000), None);
        assert!(from_durations(vec![u64::MAX, u64::MAX, 1], 1).is_some_and(f64::is_finite));
    }
}
