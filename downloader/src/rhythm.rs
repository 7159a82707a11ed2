//! When to load a playlist again: as seldom as RFC 8216 §6.3.4 asks, and then at the moment when the next
//! segment is due. Pure.
//!
//! A publisher lists a segment some time after its last picture was broadcast, and that time hardly
//! changes. A list that is loaded at a random moment is therefore always as late as it was at first:
//! half a segment on average. So the *offset* is searched for: how long after the end of its media a segment is
//! listed, on a clock of our own that counts the durations of segments. From where a segment was seen
//! and where it was not yet, each load halves what is possible; then loads follow right after that
//! moment. Loading too early costs half a target duration, so one load that came too early moves the aim
//! further back than many good ones move it forward.

use std::time::Duration;

use common::format::hls::{MediaPlaylist, Segment};
use tokio::time::Instant;

/// Whatever a list says, it is not loaded more often than this.
pub(crate) const SHORTEST: Duration = Duration::from_millis(500);
/// Whatever a list says, it is not loaded less often than this.
const LONGEST: Duration = Duration::from_mins(1);
/// No segment is longer, in seconds.
const LONGEST_SEGMENT: f64 = 3600.0;
/// For a list that gives no target duration.
const DEFAULT_TARGET: f64 = 2.0;
/// The search for the offset ends at this part of a segment's duration.
const EXACT: f64 = 1.0 / 8.0;
/// How far behind the offset that was found loads are aimed, and how much further after one that was too
/// early, as parts of a segment's duration.
const MARGIN: f64 = 1.0 / 40.0;
const TOO_EARLY: f64 = 1.0 / 20.0;
/// How much nearer loads are aimed after each that was not too early.
const GOOD: f64 = 1.0 / 2000.0;
/// A load may be so late, as a part of a segment's duration, before it is rather left out so that the next
/// one is in time: while the offset is searched for, and afterwards.
const LATE_SEARCH: f64 = 1.0 / 10.0;
const LATE: f64 = 1.0 / 4.0;
/// A segment that is seen later than this, as a part of its duration, was listed late.
const LATE_MOST: f64 = 2.0;

/// What the least time between two loads of a list that changes is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reload {
    /// The target duration, as RFC 8216 §6.3.4 wants.
    #[default]
    ByTarget,
    /// The duration of the last segment, for a service whose own players do so and whose target duration is far
    /// longer than its segments.
    BySegment,
}

/// A list's target duration, within reason.
pub(crate) fn target_duration(list: &MediaPlaylist) -> Duration {
    let stated = list.target_duration.filter(|seconds| seconds.is_finite());
    let seconds = stated.unwrap_or(DEFAULT_TARGET);
    Duration::from_secs_f64(seconds.clamp(SHORTEST.as_secs_f64(), LONGEST.as_secs_f64()))
}

/// The number that a list which goes on from `list` will begin with or hold.
pub(crate) fn next_number(list: &MediaPlaylist) -> u64 {
    list.number_of(list.segments.len())
}

/// The rhythm of one list.
#[derive(Debug)]
pub(crate) struct Rhythm {
    reload: Reload,
    /// Where our clock of media began to count.
    epoch: Instant,
    heard: Option<Heard>,
}

/// What is known from the lists so far; times are seconds.
#[derive(Clone, Copy, Debug)]
struct Heard {
    /// The newest number.
    number: u64,
    /// Where its media end on our clock.
    end: f64,
    /// How long it is.
    duration: f64,
    aim: Aim,
}

/// How long after the end of its media a segment is listed, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Aim {
    /// Between these two.
    Within(f64, f64),
    /// Loads are aimed here.
    At(f64),
}

impl Rhythm {
    /// A rhythm that has heard nothing yet.
    pub(crate) fn new(reload: Reload, now: Instant) -> Self {
        Self { reload, epoch: now, heard: None }
    }

    /// Takes in a list that was asked for at `began`, and that has news or not; returns when to ask next.
    pub(crate) fn next(&mut self, list: &MediaPlaylist, news: bool, began: Instant) -> Instant {
        let least = self.least(list, news);
        let at = began.saturating_duration_since(self.epoch).as_secs_f64();
        self.heard = self.hear(list, at);
        let earliest = at + least.as_secs_f64();
        let wanted = self.heard.map_or(earliest, |heard| heard.next(earliest, news));
        // a list that slides on must not leave us behind
        let held = held(list).map_or(LONGEST, |held| (held / 3).min(LONGEST));
        let latest = at + held.max(least).as_secs_f64();
        self.epoch + Duration::from_secs_f64(wanted.clamp(earliest, latest))
    }

    /// How long to wait at least.
    ///
    /// A list that drops segments must hold three target durations (§6.2.2); from one that holds less we
    /// would lose segments by waiting that long, so a third of what it holds is the limit then.
    fn least(&self, list: &MediaPlaylist, news: bool) -> Duration {
        let target = target_duration(list);
        let newest = list.segments.last().and_then(|segment| seconds(list, segment));
        let between = match (self.reload, newest) {
            (Reload::BySegment, Some(newest)) if newest < target.as_secs_f64() => {
                Duration::try_from_secs_f64(newest).unwrap_or(target)
            }
            _ => target,
        };
        if !news {
            return (between / 2).max(SHORTEST);
        }
        held(list).map_or(between, |held| between.min(held / 3)).max(SHORTEST)
    }

    fn hear(&self, list: &MediaPlaylist, at: f64) -> Option<Heard> {
        let newest = list.segments.len().checked_sub(1)?;
        let number = list.number_of(newest);
        let newest = &list.segments[newest];
        let duration = seconds(list, newest).filter(|seconds| *seconds > 0.05)?;
        let first_of_all = Heard { number, end: at, duration, aim: Aim::Within(-duration, 0.0) };
        let Some(before) = self.heard else { return Some(first_of_all) };
        let Some(advanced) = advanced(list, before.number) else { return Some(first_of_all) };
        let end = before.end + advanced;
        let aim = if number == before.number {
            before.aim.missed(at - (end + duration), duration)
        } else {
            before.aim.seen(at - end, duration)
        };
        Some(Heard { number, end, duration, aim })
    }
}

impl Heard {
    /// When to load next, but not before `earliest`.
    fn next(&self, earliest: f64, news: bool) -> f64 {
        let (offset, late) = match self.aim {
            Aim::Within(low, high) => (f64::midpoint(low, high), LATE_SEARCH),
            Aim::At(offset) => (offset, LATE),
        };
        let due = self.end + self.duration + offset;
        if !news {
            return due;
        }
        let behind = earliest - late * self.duration - due;
        due + (behind / self.duration).ceil().max(0.0) * self.duration
    }
}

impl Aim {
    /// A segment was there at `offset`, the one after it, `duration` later, was not.
    fn seen(self, offset: f64, duration: f64) -> Self {
        match self {
            Self::Within(low, high) if low < offset && offset < high + LATE_MOST * duration => {
                Self::narrowed(low.max(offset - duration), high.min(offset), duration)
            }
            Self::At(aim) if (offset - aim).abs() <= duration => Self::At(aim - GOOD * duration),
            // it stood still meanwhile, or brought more than the time explains
            Self::Within(..) | Self::At(_) => Self::Within(offset - duration, offset),
        }
    }

    /// A segment was not there at `offset`.
    fn missed(self, offset: f64, duration: f64) -> Self {
        match self {
            Self::Within(low, high) if offset < high => {
                Self::narrowed(low.max(offset), high, duration)
            }
            Self::At(aim) if (offset - aim).abs() < LATE * duration => {
                Self::At(aim + TOO_EARLY * duration)
            }
            // the load was not aimed at it, or the publisher is late
            Self::Within(..) | Self::At(_) => self,
        }
    }

    fn narrowed(low: f64, high: f64, duration: f64) -> Self {
        if high - low > EXACT * duration {
            Self::Within(low, high)
        } else {
            Self::At(low.max(high) + MARGIN * duration)
        }
    }
}

/// The duration of what `list` has after `number`, in seconds; `None` when that is not known.
fn advanced(list: &MediaPlaylist, number: u64) -> Option<f64> {
    let first = list.number_of(0);
    let begin = usize::try_from(number.checked_add(1)?.checked_sub(first)?).ok()?;
    let after = list.segments.get(begin..)?;
    after.iter().map(|segment| seconds(list, segment)).sum()
}

/// How long a segment lasts, where the list says something that can be true.
fn seconds(list: &MediaPlaylist, segment: &Segment) -> Option<f64> {
    segment.duration.filter(|seconds| is_plausible(*seconds, list.target_duration))
}

/// Whether a segment can last so many seconds in a list of that target duration: an encoder whose time
/// stamps wrap may say that it lasts a day.
pub(crate) fn is_plausible(seconds: f64, target: Option<f64>) -> bool {
    let longest = target.map_or(LONGEST_SEGMENT, |target| 2.0 * target + 10.0);
    (0.0..=longest.min(LONGEST_SEGMENT)).contains(&seconds)
}

/// How much a list holds that drops segments.
fn held(list: &MediaPlaylist) -> Option<Duration> {
    let held: f64 = list.segments.iter().filter_map(|segment| seconds(list, segment)).sum();
    let drops = list.number_of(0) > 0 && held > 0.0;
    if drops { Duration::try_from_secs_f64(held).ok() } else { None }
}

#[cfg(test)]
mod tests;
