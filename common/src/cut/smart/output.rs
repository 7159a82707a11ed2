//! Where a cut's packets go: through the re-timer and the check, and out.

use bytes::Bytes;

use super::check::Check;
use crate::format::mpegts::{Retimer, Shifts};
use crate::io::produced::Sink;

/// How much is gathered before it is handed on.
const BLOCK_BYTES: usize = 128 * 1024;

/// The end of a cut's making.
pub(super) struct Output {
    sink: Sink<Bytes>,
    retimer: Retimer,
    pub(super) shifts: Shifts,
    pub(super) check: Check,
    gathered: Vec<u8>,
}

impl Output {
    pub(super) fn new(sink: Sink<Bytes>) -> Self {
        Self {
            sink,
            retimer: Retimer::default(),
            shifts: Shifts::default(),
            check: Check::default(),
            gathered: Vec::new(),
        }
    }

    /// Writes packets, which go on from those before them.
    pub(super) fn write(&mut self, packets: &[u8]) {
        let begin = self.gathered.len();
        self.gathered.extend_from_slice(packets);
        let check = &mut self.check;
        self.retimer.retime(&mut self.gathered[begin..], &self.shifts, |moved| check.take(moved));
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

    /// Writes a whole segment.
    pub(super) async fn segment(&mut self, mut packets: Vec<u8>) {
        self.hand_on().await;
        let check = &mut self.check;
        self.retimer.retime(&mut packets, &self.shifts, |moved| check.take(moved));
        let mut packets = Bytes::from(packets);
        while !packets.is_empty() {
            let block = packets.split_to(packets.len().min(2 * BLOCK_BYTES));
            self.sink.put(block).await;
        }
    }
}
