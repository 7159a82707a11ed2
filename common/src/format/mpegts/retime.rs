//! Moving a stream on its clock, in place: time stamps, clock references and continuity counters
//! (ISO/IEC 13818-1 §2.4.3). Pure.

use super::packet::{PACKET_BYTES, Packet, SYNC, synchronize};
use super::pes::{self, STAMPED_BYTES, Stamps};

/// How many values a time stamp has: it has 33 bits (§2.4.3.7).
const STAMPS: i64 = 1 << 33;
/// How many PIDs there are.
const PIDS: usize = 1 << 13;
/// Fills a stream up and means nothing (table 2-3).
const NULL_PID: u16 = 0x1fff;
/// In place of what is added to counters: no packet has come yet.
const UNKNOWN: u8 = 0xff;
/// How many packets a PES header may be spread over, other streams' packets among them included.
const FARTHEST: usize = 64;

/// How far time stamps are moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift(u64);

impl Shift {
    /// By so many ticks of 90 kHz, backwards if that is negative.
    pub const fn by(ticks: i64) -> Self {
        Self(ticks.rem_euclid(STAMPS).cast_unsigned())
    }

    /// The one that makes `stamp` become `target`; both have 33 bits.
    pub const fn from_to(stamp: u64, target: u64) -> Self {
        Self(target.wrapping_sub(stamp) % STAMPS.cast_unsigned())
    }

    /// By as much as this one and `other` together.
    #[must_use]
    pub const fn then(self, other: Self) -> Self {
        Self(other.moved(self.0))
    }

    /// Where `stamp` comes to be. The value after the last is 0.
    pub const fn moved(self, stamp: u64) -> u64 {
        stamp.wrapping_add(self.0) % STAMPS.cast_unsigned()
    }
}

/// How far the streams of a stretch are moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shifts {
    /// All that are not named, and all clock references.
    pub all: Shift,
    /// The time stamps on these PIDs, which are few.
    pub apart: Vec<(u16, Shift)>,
}

impl Shifts {
    /// That of the time stamps on `pid`.
    pub fn of(&self, pid: u16) -> Shift {
        let apart = self.apart.iter().find(|(other, _)| *other == pid);
        apart.map_or(self.all, |(_, shift)| *shift)
    }
}

impl From<Shift> for Shifts {
    fn from(all: Shift) -> Self {
        Self { all, apart: Vec::new() }
    }
}

/// A PES packet that was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Of the stream that it belongs to.
    pub pid: u16,
    /// Its presentation time stamp after that.
    pub pts: u64,
    /// Its decode time stamp, where that differs.
    pub dts: Option<u64>,
}

/// What was met that is not as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Bytes that belong to no packet, since no sync byte is where one should be, or the packet ends early.
    pub stray_bytes: u64,
    /// Packets that were damaged before, which stay as they are, or whose content is scrambled, in which time stamps do.
    pub unusable_packets: u64,
    /// PES packets whose time stamps are not where the header says.
    pub headers_cut: u64,
}

/// Makes one stream of stretches of others.
///
/// PTS, DTS, PCR and OPCR of a stretch are moved by the same shift, but for streams that are named, and so keep their
/// distances: a stretch has to end where its clock jumps. Other time stamps (ESCR, `DTS_next_AU`, those in sections) stay as they are. The continuity
/// counters of each PID go on from one stretch to the next; within a stretch they keep their distances too, so that
/// packets which are missing, or are there twice (§2.4.3.3), can still be told, and go on where a discontinuity is
/// announced (§2.4.3.5), which is not announced any more.
#[derive(Clone, Debug)]
pub struct Retimer {
    /// The newest counter of each PID.
    newest: Box<[u8; PIDS]>,
    /// What is added to each PID's counters in this stretch, or [`UNKNOWN`].
    added: Box<[u8; PIDS]>,
}

impl Default for Retimer {
    fn default() -> Self {
        // the first counter is 0
        Self { newest: Box::new([0x0f; PIDS]), added: Box::new([UNKNOWN; PIDS]) }
    }
}

impl Retimer {
    /// Moves everything in `stretch`, which should hold whole packets, and tells `each` PES packet that has time stamps.
    /// Bytes that belong to no packet stay as they are, as do time stamps that cannot be read.
    pub fn retime(
        &mut self,
        stretch: &mut [u8],
        shifts: &Shifts,
        mut each: impl FnMut(Moved),
    ) -> Oddities {
        self.added.fill(UNKNOWN);
        let mut oddities = Oddities::default();
        let mut rest = stretch;
        while rest.len() >= PACKET_BYTES {
            if rest[0] != SYNC {
                let stray = synchronize(rest);
                oddities.stray_bytes += stray as u64;
                rest = &mut std::mem::take(&mut rest)[stray..];
            } else if let Some((packet, behind)) = std::mem::take(&mut rest).split_first_chunk_mut()
            {
                self.packet(packet, behind, shifts, &mut each, &mut oddities);
                rest = behind;
            }
        }
        oddities.stray_bytes += rest.len() as u64;
        oddities
    }

    fn packet(
        &mut self,
        packet: &mut [u8; PACKET_BYTES],
        behind: &mut [u8],
        shifts: &Shifts,
        each: &mut impl FnMut(Moved),
        oddities: &mut Oddities,
    ) {
        let Some(header) = Packet::new(packet) else { return };
        let pid = header.pid();
        if pid == NULL_PID {
            return;
        }
        let (has_field, start) = (header.has_adaptation_field(), header.payload_start());
        let begins_unit = header.starts_unit() && header.has_payload() && !header.unusable();
        oddities.unusable_packets += u64::from(header.unusable());
        if header.is_damaged() {
            return;
        }
        if header.announces_discontinuity() {
            self.added[usize::from(pid)] = UNKNOWN;
        }
        let counter = self.counter(pid, header.continuity(), header.has_payload());
        packet[3] = packet[3] & 0xf0 | counter;
        // which is not scrambled (§2.4.3.3)
        if has_field {
            move_clock(packet, shifts.all);
        }
        if let Some(payload) = packet.get_mut(start..).filter(|_| begins_unit) {
            match move_stamps(payload, behind, pid, shifts.of(pid)) {
                Ok([Some(pts), dts]) => each(Moved { pid, pts, dts }),
                Ok([None, _]) => {}
                Err(Cut) => oddities.headers_cut += 1,
            }
        }
    }

    /// What becomes of `counter`, which a packet has that has a payload, or else repeats the one before.
    fn counter(&mut self, pid: u16, counter: u8, has_payload: bool) -> u8 {
        let pid = usize::from(pid);
        let (newest, added) = (&mut self.newest[pid], &mut self.added[pid]);
        if *added == UNKNOWN {
            *added = newest.wrapping_add(u8::from(has_payload)).wrapping_sub(counter) & 0x0f;
        }
        *newest = counter.wrapping_add(*added) & 0x0f;
        *newest
    }
}

/// Moves the clock references in a packet's adaptation field (§2.4.3.4). How the 27 MHz lie between the ticks stays.
fn move_clock(packet: &mut [u8; PACKET_BYTES], shift: Shift) {
    let end = 5 + usize::from(packet[4]);
    let Some(field) = packet.get_mut(5..end) else { return };
    let Some((flags, mut rest)) = field.split_first_mut() else { return };
    // discontinuity_indicator
    *flags &= 0x7f;
    // PCR_flag, OPCR_flag
    for flag in [0x10, 0x08] {
        if *flags & flag == 0 {
            continue;
        }
        let Some((reference, behind)) = rest.split_first_chunk_mut::<6>() else { return };
        // 33 bits of 90 kHz, six of nothing, and nine of 27 MHz
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(reference);
        let all = u64::from_be_bytes(bytes);
        let moved = shift.moved(all >> 15) << 15 | all & 0x7fff;
        reference.copy_from_slice(&moved.to_be_bytes()[2..]);
        rest = behind;
    }
}

/// A header that ends before the stamps that it announces.
#[derive(Debug)]
struct Cut;

/// Moves the stamps of the PES packet that begins with `payload` and goes on in the packets of `pid` that are
/// `behind`. Returns what becomes of them.
fn move_stamps(
    payload: &mut [u8],
    behind: &mut [u8],
    pid: u16,
    shift: Shift,
) -> Result<[Option<u64>; 2], Cut> {
    let move_all = |bytes: &mut [u8], places: [Option<usize>; 2]| {
        places.map(|place| move_stamp(&mut bytes[place?..], shift))
    };
    match pes::stamps(payload) {
        Stamps::Nothing => Ok([None; 2]),
        Stamps::At(places) => Ok(move_all(payload, places)),
        Stamps::Cut => {
            let mut header = [0; STAMPED_BYTES];
            let own = payload.len().min(STAMPED_BYTES);
            header[..own].copy_from_slice(&payload[..own]);
            let mut length = own;
            continuation(behind, pid, STAMPED_BYTES - own, |byte| {
                header[length] = *byte;
                length += 1;
            });
            let moved = match pes::stamps(&header[..length]) {
                Stamps::Nothing => return Ok([None; 2]),
                Stamps::At(places) => move_all(&mut header, places),
                Stamps::Cut => return Err(Cut),
            };
            let (begin, end) = header[..length].split_at(own);
            payload[..own].copy_from_slice(begin);
            let mut end = end.iter();
            continuation(behind, pid, length - own, |byte| {
                end.next().into_iter().for_each(|moved| *byte = *moved);
            });
            Ok(moved)
        }
    }
}

fn move_stamp(bytes: &mut [u8], shift: Shift) -> Option<u64> {
    let stamp = bytes.first_chunk_mut()?;
    let moved = shift.moved(pes::time(*stamp));
    *stamp = pes::with_time(*stamp, moved);
    Some(moved)
}

/// Calls `each` with the next bytes of what goes on in the packets of `pid` in `bytes`, `count` at most.
fn continuation(bytes: &mut [u8], pid: u16, count: usize, mut each: impl FnMut(&mut u8)) {
    let mut left = count;
    let (packets, _) = bytes.as_chunks_mut();
    for bytes in packets.iter_mut().take(FARTHEST) {
        let Some(packet) = Packet::new(bytes).filter(|_| left > 0) else { return };
        if packet.pid() != pid || !packet.has_payload() {
            continue;
        }
        // another begins, or what there is cannot be used
        if packet.starts_unit() || packet.unusable() {
            return;
        }
        let start = packet.payload_start();
        let payload = bytes.get_mut(start..).unwrap_or_default();
        let here = payload.len().min(left);
        payload[..here].iter_mut().for_each(&mut each);
        left -= here;
    }
}

#[cfg(test)]
mod tests;
