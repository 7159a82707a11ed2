//! What a transport stream says of its streams, as the tables come.

use crate::format::codec::Codec;
use crate::format::mpegts::{
    ASSOCIATION_PID, ASSOCIATION_TABLE, MAP_TABLE, Packet, Program, Sections, map_pid,
};

/// More streams are not taken note of.
const MOST_STREAMS: usize = 64;

/// The streams that the tables so far have named.
#[derive(Debug)]
pub(super) struct Tables {
    association: Sections,
    map: Sections,
    map_pid: Option<u16>,
    /// The section that was read last: it is repeated many times, and seldom another.
    last_map: Vec<u8>,
    /// PID and codec, in the order of the tables.
    streams: Vec<(u16, Codec)>,
    /// How many of them the first table has.
    first: usize,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            association: Sections::new(ASSOCIATION_TABLE),
            map: Sections::new(MAP_TABLE),
            map_pid: None,
            last_map: Vec::new(),
            streams: Vec::new(),
            first: 0,
        }
    }
}

impl Tables {
    /// Takes in `packet` if it is of a table.
    pub(super) fn take(&mut self, packet: Packet<'_>) {
        let pid = packet.pid();
        if pid == ASSOCIATION_PID {
            if let Some(section) = self.association.take(packet) {
                self.map_pid = map_pid(&section).or(self.map_pid);
            }
        } else if Some(pid) == self.map_pid
            && let Some(section) = self.map.take(packet)
            && *section != self.last_map
        {
            self.last_map.clear();
            self.last_map.extend_from_slice(&section);
            self.read();
        }
    }

    fn read(&mut self) {
        let Some(program) = Program::parse(&self.last_map) else { return };
        for stream in program.streams() {
            // what a PID carries at first is what the segment begins with
            if self.codec(stream.pid).is_none() && self.streams.len() < MOST_STREAMS {
                self.streams.push((stream.pid, stream.codec()));
            }
        }
        if self.first == 0 {
            self.first = self.streams.len();
        }
    }

    /// What the stream on `pid` carries, if a table said so.
    pub(super) fn codec(&self, pid: u16) -> Option<Codec> {
        let found = self.streams.iter().find(|(known, _)| *known == pid);
        found.map(|(_, codec)| *codec)
    }

    /// PID and codec of each stream in the first table.
    pub(super) fn first(&self) -> &[(u16, Codec)] {
        &self.streams[..self.first]
    }
}
