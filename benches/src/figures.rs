//! How figures are told: a row of a Markdown table for each piece of work.
//!
//! `cargo xtask bench` gathers the rows, which are the lines that begin with a bar, under one head:
//! work, minimum / median / maximum, limit or peer of the same run, ratio of the medians, target.

use std::fmt;
use std::time::Duration;

/// The least, the middle and the greatest of several measurements, in the unit of the row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// The least one.
    pub min: f64,
    /// The middle one; of an even number the mean of the middle two.
    pub median: f64,
    /// The greatest one.
    pub max: f64,
}

impl Figures {
    /// The figures of `measured`, of which there must be one.
    pub fn of(measured: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Self { min: sorted[0], median: f64::midpoint(low, high), max: sorted[sorted.len() - 1] }
    }

    /// The one of `measured`, of which there must be one, that `percent` percent of them do not exceed.
    pub fn percentile(measured: impl IntoIterator<Item = f64>, percent: usize) -> Self {
        let mut sorted: Vec<f64> = measured.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100);
        Self::of([sorted[rank.saturating_sub(1)]])
    }

    /// The figures of `measured`, of which there must be one, in bytes.
    #[expect(clippy::cast_precision_loss, reason = "no machine has that much memory")]
    pub fn of_bytes(measured: impl IntoIterator<Item = u64>) -> Self {
        Self::of(measured.into_iter().map(|bytes| bytes as f64))
    }

    /// The figures of `measured`, of which there must be one, in nanoseconds.
    pub fn of_times(measured: impl IntoIterator<Item = Duration>) -> Self {
        Self::of(measured.into_iter().map(|time| time.as_secs_f64() * 1e9))
    }
}

/// What figures are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Printed as ns, µs, ms or s.
    Nanoseconds,
    /// Printed as B or MB.
    Bytes,
    /// Of one processor core.
    Percent,
    /// Of whatever is counted.
    PerSecond,
    /// Printed without a unit.
    Count,
}

impl Unit {
    /// A divisor and what stands behind the number, which make `value` handy.
    fn scaled(self, value: f64) -> (f64, &'static str) {
        match self {
            Self::Percent => (1.0, " %"),
            Self::Count => (1.0, ""),
            Self::PerSecond => (1.0, " /s"),
            Self::Bytes if value < 1e5 => (1.0, " B"),
            Self::Bytes => (1e6, " MB"),
            Self::Nanoseconds if value < 1e3 => (1.0, " ns"),
            Self::Nanoseconds if value < 1e6 => (1e3, " µs"),
            Self::Nanoseconds if value < 1e9 => (1e6, " ms"),
            Self::Nanoseconds => (1e9, " s"),
        }
    }
}

/// One row of the table. Prints as a line of Markdown.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// What was done.
    pub work: &'a str,
    /// How much of it took.
    pub figures: Figures,
    /// In what.
    pub unit: Unit,
    /// What limits it, and the figures of that in the same unit.
    pub limit: Option<(&'a str, Figures)>,
    /// What was aimed at.
    pub target: &'a str,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { min, median, max } = self.figures;
        let (divisor, symbol) = self.unit.scaled(median);
        let short = |value: f64| short(value / divisor);
        write!(f, "| {} | ", self.work)?;
        if (min - max).abs() < f64::EPSILON {
            write!(f, "{}{symbol}", short(median))?;
        } else {
            write!(f, "{} / {} / {}{symbol}", short(min), short(median), short(max))?;
        }
        match self.limit {
            Some((what, limit)) => {
                let (divisor, symbol) = self.unit.scaled(limit.median);
                let value = self::short(limit.median / divisor);
                write!(f, " | {what}: {value}{symbol} | {:.2}", median / limit.median)?;
            }
            None => f.write_str(" | | ")?,
        }
        write!(f, " | {} |", self.target)
    }
}

/// Three digits, or all before the point.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        let figures = Figures::of([3.0, 1.0, 2.0]);
        assert_eq!(figures, Figures { min: 1.0, median: 2.0, max: 3.0 });
        assert_eq!(Figures::of([4.0, 1.0]), Figures { min: 1.0, median: 2.5, max: 4.0 });
    }

    #[test]
    fn a_percentile_is_one_of_what_was_measured() {
        for (percent, wanted) in [(0, 1.0), (1, 2.0), (50, 100.0), (99, 198.0), (100, 200.0)] {
            let figures = Figures::percentile((1..=200).map(f64::from), percent);
            assert_eq!(figures, Figures::of([wanted]));
        }
    }

    #[test]
    fn a_row_has_the_ratio_of_the_medians() {
        let limit = Figures::of([400_000.0, 500_000.0, 900_000.0]);
        let row = Row {
            work: "walk",
            figures: Figures::of([900_000.0, 1_000_000.0, 12_345_678.0]),
            unit: Unit::Nanoseconds,
            limit: Some(("run", limit)),
            target: "≤ 1.4",
        };
        let line = "| walk | 0.90 / 1.00 / 12.3 ms | run: 500 µs | 2.00 | ≤ 1.4 |";
        assert_eq!(row.to_string(), line);
        let row = Row { figures: Figures::of([0.5]), unit: Unit::Percent, limit: None, ..row };
        assert_eq!(row.to_string(), "| walk | 0.50 % | |  | ≤ 1.4 |");
    }
}
