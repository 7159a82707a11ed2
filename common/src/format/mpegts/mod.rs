//! MPEG transport streams (ISO/IEC 13818-1): packets, the tables that say what is in them, and the
//! headers of PES packets. Reads in place; anything damaged costs only itself.

mod packet;
mod pes;
mod psi;
mod retime;

pub use packet::{PACKET_BYTES, Packet, Packets, SYNC, first_packet};
pub use pes::{PesHeader, PesPackets, PesPart};
#[cfg(test)]
pub(in crate::format) use psi::seal;
pub use psi::{
    ASSOCIATION_PID, ASSOCIATION_TABLE, MAP_TABLE, Program, Sections, Stream, Streams, map_pid,
};

pub use retime::{Oddities, Retimer, Shift};

/// Ticks in a second of PTS and DTS (ISO/IEC 13818-1 §2.4.3.7).
pub const TICKS_PER_SECOND: u32 = 90_000;
