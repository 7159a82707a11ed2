//! When each segment of each channel is listed for the first time. Pure: what is listed is a function
//! of the time, so nothing publishes late.

use std::fmt::Write as _;

use chrono::TimeDelta;
use common::base::time::Timestamp;

/// How many segments a playlist lists.
pub const WINDOW: u64 = 6;

/// How long after its end a segment is listed, but for the jitter.
const ENCODER: TimeDelta = TimeDelta::seconds(1);

/// How long each segment lasts.
const SEGMENT: TimeDelta = TimeDelta::seconds(2);

/// The schedule of all channels of an origin.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// When every channel has a whole window.
    pub begin: Timestamp,
    /// How many channels there are. Their phases are spread over the length of a segment.
    pub channels: usize,
    /// By how much a segment may be listed too early or too late.
    pub jitter: TimeDelta,
    /// Whether a request may wait for the segment that it names (`_HLS_msn`, RFC 8216bis §6.2.5.2).
    pub can_block: bool,
}

impl Schedule {
    /// When the segment `number` of `channel` begins, as the playlist says it.
    pub fn start(&self, channel: usize, number: u64) -> Timestamp {
        let phase = SEGMENT.num_milliseconds() * i64::from(small(channel as u64))
            / i64::from(small(self.channels as u64));
        let segments = SEGMENT * (small(number) - small(WINDOW) - 1);
        self.begin + TimeDelta::milliseconds(phase) + segments - ENCODER
    }

    /// When the segment `number` of `channel` is listed for the first time.
    pub fn listed(&self, channel: usize, number: u64) -> Timestamp {
        let span = self.jitter.num_microseconds().unwrap_or(0);
        let parts = i64::from(scramble(channel as u64, number)) * 2 * span / i64::from(u32::MAX);
        let jitter = TimeDelta::microseconds(parts - span);
        self.start(channel, number) + SEGMENT + ENCODER + jitter
    }

    /// The last segment of `channel` that is listed at `now`; `None` before the first.
    pub fn newest(&self, channel: usize, now: Timestamp) -> Option<u64> {
        let since = now - self.listed_on_time(channel, 0);
        // jitter is less than a segment's length
        let about = u64::try_from(since.num_milliseconds() / SEGMENT.num_milliseconds()).ok()? + 1;
        (about.saturating_sub(2)..=about).rev().find(|number| self.listed(channel, *number) <= now)
    }

    fn listed_on_time(&self, channel: usize, number: u64) -> Timestamp {
        self.start(channel, number) + SEGMENT + ENCODER
    }

    /// The playlist of `channel` whose last segment is `newest`.
    pub fn playlist(&self, channel: usize, newest: u64) -> String {
        let first = (newest + 1).saturating_sub(WINDOW);
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
        );
        if self.can_block {
            text.push_str("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n");
        }
        for number in first..=newest {
            let start = self.start(channel, number).to_naive().format("%Y-%m-%dT%H:%M:%S%.3fZ");
            let segment =
                format!("#EXT-X-PROGRAM-DATE-TIME:{start}\n#EXTINF:2.000,\n{number}.ts\n");
            text.write_str(&segment).expect("a String takes everything");
        }
        text
    }
}

fn small(number: u64) -> i32 {
    i32::try_from(number).expect("a run lasts minutes")
}

/// An even mix of both numbers, the same in each run (splitmix64's finalizer).
fn scramble(channel: u64, number: u64) -> u32 {
    let mut mixed = (channel << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from(mixed >> 32).expect("32 bits are left")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);

    fn schedule(jitter: i64) -> Schedule {
        let jitter = TimeDelta::milliseconds(jitter);
        Schedule { begin: BEGIN, channels: 10, jitter, can_block: true }
    }

    #[test]
    fn a_segment_is_listed_from_its_moment_on() {
        for jitter in [0, 100] {
            let schedule = schedule(jitter);
            for (channel, number) in (0..10).flat_map(|channel| (0..50).map(move |n| (channel, n)))
            {
                let listed = schedule.listed(channel, number);
                assert_eq!(schedule.newest(channel, listed), Some(number));
                let before = listed - TimeDelta::microseconds(1);
                assert_eq!(schedule.newest(channel, before), number.checked_sub(1));
            }
        }
    }

    #[test]
    fn every_channel_begins_with_a_window_at_a_moment_of_its_own() {
        let schedule = schedule(0);
        let phases: Vec<_> = (0..10).map(|channel| schedule.listed(channel, WINDOW)).collect();
        assert_eq!(phases[0], BEGIN + TimeDelta::seconds(0));
        assert!(phases.windows(2).all(|two| two[1] - two[0] == TimeDelta::milliseconds(200)));
    }

    #[test]
    fn jitter_goes_both_ways_and_no_further() {
        let off = |number| {
            (schedule(100).listed(3, number) - schedule(0).listed(3, number)).num_milliseconds()
        };
        let (least, most) = ((0..1000).map(off).min(), (0..1000).map(off).max());
        assert!((-100..-90).contains(&least.unwrap()) && (91..=100).contains(&most.unwrap()));
    }

    #[test]
    fn the_list_is_a_window() {
        let text = schedule(0).playlist(1, 20);
        assert!(text.contains("\n#EXT-X-MEDIA-SEQUENCE:15\n") && text.ends_with("\n20.ts\n"));
        assert_eq!(text.matches("#EXTINF:").count(), 6);
        assert!(
            text.contains("DATE-TIME:2026-01-05T00:00:25.200Z\n#EXTINF:2.000,\n20.ts"),
            "{text}"
        );
    }
}
