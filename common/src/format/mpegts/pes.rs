//! PES packets (§2.4.3.6): a stream's bytes with their time stamps.

use super::{PACKET_BYTES, Packet, Packets};

/// What stands before a PES packet's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PesHeader {
    /// What kind of stream it is of, and which (table 2-22).
    pub stream_id: u8,
    /// Presentation time stamp, 33 bits of 90 kHz.
    pub pts: Option<u64>,
    /// Decode time stamp, where it differs from `pts`.
    pub dts: Option<u64>,
    /// Where the payload begins.
    pub bytes: usize,
}

impl PesHeader {
    /// Reads the header that `packet` begins with; `None` where there is none or only its beginning.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let [0, 0, 1, id, _, _, flags, kinds, length, ..] = *packet else { return None };
        let bytes = 9 + usize::from(length);
        if !has_header(id) || flags >> 6 != 0b10 || packet.len() < bytes {
            return None;
        }
        let [pts, dts] = stamps_of(kinds, length);
        let read = |at: usize| packet[at..].first_chunk().copied().map(time);
        Some(Self { stream_id: id, pts: pts.and_then(read), dts: dts.and_then(read), bytes })
    }

    /// When the payload's first picture or frame is decoded.
    pub fn decode_time(&self) -> Option<u64> {
        self.dts.or(self.pts)
    }
}

/// How many bytes of a PES packet its time stamps are in.
pub(super) const STAMPED_BYTES: usize = 19;

/// Where the time stamps of a PES packet are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamps {
    /// It has none, or is no PES packet.
    Nothing,
    /// Five bytes each from there on: the presentation and the decode time stamp, if they are there.
    At([Option<usize>; 2]),
    /// Behind the bytes that are known.
    Cut,
}

/// Where the time stamps are in a PES packet that begins with these bytes.
pub(super) fn stamps(packet: &[u8]) -> Stamps {
    let known = packet.len().min(3);
    if packet[..known] != [0, 0, 1][..known] {
        return Stamps::Nothing;
    }
    let [_, _, _, id, _, _, flags, kinds, length, ..] = *packet else { return Stamps::Cut };
    if !has_header(id) || flags >> 6 != 0b10 {
        return Stamps::Nothing;
    }
    let places = stamps_of(kinds, length);
    match places.iter().flatten().max() {
        None => Stamps::Nothing,
        Some(last) if packet.len() < last + 5 => Stamps::Cut,
        Some(_) => Stamps::At(places),
    }
}

/// Whether a PES packet of the stream `id` has such a header: padding, program stream tables and the like have
/// none (table 2-21).
const fn has_header(id: u8) -> bool {
    !matches!(id, 0xbc | 0xbe | 0xbf | 0xf0..=0xf2 | 0xf8 | 0xff)
}

/// Where the time stamps are, by `PTS_DTS_flags` and the length of what follows.
const fn stamps_of(kinds: u8, length: u8) -> [Option<usize>; 2] {
    let pts = if kinds & 0x80 != 0 && length >= 5 { Some(9) } else { None };
    let dts = if kinds & 0xc0 == 0xc0 && length >= 10 { Some(14) } else { None };
    [pts, dts]
}

/// A time stamp: three, fifteen and fifteen bits, each with a marker bit of 1 behind.
pub(super) fn time(stamp: [u8; 5]) -> u64 {
    let all = stamp.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    (all >> 33 & 0x7) << 30 | (all >> 17 & 0x7fff) << 15 | all >> 1 & 0x7fff
}

/// The `time` as a stamp whose first four bits are `kind`.
pub(super) fn stamp(kind: u8, time: u64) -> [u8; 5] {
    with_time([kind << 4 | 1, 0, 1, 0, 1], time)
}

/// `stamp` with another time, and all bits that are not of it as they were.
pub(super) fn with_time(stamp: [u8; 5], time: u64) -> [u8; 5] {
    /// Which bits are not of it.
    const OTHERS: [u8; 5] = [0xf1, 0, 1, 0, 1];
    let bits = (time >> 30 & 0x7) << 33 | (time >> 15 & 0x7fff) << 17 | (time & 0x7fff) << 1;
    let bits = bits.to_be_bytes();
    std::array::from_fn(|at| stamp[at] & OTHERS[at] | bits[3 + at])
}

/// One PES packet, or what there is of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PesPart<'b> {
    /// Where its first transport packet begins.
    pub at: usize,
    /// Its header; `None` where its beginning is missing.
    pub header: Option<PesHeader>,
    /// Its payload, or the first bytes of it.
    pub payload: &'b [u8],
    /// Whether it goes on right behind the one before it, as far as the continuity counter tells.
    pub follows: bool,
    /// Whether all the bytes up to the last of `payload` are there, as far as the continuity counter
    /// and the packets' flags tell.
    pub intact: bool,
    /// Whether `payload` is known to be all: the next PES packet has begun, and no limit was in the way.
    pub complete: bool,
}

/// The next transport packet of a stream.
#[derive(Clone, Copy, Debug)]
struct Next<'a> {
    packet: Packet<'a>,
    at: usize,
    /// Whether its counter goes on from the one before it.
    follows: bool,
}

/// The PES packets of one stream, each gathered from its transport packets.
#[derive(Clone, Debug)]
pub struct PesPackets<'a> {
    packets: Packets<'a>,
    pid: u16,
    /// The one that the next PES packet begins with.
    first: Option<Next<'a>>,
    /// The last one that was read.
    newest: Option<Packet<'a>>,
    buffer: Vec<u8>,
    limit: usize,
}

impl<'a> PesPackets<'a> {
    /// The PES packets on `pid`, of each no more than its first `limit` bytes or so.
    pub const fn new(packets: Packets<'a>, pid: u16, limit: usize) -> Self {
        Self { packets, pid, first: None, newest: None, buffer: Vec::new(), limit }
    }

    /// The next one; it lives in a buffer that the one after it takes over. What comes before the
    /// first beginning is one as well, without a header.
    pub fn advance(&mut self) -> Option<PesPart<'_>> {
        self.buffer.clear();
        let (mut intact, mut complete, mut within_limit) = (true, false, true);
        let mut first: Option<Next<'a>> = None;
        while let Some(next) = self.first.take().or_else(|| self.next_packet()) {
            if next.packet.starts_unit() && first.is_some() {
                self.first = Some(next);
                complete = within_limit;
                break;
            }
            within_limit = self.buffer.len() < self.limit;
            if within_limit {
                intact &= !next.packet.unusable() && (first.is_none() || next.follows);
                self.buffer.extend_from_slice(next.packet.payload());
            }
            first.get_or_insert(next);
        }
        let Next { packet, at, follows } = first?;
        let header = PesHeader::parse(&self.buffer).filter(|_| packet.starts_unit());
        let payload = &self.buffer[header.map_or(0, |header| header.bytes)..];
        Some(PesPart { at, header, payload, follows, intact, complete })
    }

    /// The next one that is not just the one before once more (§2.4.3.3).
    fn next_packet(&mut self) -> Option<Next<'a>> {
        loop {
            let (pid, newest) = (self.pid, self.newest);
            let packet = self.packets.find(|packet| packet.pid() == pid && packet.has_payload())?;
            let is_repeated = newest.is_some_and(|newest| repeats(packet, newest));
            if !is_repeated {
                self.newest = Some(packet);
                let at = self.packets.position() - PACKET_BYTES;
                let follows = newest.is_none_or(|newest| follows(packet, newest));
                return Some(Next { packet, at, follows });
            }
        }
    }
}

fn repeats(packet: Packet<'_>, last: Packet<'_>) -> bool {
    packet.continuity() == last.continuity()
        && packet.starts_unit() == last.starts_unit()
        && packet.payload() == last.payload()
}

fn follows(packet: Packet<'_>, last: Packet<'_>) -> bool {
    packet.continuity() == (last.continuity() + 1) & 0x0f
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(flags: u8, continuity: u8, payload: &[u8]) -> Vec<u8> {
        // stuffed by an adaptation field
        let stuffing = PACKET_BYTES - 5 - payload.len();
        let mut packet = vec![0x47, flags, 1, 0x30 | continuity, u8::try_from(stuffing).unwrap()];
        packet.resize(PACKET_BYTES - payload.len(), 0);
        packet.extend(payload);
        packet
    }

    const HEADER: [u8; 14] = [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0x00, 0x01, 0x00, 0x03];

    type Part = (usize, Option<PesHeader>, Vec<u8>, bool, bool);

    fn parts(bytes: &[u8], limit: usize) -> Vec<Part> {
        let mut units = PesPackets::new(Packets::new(bytes), 1, limit);
        let mut all = Vec::new();
        while let Some(part) = units.advance() {
            let place = part.at / PACKET_BYTES;
            all.push((place, part.header, part.payload.to_vec(), part.intact, part.complete));
        }
        all
    }

    #[test]
    fn time_stamps_have_33_bits() {
        let both = [0x31, 0xff, 0xff, 0xff, 0xff, 0x11, 0x00, 0x01, 0x00, 0x03];
        let packet = [&[0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10][..], &both].concat();
        let header = PesHeader::parse(&packet).unwrap();
        assert_eq!((header.pts, header.dts), (Some(0x3fff_ffff), Some(1)));
        assert_eq!((header.decode_time(), header.bytes), (Some(1), 19));
        assert_eq!(time([0x2f, 0xff, 0xff, 0xff, 0xff]), (1 << 33) - 1);
    }

    #[test]
    fn headers_that_are_none_or_cut_short_are_not_read() {
        assert!(PesHeader::parse(&HEADER).is_some());
        assert_eq!(PesHeader::parse(&HEADER[..13]), None);
        let with = |at: usize, value: u8| {
            let mut header = HEADER;
            header[at] = value;
            PesHeader::parse(&header)
        };
        assert_eq!(with(2, 2), None);
        assert_eq!(with(3, 0xbe), None);
        assert_eq!(with(6, 0x40), None);
        // the stamp does not fit the length
        assert_eq!(with(8, 4).unwrap().pts, None);
    }

    #[test]
    fn a_packet_that_is_there_twice_counts_once() {
        let begin = packet(0x40, 10, &[&HEADER[..], &[1]].concat());
        let bytes = [&begin[..], &begin, &packet(0, 11, &[2]), &packet(0, 11, &[2])].concat();
        let header = PesHeader { stream_id: 0xe0, pts: Some(1), dts: None, bytes: 14 };
        assert_eq!(parts(&bytes, usize::MAX), [(0, Some(header), vec![1, 2], true, false)]);
        // with another payload it is another
        let bytes = [begin, packet(0, 10, &[2])].concat();
        assert_eq!(parts(&bytes, usize::MAX), [(0, Some(header), vec![1, 2], false, false)]);
    }

    #[test]
    fn packets_make_up_units() {
        let bytes = [
            packet(0, 9, &[7]),
            packet(0x40, 10, &[&HEADER[..], &[1]].concat()),
            packet(0, 11, &[2]),
            packet(0, 13, &[3]),
            packet(0x40, 14, &HEADER),
        ]
        .concat();
        let header = PesHeader { stream_id: 0xe0, pts: Some(1), dts: None, bytes: 14 };
        let expected: [Part; 3] = [
            (0, None, vec![7], true, true),
            (1, Some(header), vec![1, 2, 3], false, true),
            (4, Some(header), vec![], true, false),
        ];
        assert_eq!(parts(&bytes, usize::MAX), expected);
        // what is behind the limit does not count
        let limited = parts(&bytes, 16);
        assert_eq!(limited[1], (1, Some(header), vec![1, 2], true, false));
    }
}
