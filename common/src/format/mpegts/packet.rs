//! Transport packets (ISO/IEC 13818-1 §2.4.3.2), found by their sync byte.

/// The size of a packet.
pub const PACKET_BYTES: usize = 188;

/// What every packet begins with.
pub const SYNC: u8 = 0x47;

/// How many packets in a row show that a sync byte is one, where there are so many bytes.
const PROOF: usize = 5;

/// Where the packets begin that `bytes` hold, if there are any: the first place from which on every
/// 188th byte is a sync byte, for five packets or to the end of the bytes. At most one packet's worth
/// of other bytes may stand in front.
pub fn first_packet(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(PACKET_BYTES)?;
    (0..=last.min(PACKET_BYTES)).find(|&start| {
        let mut syncs = bytes[start..].iter().step_by(PACKET_BYTES).take(PROOF);
        syncs.all(|byte| *byte == SYNC)
    })
}

/// The packets in a stretch of bytes. Where the sync byte is missing, the next packet is the first that
/// is followed by another one or by the end; an incomplete one at the end is left out.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Packets<'a> {
    /// The packets in `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Where the next packet is looked for, counted from the first byte.
    pub const fn position(&self) -> usize {
        self.position
    }
}

/// How many bytes there are up to the next sync byte that has another at the distance of a packet, or nothing.
pub(super) fn synchronize(bytes: &[u8]) -> usize {
    let is_sync = |at: &usize| {
        bytes[*at] == SYNC && bytes.get(at + PACKET_BYTES).is_none_or(|next| *next == SYNC)
    };
    (0..bytes.len()).find(is_sync).unwrap_or(bytes.len())
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        if self.bytes.get(self.position) != Some(&SYNC) {
            self.position += synchronize(&self.bytes[self.position..]);
        }
        let packet = self.bytes[self.position..].first_chunk()?;
        self.position += PACKET_BYTES;
        Some(Packet(packet))
    }
}

/// One packet. What its header says of its own parts is believed only as far as it fits.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a>(&'a [u8; PACKET_BYTES]);

impl<'a> Packet<'a> {
    /// The packet in `bytes`; `None` where no sync byte is in front.
    pub fn new(bytes: &'a [u8; PACKET_BYTES]) -> Option<Self> {
        (bytes[0] == SYNC).then_some(Self(bytes))
    }

    /// All of it.
    pub const fn bytes(self) -> &'a [u8; PACKET_BYTES] {
        self.0
    }

    /// What its clock reference says, in ticks of 90 kHz, if it has one (§2.4.3.4).
    pub fn clock(self) -> Option<u64> {
        let field = self.0.get(5..5 + usize::from(self.0[4]));
        let field = field.filter(|_| self.has_adaptation_field() && !self.is_damaged())?;
        let [flags, clock @ ..] = *field.first_chunk::<7>()?;
        let base = clock[..5].iter().fold(0, |all, byte| all << 8 | u64::from(*byte)) >> 7;
        (flags & 0x10 != 0).then_some(base)
    }

    /// The stream it belongs to, 13 bits.
    pub fn pid(self) -> u16 {
        u16::from_be_bytes([self.0[1], self.0[2]]) & 0x1fff
    }

    /// Whether a PES packet or a section begins in it.
    pub const fn starts_unit(self) -> bool {
        self.0[1] & 0x40 != 0
    }

    /// Whether its bytes cannot be used: damaged on an earlier way, or scrambled.
    pub const fn unusable(self) -> bool {
        self.is_damaged() || self.0[3] & 0xc0 != 0
    }

    /// Whether it was damaged on an earlier way, and its header maybe as well.
    pub(super) const fn is_damaged(self) -> bool {
        self.0[1] & 0x80 != 0
    }

    /// Counts the packets of a stream that have a payload, 4 bits.
    pub const fn continuity(self) -> u8 {
        self.0[3] & 0x0f
    }

    /// Whether it carries some of its stream's bytes.
    pub const fn has_payload(self) -> bool {
        self.0[3] & 0x10 != 0
    }

    /// Whether an adaptation field stands before the payload.
    pub(super) const fn has_adaptation_field(self) -> bool {
        self.0[3] & 0x20 != 0
    }

    /// Whether its counter and clock may go on from anywhere (§2.4.3.5).
    pub(super) fn announces_discontinuity(self) -> bool {
        self.has_adaptation_field() && self.0[4] > 0 && self.0[5] & 0x80 != 0
    }

    /// Where its stream's bytes begin, if it has any: behind its end, where the adaptation field does not fit.
    pub(super) fn payload_start(self) -> usize {
        if self.has_adaptation_field() { 5 + usize::from(self.0[4]) } else { 4 }
    }

    /// Its stream's bytes; empty where it has none or its adaptation field leaves no room.
    pub fn payload(self) -> &'a [u8] {
        let bytes = self.0.get(self.payload_start()..).filter(|_| self.has_payload());
        bytes.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(header: [u8; 4], rest: &[u8]) -> [u8; PACKET_BYTES] {
        let mut packet = [0xff; PACKET_BYTES];
        packet[..4].copy_from_slice(&header);
        packet[4..4 + rest.len()].copy_from_slice(rest);
        packet
    }

    #[test]
    fn the_header_is_read_field_by_field() {
        // an adaptation field of seven bytes
        let bytes = packet([SYNC, 0x41, 0x02, 0x3a], &[7]);
        let packet = Packet(&bytes);
        assert_eq!((packet.pid(), packet.continuity()), (0x102, 10));
        assert!(packet.starts_unit() && packet.has_payload() && !packet.unusable());
        assert_eq!(packet.payload().len(), PACKET_BYTES - 12);
    }

    #[test]
    fn a_clock_reference_has_33_bits() {
        let clock = |flags, kind, rest: &[u8]| {
            let bytes = packet(
                [SYNC, 0, 1, kind],
                &[&[u8::try_from(rest.len() + 1).unwrap(), flags], rest].concat(),
            );
            Packet(&bytes).clock()
        };
        let reference = [0xff, 0xff, 0xff, 0xff, 0x7e, 0];
        assert_eq!(clock(0x10, 0x30, &reference), Some((1 << 33) - 2));
        assert_eq!(clock(0x08, 0x30, &reference), None);
        assert_eq!(clock(0x10, 0x10, &reference), None);
        assert_eq!(clock(0x10, 0x30, &reference[..5]), None);
    }

    #[test]
    fn an_adaptation_field_that_does_not_fit_leaves_nothing() {
        for length in [183, 184, 255] {
            let bytes = packet([SYNC, 0, 0, 0x30], &[length, 0x10]);
            assert_eq!(Packet(&bytes).payload(), [0; 0], "{length}");
        }
    }

    #[test]
    fn lost_sync_costs_only_what_is_in_between() {
        let one = packet([SYNC, 0, 1, 0x10], &[]);
        let other = packet([SYNC, 0, 2, 0x10], &[]);
        let bytes = [&one[..], &[1, SYNC, 3], &other, &one[..100]].concat();
        let pids: Vec<_> = Packets::new(&bytes).map(Packet::pid).collect();
        assert_eq!(pids, [1, 2]);
    }

    #[test]
    fn packets_are_found_behind_at_most_one_packet_of_other_bytes() {
        let three = [packet([SYNC, 0, 1, 0x10], &[]); 3].concat();
        assert_eq!(first_packet(&three), Some(0));
        assert_eq!(first_packet(&[&[SYNC, 0, 0][..], &three].concat()), Some(3));
        assert_eq!(first_packet(&[&[0; 300][..], &three].concat()), None);
        assert_eq!(first_packet(&three[..187]), None);
        assert_eq!(first_packet(&[]), None);
    }
}
