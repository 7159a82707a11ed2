//! Where a cut's packets go: through the re-timer and the check, and out.

use bytes::Bytes;

use super::check::Check;
use crate::format::mpegts::{
    Packet, Retimer, Shift, Shifts, TICKS_PER_SECOND, set_clock, set_decode_time, since,
};
use crate::io::produced::Sink;

/// How much is gathered before it is handed on.
const BLOCK_BYTES: usize = 128 * 1024;

/// How far back a clock may seem to go where one run follows another, in ticks: a second. What is further back is
/// not mended.
const FARTHEST_BACK: i64 = TICKS_PER_SECOND as i64;

/// The end of a cut's making.
pub(super) struct Output {
    sink: Sink<Bytes>,
    retimer: Retimer,
    pub(super) shifts: Shifts,
    pub(super) check: Check,
    /// The newest clock reference of what was taken apart.
    clock: Option<u64>,
    gathered: Vec<u8>,
}

impl Output {
    pub(super) fn new(sink: Sink<Bytes>) -> Self {
        Self {
            sink,
            retimer: Retimer::default(),
            shifts: Shifts::default(),
            check: Check::default(),
            clock: None,
            gathered: Vec::new(),
        }
    }

    /// Writes packets, which go on from those before them.
    ///
    /// A picture is decoded after the one before it, and the clock does not go back, also where the encoder of one run
    /// held pictures longer than that of another: what is too early by that becomes as late as it must be.
    pub(super) fn write(&mut self, packets: &[u8]) {
        let begin = self.gathered.len();
        self.gathered.extend_from_slice(packets);
        let packets = &mut self.gathered[begin..];
        let (check, mut too_early) = (&mut self.check, None);
        self.retimer.retime(packets, &self.shifts, |moved| {
            let earliest = check.earliest().filter(|_| check.follows(moved.pid));
            let dts = moved.dts.unwrap_or(moved.pts);
            let earliest = earliest.filter(|earliest| {
                (1..FARTHEST_BACK).contains(&since(*earliest, dts))
                    && since(moved.pts, *earliest) >= 0
            });
            too_early = too_early.or(earliest);
            check.take(moved.pid, moved.pts, earliest.unwrap_or(dts));
        });
        let (packets, _) = packets.as_chunks_mut();
        for packet in packets {
            let Some(header) = Packet::new(packet) else { continue };
            if check.follows(header.pid())
                && header.starts_unit()
                && let Some(dts) = too_early
            {
                set_decode_time(packet, dts);
            }
            if let Some(clock) = Packet::new(packet).and_then(Packet::clock) {
                let newest =
                    self.clock.filter(|newest| (0..FARTHEST_BACK).contains(&since(*newest, clock)));
                if let Some(newest) = newest {
                    set_clock(packet, Shift::by(1).moved(newest));
                }
                self.clock = newest.map(|newest| Shift::by(1).moved(newest)).or(Some(clock));
            }
        }
    }

    /// Hands on what was gathered, if that is much.
    pub(super) async fn hand_on_much(&mut self) {
        if self.gathered.len() >= BLOCK_BYTES {
            self.hand_on().await;
        }
    }

    /// Hands on what was gathered.
    pub(super) async fn hand_on(&mut self) {
        if !self.gathered.is_empty() {
            self.sink.put(std::mem::take(&mut self.gathered).into()).await;
        }
    }

    /// Writes a whole segment, which goes on from what was written of its run.
    pub(super) async fn segment(&mut self, mut packets: Vec<u8>) {
        self.hand_on().await;
        let check = &mut self.check;
        self.retimer.retime(&mut packets, &self.shifts, |moved| {
            check.take(moved.pid, moved.pts, moved.dts.unwrap_or(moved.pts));
        });
        self.clock = None;
        let mut packets = Bytes::from(packets);
        while !packets.is_empty() {
            let block = packets.split_to(packets.len().min(2 * BLOCK_BYTES));
            self.sink.put(block).await;
        }
    }
}
