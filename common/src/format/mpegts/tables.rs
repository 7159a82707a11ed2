//! The tables of a stream's first program, as sections to be written again.

use super::packet::{PACKET_BYTES, SYNC};
use super::psi::{self, ASSOCIATION_PID, ASSOCIATION_TABLE, MAP_TABLE};
use super::{Packets, Program, map_pid};

/// Behind the sections in a packet (§2.4.4.1).
const STUFFING: u8 = 0xff;

/// The program association table and the map of its first program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    association: Vec<u8>,
    map_pid: u16,
    map: Vec<u8>,
}

impl Tables {
    /// Finds the first tables in `packets`; they stand behind them then.
    pub fn find(packets: &mut Packets<'_>) -> Option<Self> {
        let association = psi::section(packets, ASSOCIATION_PID, ASSOCIATION_TABLE)?;
        let map_pid = map_pid(&association)?;
        let map = psi::section(packets, map_pid, MAP_TABLE)?.into_owned();
        Program::parse(map.as_slice())?;
        Some(Self { association: association.into_owned(), map_pid, map })
    }

    /// Those of a program with one stream, of the type `kind` (table 2-34), which has the clock as well.
    pub fn of_stream(kind: u8, pid: u16) -> Self {
        /// Not `pid`, whatever that is.
        const MAPS: [u16; 2] = [0x1000, 0x1001];
        let map_pid = if pid == MAPS[0] { MAPS[1] } else { MAPS[0] };
        let [high, low] = pid.to_be_bytes();
        let [map_high, map_low] = map_pid.to_be_bytes();
        let association = section(ASSOCIATION_TABLE, &[0, 1, 0xe0 | map_high, map_low]);
        let clock = [0xe0 | high, low, 0xf0, 0];
        let map = section(MAP_TABLE, &[&clock[..], &[kind, 0xe0 | high, low, 0xf0, 0]].concat());
        Self { association, map_pid, map }
    }

    /// The map.
    pub fn program(&self) -> Program<'_> {
        Program::parse(self.map.as_slice()).expect("it was one when it was found")
    }

    /// Where the map is.
    pub const fn map_pid(&self) -> u16 {
        self.map_pid
    }

    /// Appends the packets of both tables, with counters from zero.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_section(out, ASSOCIATION_PID, &self.association);
        write_section(out, self.map_pid, &self.map);
    }
}

/// A section of the table `table_id` with `content` behind the fields that all have (§2.4.4.1): number 1, version 0,
/// in force, the only one.
fn section(table_id: u8, content: &[u8]) -> Vec<u8> {
    const CHECKSUM_BYTES: usize = 4;
    // what follows the length: five bytes, the content, the checksum
    let length = u8::try_from(5 + content.len() + CHECKSUM_BYTES).expect("it is short");
    let mut section = vec![table_id, 0xb0, length, 0, 1, 0xc1, 0, 0];
    section.extend_from_slice(content);
    section.extend_from_slice(&[0; CHECKSUM_BYTES]);
    psi::seal(&mut section);
    section
}

fn write_section(out: &mut Vec<u8>, pid: u16, section: &[u8]) {
    let [high, low] = pid.to_be_bytes();
    // a pointer to the first section that begins in the first packet
    let mut rest: &[u8] = &[&[0], section].concat();
    for counter in (0..16).cycle() {
        let begins = if counter == 0 && rest.len() == section.len() + 1 { 0x40 } else { 0 };
        let (here, behind) = rest.split_at(rest.len().min(PACKET_BYTES - 4));
        let end = out.len() + PACKET_BYTES;
        out.extend_from_slice(&[SYNC, begins | high, low, 0x10 | counter]);
        out.extend_from_slice(here);
        out.resize(end, STUFFING);
        rest = behind;
        if rest.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::mpegts::Stream;

    #[test]
    fn tables_are_found_as_they_were_written() {
        let sample = include_bytes!("../../../testdata/media/h264-aac.ts");
        let found = Tables::find(&mut Packets::new(sample)).unwrap();
        let mut written = Vec::new();
        found.write(&mut written);
        assert_eq!(written.len(), 2 * PACKET_BYTES);
        assert_eq!(Tables::find(&mut Packets::new(&written)), Some(found.clone()));
        let program = Program::find(&mut Packets::new(sample)).unwrap();
        assert!(found.program().streams().eq(program.streams()));
        assert_eq!(found.program().clock_pid(), 0x100);
    }

    #[test]
    fn a_section_may_take_several_packets() {
        let mut tables = Tables::of_stream(0x1b, 0x100);
        let streams: Vec<u8> = (0..100).flat_map(|low| [0x0f, 0xe1, low, 0xf0, 0]).collect();
        tables.map.truncate(12);
        tables.map.extend(streams);
        tables.map.extend([0; 4]);
        let [_, high, low] = (u32::try_from(tables.map.len() - 3).unwrap() | 0xb000).to_be_bytes()
            [1..]
            .try_into()
            .unwrap();
        tables.map[1..3].copy_from_slice(&[high, low]);
        psi::seal(&mut tables.map);
        let mut written = Vec::new();
        tables.write(&mut written);
        assert_eq!(written.len(), 4 * PACKET_BYTES);
        assert_eq!(Tables::find(&mut Packets::new(&written)), Some(tables));
    }

    #[test]
    fn a_stream_of_ones_own_has_tables() {
        for pid in [0x100, 0x1000] {
            let tables = Tables::of_stream(0x24, pid);
            let mut written = Vec::new();
            tables.write(&mut written);
            let found = Tables::find(&mut Packets::new(&written)).unwrap();
            let program = found.program();
            let stream = Stream { kind: 0x24, pid, descriptors: &[] };
            assert!(program.streams().eq([stream]));
            assert_eq!(program.clock_pid(), pid);
            assert_ne!(found.map_pid, pid);
        }
    }
}
