//! Moving the time stamps of a segment, so that a stream that is repeated goes on, and so that no two
//! channels send the same bytes.

use std::collections::HashMap;
use std::ops::Range;

use common::format::mpegts::{PACKET_BYTES, Packets, PesHeader};

/// Where time stamps and continuity counters are that have to be moved.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// Where presentation and decode time stamps begin, of 33 bits of 90 kHz each.
    pes: Vec<usize>,
    /// Where program clock references begin, whose base has the same unit.
    clock: Vec<usize>,
    /// Where the bytes are whose lower half counts the packets of a stream, and which stream that is.
    continuity: Vec<(usize, u16)>,
}

impl Stamps {
    /// The stamps in `segment`, which is made of whole packets.
    pub(super) fn find(segment: &[u8]) -> Self {
        let mut stamps = Self::default();
        for (number, packet) in Packets::new(segment).enumerate() {
            let at = number * PACKET_BYTES;
            let bytes = &segment[at..at + PACKET_BYTES];
            if packet.has_payload() {
                stamps.continuity.push((at + 3, packet.pid()));
            }
            // ISO/IEC 13818-1 §2.4.3.4: an adaptation field that is not empty and has a PCR_flag
            if bytes[3] & 0x20 != 0 && bytes[4] > 0 && bytes[5] & 0x10 != 0 {
                stamps.clock.push(at + 6);
            }
            if packet.starts_unit() {
                let payload = packet.payload();
                stamps.find_pes(payload, at + PACKET_BYTES - payload.len());
            }
        }
        stamps
    }

    /// Notes the stamps of the PES packet that begins with `payload`, if it is one, at the place `at`.
    fn find_pes(&mut self, payload: &[u8], at: usize) {
        let header = PesHeader::parse(payload);
        let present = header.map(|header| [header.pts, header.dts]).unwrap_or_default();
        let places = present.into_iter().flatten().enumerate();
        self.pes.extend(places.map(|(index, _)| at + 9 + 5 * index));
    }

    /// How many packets with a payload each stream has.
    pub(super) fn packets(&self) -> HashMap<u16, u64> {
        let mut packets = HashMap::new();
        for (_, pid) in &self.continuity {
            *packets.entry(*pid).or_default() += 1;
        }
        packets
    }

    /// Moves all stamps in `segment` by `ticks` of 90 kHz, and the counters of the streams that
    /// `packets` names by that many packets.
    pub(super) fn shift(&self, segment: &mut [u8], ticks: u64, packets: &HashMap<u16, u64>) {
        for at in &self.pes {
            shift_pes(field(segment, *at..at + 5), ticks);
        }
        for at in &self.clock {
            shift_clock(field(segment, *at..at + 5), ticks);
        }
        for (at, pid) in &self.continuity {
            let [moved, ..] = packets.get(pid).copied().unwrap_or_default().to_le_bytes();
            let byte = &mut segment[*at];
            *byte = *byte & 0xf0 | byte.wrapping_add(moved) & 0x0f;
        }
    }
}

fn field(segment: &mut [u8], range: Range<usize>) -> &mut [u8; 5] {
    (&mut segment[range]).try_into().expect("the range is five bytes long")
}

/// Three, fifteen and fifteen bits, each with a marker bit of 1 behind, after four bits that say which
/// stamp it is (§2.4.3.6).
fn shift_pes(bytes: &mut [u8; 5], ticks: u64) {
    let all = bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    let stamp = (all >> 33 & 0x7) << 30 | (all >> 17 & 0x7fff) << 15 | all >> 1 & 0x7fff;
    let stamp = stamp.wrapping_add(ticks);
    let kept = all & 0xf1_0001_0001;
    let moved = (stamp >> 30 & 0x7) << 33 | (stamp >> 15 & 0x7fff) << 17 | (stamp & 0x7fff) << 1;
    bytes.copy_from_slice(&(kept | moved).to_be_bytes()[3..]);
}

/// Thirty-three bits, and seven that stay (§2.4.3.5).
fn shift_clock(bytes: &mut [u8; 5], ticks: u64) {
    let all = bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    let base = (all >> 7).wrapping_add(ticks) & 0x1_ffff_ffff;
    bytes.copy_from_slice(&(base << 7 | all & 0x7f).to_be_bytes()[3..]);
}

#[cfg(test)]
mod tests {
    use common::format::mpegts::{Packet, PesPackets};

    use super::*;

    const MEDIA: &[u8] = include_bytes!("../../../common/testdata/media/h264-aac.ts");

    /// Presentation and decode times of all PES packets of the streams with pictures and sound.
    fn times(segment: &[u8]) -> Vec<(u64, u64)> {
        let mut times = Vec::new();
        for pid in [0x100, 0x101] {
            let mut packets = PesPackets::new(Packets::new(segment), pid, 64);
            while let Some(part) = packets.advance() {
                let header = part.header.unwrap();
                times.push((header.pts.unwrap(), header.decode_time().unwrap()));
            }
        }
        times
    }

    #[test]
    fn every_time_stamp_moves_and_wraps_around() {
        let stamps = Stamps::find(MEDIA);
        for ticks in [1, 90_000, (1 << 33) - 1] {
            let mut moved = MEDIA.to_vec();
            stamps.shift(&mut moved, ticks, &HashMap::new());
            let add = |time: u64| (time + ticks) % (1 << 33);
            let wanted: Vec<_> = times(MEDIA)
                .into_iter()
                .map(|(shown, decoded)| (add(shown), add(decoded)))
                .collect();
            assert!(wanted.len() > 10, "{} PES packets", wanted.len());
            assert_eq!(times(&moved), wanted);
            stamps.shift(&mut moved, (1 << 33) - ticks, &HashMap::new());
            assert!(moved == MEDIA, "moved back, it is what it was");
        }
    }

    #[test]
    fn the_clock_keeps_its_fraction() {
        let mut bytes = [0xff, 0xff, 0xff, 0xff, 0xfe];
        shift_clock(&mut bytes, 2);
        assert_eq!(bytes, [0, 0, 0, 0, 0xfe], "the base was 2^33 - 1 - 1, and wrapped to 0");
        assert!(!Stamps::find(MEDIA).clock.is_empty());
    }

    #[test]
    fn counters_go_on_where_the_last_repetition_ended() {
        let stamps = Stamps::find(MEDIA);
        let packets = stamps.packets();
        let mut next = MEDIA.to_vec();
        stamps.shift(&mut next, 0, &packets);
        let all = [MEDIA, &next].concat();
        for pid in [0, 0x100, 0x101] {
            let counters = Packets::new(&all).filter(|packet| packet.pid() == pid);
            let counters: Vec<u8> = counters.map(Packet::continuity).collect();
            assert!(counters.windows(2).all(|two| two[1] == (two[0] + 1) % 16), "{pid}");
        }
    }
}
