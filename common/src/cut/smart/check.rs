//! What a cut checks of itself while it streams.

use std::sync::OnceLock;

use crate::format::mpegts::{Shift, since};

/// Where the report of a cut will be.
#[derive(Debug, Default)]
pub struct Checked(OnceLock<Report>);

impl Checked {
    /// The report, once the cut has ended well.
    pub fn report(&self) -> Option<Report> {
        self.0.get().copied()
    }

    pub(super) fn tell(&self, report: Report) {
        // a cut ends once
        let _ = self.0.set(report);
    }
}

/// What a cut's own time line is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many pictures were written.
    pub pictures: u64,
    /// How many of them were encoded again.
    pub encoded: u64,
    /// How many there should have been and could not be decoded.
    pub lost: u64,
    /// How many pictures are decoded before or with the one before them.
    pub disordered: u64,
    /// How many packets of sound are heard before or with the one before them.
    pub disordered_sound: u64,
    /// How many pictures are shown before they are decoded.
    pub late: u64,
    /// How many times the time to the next picture's decoding was longer than two pictures before it, which is so where a
    /// publisher leaves pictures out as well.
    pub jumps: u64,
}

impl Report {
    /// Whether every player can be expected to play it.
    pub const fn is_sound(&self) -> bool {
        self.disordered == 0 && self.disordered_sound == 0 && self.late == 0 && self.lost == 0
    }
}

/// Follows the pictures of one stream, and sound.
#[derive(Clone, Debug, Default)]
pub(super) struct Check {
    pid: u16,
    /// Streams of sound, and when each was heard last.
    sounds: Vec<(u16, Option<u64>)>,
    /// When the last one is decoded, and how long after the one before it.
    last: Option<(u64, i64)>,
    pub(super) report: Report,
}

impl Check {
    /// Follows pictures on `pid` and sound on `sounds`.
    pub(super) fn follow(&mut self, pid: u16, sounds: impl Iterator<Item = u16>) {
        self.pid = pid;
        for sound in sounds {
            if !self.sounds.iter().any(|(known, _)| *known == sound) {
                self.sounds.push((sound, None));
            }
        }
    }

    /// Whether it is the stream of `pid` that is followed.
    pub(super) const fn follows(&self, pid: u16) -> bool {
        self.pid == pid
    }

    /// The earliest time at which the next picture may be decoded.
    pub(super) fn earliest(&self) -> Option<u64> {
        self.last.map(|(last, _)| Shift::by(1).moved(last))
    }

    /// Takes in that something of `pid` is shown at `pts` and decoded at `dts`.
    pub(super) fn take(&mut self, pid: u16, pts: u64, dts: u64) {
        if let Some((_, last)) = self.sounds.iter_mut().find(|(sound, _)| *sound == pid) {
            let is_later = last.replace(pts).is_none_or(|last| since(pts, last) > 0);
            self.report.disordered_sound += u64::from(!is_later);
        }
        if pid != self.pid {
            return;
        }
        let report = &mut self.report;
        report.pictures += 1;
        report.late += u64::from(since(pts, dts) < 0);
        let mut step = 0;
        if let Some((last, usual)) = self.last {
            step = since(dts, last);
            report.disordered += u64::from(step <= 0);
            report.jumps += u64::from(usual > 0 && step > 2 * usual);
        }
        self.last = Some((dts, step));
    }
}
