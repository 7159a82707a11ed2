//! Writing PES packets into transport packets (§2.4.3). The counters of each begin with zero: who puts such stretches
//! together renumbers them, see [`super::Retimer`].

use super::Packet;
use super::packet::{PACKET_BYTES, SYNC};
use super::pes::{self, Stamps};

/// The bytes of a transport packet behind its header.
const ROOM: usize = PACKET_BYTES - 4;

/// What is to become a PES packet.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    /// Of the stream that it belongs to.
    pub pid: u16,
    /// What kind of stream it is of, and which (table 2-22).
    pub stream_id: u8,
    /// Presentation time stamp, 33 bits of 90 kHz.
    pub pts: u64,
    /// Decode time stamp, where it differs.
    pub dts: Option<u64>,
    /// The clock reference that its first packet has, in the same ticks.
    pub clock: Option<u64>,
    /// Whether decoding can begin with it.
    pub is_key: bool,
    /// One picture, or some frames of sound.
    pub payload: &'a [u8],
}

/// Appends the packets of `unit`.
pub fn write_unit(out: &mut Vec<u8>, unit: &Unit<'_>) {
    let mut header = vec![0, 0, 1, unit.stream_id];
    let dts = unit.dts.filter(|dts| *dts != unit.pts);
    let stamped: u8 = if dts.is_some() { 10 } else { 5 };
    // what follows the length. Only video may leave it open, and does so here (§2.4.3.7)
    let length = 3 + usize::from(stamped) + unit.payload.len();
    let is_video = unit.stream_id & 0xf0 == 0xe0;
    let length = u16::try_from(length).ok().filter(|_| !is_video).unwrap_or(0);
    header.extend_from_slice(&length.to_be_bytes());
    // '10', data_alignment_indicator; PTS_DTS_flags; PES_header_data_length
    header.extend_from_slice(&[0x84, if dts.is_some() { 0xc0 } else { 0x80 }, stamped]);
    header.extend_from_slice(&pes::stamp(if dts.is_some() { 0b0011 } else { 0b0010 }, unit.pts));
    if let Some(dts) = dts {
        header.extend_from_slice(&pes::stamp(0b0001, dts));
    }
    write_packets(out, unit.pid, unit.clock, unit.is_key, [&header, unit.payload]);
}

/// Gives the PES packet that begins in `packet` another decode time stamp, if it has one there.
pub fn set_decode_time(packet: &mut [u8; PACKET_BYTES], dts: u64) {
    let Some(start) = Packet::new(packet).map(Packet::payload_start) else { return };
    let payload = packet.get_mut(start..).unwrap_or_default();
    if let Stamps::At([_, Some(place)]) = pes::stamps(payload)
        && let Some(stamp) = payload[place..].first_chunk_mut()
    {
        *stamp = pes::with_time(*stamp, dts);
    }
}

/// Gives `packet` another clock reference, if it has one.
pub fn set_clock(packet: &mut [u8; PACKET_BYTES], clock: u64) {
    if Packet::new(packet).and_then(Packet::clock).is_some() {
        packet[6..12].copy_from_slice(&reference(clock));
    }
}

fn write_packets(out: &mut Vec<u8>, pid: u16, clock: Option<u64>, is_key: bool, parts: [&[u8]; 2]) {
    let [high, low] = pid.to_be_bytes();
    let mut field = first_field(clock, is_key);
    let [mut first, mut second] = parts;
    let mut begins = 0x40;
    for counter in (0..16).cycle() {
        let left = first.len() + second.len();
        let room = ROOM - field.len();
        if left < room {
            stuff(&mut field, room - left);
        }
        let kind = if field.is_empty() { 0x10 } else { 0x30 };
        out.extend_from_slice(&[SYNC, begins | high & 0x1f, low, kind | counter]);
        out.extend_from_slice(&field);
        let mut room = ROOM - field.len();
        for part in [&mut first, &mut second] {
            let (here, behind) = part.split_at(part.len().min(room));
            out.extend_from_slice(here);
            room -= here.len();
            *part = behind;
        }
        if first.is_empty() && second.is_empty() {
            return;
        }
        (begins, field) = (0, Vec::new());
    }
}

/// The adaptation field of a first packet, if it needs one (§2.4.3.4).
fn first_field(clock: Option<u64>, is_key: bool) -> Vec<u8> {
    if clock.is_none() && !is_key {
        return Vec::new();
    }
    // random_access_indicator, PCR_flag
    let flags = if is_key { 0x40 } else { 0 } | if clock.is_some() { 0x10 } else { 0 };
    let mut field = vec![1, flags];
    if let Some(clock) = clock {
        field.extend_from_slice(&reference(clock));
        field[0] = 7;
    }
    field
}

/// 33 bits, six of nothing, and nine of 27 MHz.
fn reference(clock: u64) -> [u8; 6] {
    let [_, _, reference @ ..] = (clock << 15 | 0x7e00).to_be_bytes();
    reference
}

/// Makes an adaptation field `more` bytes longer.
fn stuff(field: &mut Vec<u8>, more: usize) {
    let length = field.len() + more;
    if field.is_empty() {
        field.push(0);
        if length > 1 {
            field.push(0);
        }
    }
    field.resize(length, 0xff);
    // at most 183
    field[0] = u8::try_from(length - 1).unwrap_or(u8::MAX);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::mpegts::{Oddities, Packets, PesHeader, PesPackets, Retimer, Shift};

    fn unit(payload: &[u8]) -> Unit<'_> {
        let (pts, dts) = ((1 << 33) - 1, Some(5));
        Unit { pid: 0x1ffe, stream_id: 0xe0, pts, dts, clock: None, is_key: false, payload }
    }

    #[test]
    fn units_of_every_length_are_read_as_they_were_written() {
        let bytes: Vec<u8> = (0..=250).cycle().take(800).collect();
        for length in 0..bytes.len() {
            for (dts, clock, is_key) in
                [(Some(5), None, false), (None, Some(7), true), (None, None, true)]
            {
                let unit = Unit { dts, clock, is_key, ..unit(&bytes[..length]) };
                // another one behind it, so that it is complete
                let (mut all, mut retimer) = (Vec::new(), Retimer::default());
                for _ in 0..2 {
                    let mut written = Vec::new();
                    write_unit(&mut written, &unit);
                    assert_eq!(written.len() % PACKET_BYTES, 0);
                    let odd = retimer.retime(&mut written, &Shift::default().into(), |_| {});
                    assert_eq!(odd, Oddities::default());
                    all.extend(written);
                }
                let mut units = PesPackets::new(Packets::new(&all), unit.pid, usize::MAX);
                for _ in 0..2 {
                    let read = units.advance().unwrap();
                    let header = PesHeader {
                        stream_id: 0xe0,
                        pts: Some(unit.pts),
                        dts,
                        bytes: if dts.is_some() { 19 } else { 14 },
                    };
                    assert_eq!(read.header, Some(header));
                    assert!(read.payload == unit.payload && read.intact, "{length}");
                }
                assert!(units.advance().is_none());
            }
        }
    }

    #[test]
    fn clocks_and_keys_are_in_the_first_packet() {
        let mut written = Vec::new();
        let payload = [9; 300];
        let clock = Some((1 << 33) - 2);
        write_unit(&mut written, &Unit { clock, is_key: true, ..unit(&payload) });
        // 7 bytes with a key and a clock: all 33 bits but the last, six ones
        let field = [7, 0x50, 0xff, 0xff, 0xff, 0xff, 0x7e, 0];
        assert_eq!(written[..12], [&[SYNC, 0x5f, 0xfe, 0x30][..], &field].concat());
        // the second begins nothing, and is stuffed
        let stuffing = ROOM - (300 - (ROOM - 8 - 19));
        let second = [SYNC, 0x1f, 0xfe, 0x31, u8::try_from(stuffing - 1).unwrap(), 0, 0xff];
        assert_eq!(written[PACKET_BYTES..PACKET_BYTES + 7], second);
        assert_eq!(written.len(), 2 * PACKET_BYTES);
    }

    #[test]
    fn stamps_can_be_set() {
        let mut written = Vec::new();
        write_unit(&mut written, &Unit { clock: Some(7), ..unit(&[1, 2]) });
        let packet: &mut [u8; PACKET_BYTES] = written.first_chunk_mut().unwrap();
        set_decode_time(packet, 6);
        set_clock(packet, 8);
        let mut expected = Vec::new();
        write_unit(&mut expected, &Unit { clock: Some(8), dts: Some(6), ..unit(&[1, 2]) });
        assert_eq!(written, expected);
        // where there are none, nothing is set
        let mut without = Vec::new();
        write_unit(&mut without, &Unit { dts: None, ..unit(&[1, 2]) });
        let before = without.clone();
        let packet: &mut [u8; PACKET_BYTES] = without.first_chunk_mut().unwrap();
        set_decode_time(packet, 6);
        set_clock(packet, 8);
        assert_eq!(without, before);
    }

    #[test]
    fn sound_tells_its_length() {
        for (payload, told) in [(100, 113), (65_522, 65_535), (65_523, 0)] {
            let payload = vec![0; payload];
            let mut written = Vec::new();
            write_unit(&mut written, &Unit { stream_id: 0xc0, ..unit(&payload) });
            let first = Packets::new(&written).next().unwrap().payload();
            assert_eq!(u16::from_be_bytes([first[4], first[5]]), told, "{}", payload.len());
        }
    }
}
