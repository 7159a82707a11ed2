//! How much time passes by the time stamps of one stream of a transport stream.

use crate::format::mpegts::since;

/// The longest step between two neighbouring time stamps, in ticks: 10 s. A picture may be held that
/// long; what is longer is a clock that was set anew, as by an encoder that restarts.
pub(super) const LONGEST_STEP: i64 = 900_000;

/// How far a time stamp may be behind one before it, in ticks: 0.3 s. Decode times never are; where a
/// publisher leaves them out, presentation times are by a few pictures. What is further back is a
/// clock that was set anew.
const FURTHEST_BACK: i64 = -27_000;

/// The time stamps of a stream in the order of its bytes, in ticks of 90 kHz.
///
/// Time passes in two ways: from one decode time to the next, and from the first presentation time to the
/// last. In whole segments both are the same, as long as pictures come evenly. Where they do not, decode
/// times lag behind by so many pictures, whose lengths differ. In a segment that is cut off, decode times
/// are exact; but a picture may be there that is shown some pictures after the last one that is there in
/// full, and presentation times count all of those.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The first presentation time, if there is any.
    pub(super) first: Option<u64>,
    furthest: Option<u64>,
    /// The presentation times since the clock was set, as the first one of them and how far before and
    /// after it others are.
    shown: Option<(u64, i64, i64)>,
    /// The sum of what was shown before that.
    shown_before: u64,
    /// The sum of all plausible steps between decode times.
    ticks: u64,
    /// How many they are.
    steps: u64,
    /// How often the clock was set anew.
    jumps: u64,
    /// The longest step.
    longest: u64,
}

impl Clock {
    /// Takes the next decode and presentation time, of 33 bits each.
    pub(super) fn take(&mut self, decode: u64, presentation: u64) {
        self.first = self.first.or(Some(presentation));
        if let Some(furthest) = self.furthest.replace(decode) {
            match since(decode, furthest) {
                step @ 1..=LONGEST_STEP => {
                    let step = step.unsigned_abs();
                    self.ticks += step;
                    self.steps += 1;
                    self.longest = self.longest.max(step);
                }
                // out of order; a repeated packet is no step at all
                FURTHEST_BACK..=0 => {
                    self.furthest = Some(furthest);
                    self.steps += u64::from(decode != furthest);
                }
                _ => {
                    self.jumps += 1;
                    self.shown_before = self.shown();
                    self.shown = None;
                }
            }
        }
        let (origin, low, high) = self.shown.get_or_insert((presentation, 0, 0));
        let place = since(presentation, *origin);
        // a presentation time that has nothing to do with the decode time counts for nothing
        if (-LONGEST_STEP..=LONGEST_STEP).contains(&since(presentation, decode)) {
            (*low, *high) = ((*low).min(place), (*high).max(place));
        }
    }

    /// From the first to the last presentation, without the jumps.
    fn shown(&self) -> u64 {
        let (_, low, high) = self.shown.unwrap_or_default();
        self.shown_before + high.abs_diff(low)
    }

    /// How long each step is usually: the mean; `None` if there was none.
    pub(super) fn usual_step(&self) -> Option<u64> {
        self.ticks.checked_div(self.steps)
    }

    /// How long pictures last that have these times, and by how much that may be too little, in ticks.
    /// The last picture, and one before each jump, has the usual length; it may be held for as long as
    /// any other was.
    pub(super) fn pictures(&self) -> Option<(u64, u64)> {
        let usual = self.usual_step()?;
        let is_even = self.longest <= 2 * usual;
        let ticks = if is_even { self.ticks } else { self.shown() };
        let ends = u128::from(self.ticks) * u128::from(1 + self.jumps) / u128::from(self.steps);
        let all = ticks.saturating_add(u64::try_from(ends).unwrap_or(u64::MAX));
        Some((all, self.longest - usual))
    }

    /// How long sound lasts that has these times, in ticks. A packet holds several frames, and the last
    /// one often fewer: it lasts as many ticks as it has bytes, in proportion to those `before`.
    pub(super) fn sound(&self, last: u64, before: u64) -> Option<u64> {
        let usual = self.usual_step()?;
        let part = (u128::from(self.ticks) * u128::from(last)).checked_div(before.into());
        let part = part.and_then(|part| u64::try_from(part).ok()).unwrap_or(usual);
        let jumps = usual.saturating_mul(self.jumps);
        Some(self.ticks.saturating_add(jumps).saturating_add(part.min(self.longest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(stamps: &[(u64, u64)]) -> Clock {
        let mut clock = Clock::default();
        for (decode, presentation) in stamps {
            clock.take(*decode, *presentation);
        }
        clock
    }

    /// Ticks, steps, jumps and the longest step.
    fn after(stamps: &[u64]) -> (u64, u64, u64, u64) {
        let stamps: Vec<_> = stamps.iter().map(|stamp| (*stamp, *stamp)).collect();
        let clock = clock(&stamps);
        (clock.ticks, clock.steps, clock.jumps, clock.longest)
    }

    #[test]
    fn steps_are_added_up() {
        assert_eq!(after(&[]), (0, 0, 0, 0));
        assert_eq!(after(&[5]), (0, 0, 0, 0));
        assert_eq!(after(&[3000, 6000, 10_000]), (7000, 2, 0, 4000));
    }

    #[test]
    fn the_33_bits_may_begin_anew() {
        let end = 1 << 33;
        assert_eq!(after(&[end - 3000, end - 1, 2000]), (5000, 2, 0, 2999));
    }

    #[test]
    fn a_clock_that_is_set_anew_adds_nothing() {
        let hour = 3600 * 90_000;
        assert_eq!(after(&[0, 3000, hour, hour + 3000]), (6000, 2, 1, 3000));
        assert_eq!(after(&[hour, hour + 3000, 0, 3000]), (6000, 2, 1, 3000));
        // as long as a step can be, and a tick longer
        assert_eq!(after(&[0, 900_000]), (900_000, 1, 0, 900_000));
        assert_eq!(after(&[0, 900_001]), (0, 0, 1, 0));
        // half the range is neither before nor after
        assert_eq!(after(&[0, 1 << 32, 0]), (0, 0, 2, 0));
    }

    #[test]
    fn presentation_times_out_of_order_count_up_to_the_furthest() {
        assert_eq!(after(&[0, 9000, 3000, 6000, 12_000]), (12_000, 4, 0, 9000));
        assert_eq!(after(&[30_000, 3000, 33_000]), (3000, 2, 0, 3000));
        assert_eq!(after(&[30_001, 3000, 33_000]), (30_000, 1, 1, 30_000));
        // a packet that is sent twice
        assert_eq!(after(&[0, 3000, 3000, 6000]), (6000, 2, 0, 3000));
    }

    /// Twelve pictures of 3000 ticks, of which all but every fourth are shown before it.
    const REORDERED: [u64; 12] = [2, 6, 4, 3, 5, 10, 8, 7, 9, 13, 12, 11];

    #[test]
    fn pictures_out_of_order_last_as_long_as_they_are_many() {
        let stamps: Vec<_> =
            (0..).zip(REORDERED).map(|(at, shown)| (at * 3000, shown * 3000)).collect();
        assert_eq!(clock(&stamps).pictures(), Some((36_000, 0)));
        // cut off behind one that is shown after three more
        assert_eq!(clock(&stamps[..6]).pictures(), Some((18_000, 0)));
        assert_eq!(clock(&stamps[..1]).pictures(), None);
    }

    #[test]
    fn pictures_that_do_not_come_evenly_last_as_long_as_they_are_shown() {
        // decode times lag by two pictures, which are the long ones
        let stamps = [(0, 6000), (3000, 12_000), (6000, 9000), (9000, 39_000), (12_000, 69_000)];
        let clock = clock(&stamps);
        assert_eq!(clock.pictures(), Some((15_000, 0)), "even in decoding");
        let stamps = [&stamps[..], &[(39_000, 99_000), (69_000, 102_000)]].concat();
        assert_eq!(self::clock(&stamps).pictures(), Some((96_000 + 11_500, 30_000 - 11_500)));
    }

    #[test]
    fn each_end_before_a_jump_has_the_usual_length() {
        let stamps = [0, 3000, 6000, 5_000_000, 5_003_000, 0, 3000];
        let stamps = stamps.map(|stamp| (stamp, stamp));
        assert_eq!(clock(&stamps).pictures(), Some((7 * 3000, 0)));
        assert_eq!(clock(&stamps).sound(100, 600), Some(6 * 3000 + 2000));
        // shown, not decoded
        let uneven = [0, 3000, 12_000, 5_000_000, 5_003_000].map(|stamp| (stamp, stamp));
        assert_eq!(clock(&uneven).pictures(), Some((15_000 + 10_000, 4000)));
    }

    #[test]
    fn the_last_packet_of_sound_lasts_by_its_bytes() {
        let clock = clock(&[(0, 0), (9000, 9000), (18_000, 18_000)]);
        assert_eq!(clock.sound(300, 1800), Some(21_000));
        // never longer than any other; like the others where none has any bytes
        assert_eq!(clock.sound(1800, 1800), Some(27_000));
        assert_eq!(clock.sound(u64::MAX, 1), Some(27_000));
        assert_eq!(clock.sound(0, 0), Some(27_000));
    }

    #[test]
    fn presentation_times_far_from_decode_times_count_for_nothing() {
        let stamps = [(0, 0), (3000, 1 << 31), (12_000, 12_000)];
        assert_eq!(clock(&stamps).pictures(), Some((12_000 + 6000, 3000)));
    }
}
