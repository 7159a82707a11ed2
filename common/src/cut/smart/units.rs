//! PES packets out of a transport stream that comes in blocks of any size, from a program of ours.

use bytes::{Bytes, BytesMut};

use crate::format::mpegts::{PACKET_BYTES, Packet, PesHeader};

/// The payload of a PES packet, and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) pts: u64,
    pub(super) payload: Bytes,
}

/// Puts together what comes on one PID.
#[derive(Debug)]
pub(super) struct UnitReader {
    pid: u16,
    /// The beginning of a packet.
    rest: BytesMut,
    /// The beginning of a PES packet.
    begun: BytesMut,
}

impl UnitReader {
    pub(super) fn new(pid: u16) -> Self {
        Self { pid, rest: BytesMut::new(), begun: BytesMut::new() }
    }

    /// The PES packets that are known to be complete with `block`.
    pub(super) fn take(&mut self, block: &[u8]) -> Vec<Read> {
        self.rest.extend_from_slice(block);
        let mut complete = Vec::new();
        let whole = self.rest.len() / PACKET_BYTES * PACKET_BYTES;
        let packets = self.rest.split_to(whole);
        let (packets, _) = packets.as_chunks();
        for packet in packets.iter().filter_map(Packet::new) {
            if packet.pid() != self.pid {
                continue;
            }
            if packet.starts_unit() {
                complete.extend(self.finish());
            }
            self.begun.extend_from_slice(packet.payload());
        }
        complete
    }

    /// The PES packet that was begun last.
    pub(super) fn finish(&mut self) -> Option<Read> {
        let mut unit = std::mem::take(&mut self.begun);
        let header = PesHeader::parse(&unit)?;
        let payload = unit.split_off(header.bytes).freeze();
        Some(Read { pts: header.pts?, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::mpegts::{Packets, PesPackets};

    #[test]
    fn blocks_of_any_size_give_the_same() {
        let sample = include_bytes!("../../../testdata/media/h264-aac.ts");
        let mut units = PesPackets::new(Packets::new(sample), 0x100, usize::MAX);
        let mut expected = Vec::new();
        while let Some(part) = units.advance() {
            let pts = part.header.unwrap().pts.unwrap();
            expected.push(Read { pts, payload: Bytes::copy_from_slice(part.payload) });
        }
        assert_eq!(expected.len(), 12);
        for size in [1, 187, 188, 189, 5000, sample.len()] {
            let mut reader = UnitReader::new(0x100);
            let mut read: Vec<Read> =
                sample.chunks(size).flat_map(|block| reader.take(block)).collect();
            read.extend(reader.finish());
            assert_eq!(read, expected, "{size}");
        }
    }
}
