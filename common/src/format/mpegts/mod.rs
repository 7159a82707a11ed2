//! MPEG transport streams (ISO/IEC 13818-1): packets, the tables that say what is in them, and the
//! headers of PES packets. Reads in place; anything damaged costs only itself.

mod packet;
mod pes;
mod psi;
mod retime;
mod tables;
mod write;

pub use packet::{PACKET_BYTES, Packet, Packets, SYNC, first_packet};
pub use pes::{PesHeader, PesPackets, PesPart};
#[cfg(test)]
pub(in crate::format) use psi::seal;
pub use psi::{
    ASSOCIATION_PID, ASSOCIATION_TABLE, MAP_TABLE, Program, Sections, Stream, Streams, map_pid,
};

pub use retime::{Moved, Oddities, Retimer, Shift, Shifts};
pub use tables::Tables;
pub use write::{Unit, set_clock, set_decode_time, write_unit};

/// Ticks in a second of PTS and DTS (ISO/IEC 13818-1 §2.4.3.7).
pub const TICKS_PER_SECOND: u32 = 90_000;

/// The ticks from `earlier` to `stamp`, of which only the last 33 bits are known: at most half of what these can tell,
/// and negative where `stamp` is the earlier one.
pub const fn since(stamp: u64, earlier: u64) -> i64 {
    const UNKNOWN_BITS: u32 = 64 - 33;
    (stamp.wrapping_sub(earlier) << UNKNOWN_BITS).cast_signed() >> UNKNOWN_BITS
}
