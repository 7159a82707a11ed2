//! What a transport stream holds: the program association and program map tables (§2.4.4).
//!
//! Only the first program counts, as HLS allows no more (RFC 8216 §3.2). A table whose checksum is
//! wrong is passed over.

use std::borrow::Cow;

use super::{Packet, Packets};
use crate::format::codec::Codec;

/// The PID of the program association table's packets (§2.4.4.4).
pub const ASSOCIATION_PID: u16 = 0;

/// The `table_id` of the program association table (table 2-31).
pub const ASSOCIATION_TABLE: u8 = 0x00;

/// The `table_id` of the program map table (table 2-31).
pub const MAP_TABLE: u8 = 0x02;

/// The shortest section of a table, with nothing between its header and its checksum.
const SHORTEST_SECTION: usize = 12;

/// Fills a packet behind its last section, in place of a `table_id`.
const STUFFING: u8 = 0xff;

/// A program map table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program<'a>(Cow<'a, [u8]>);

impl<'a> Program<'a> {
    /// Finds the first program that `packets` describe; they stand behind its table then.
    pub fn find(packets: &mut Packets<'a>) -> Option<Self> {
        let association = section(packets, ASSOCIATION_PID, ASSOCIATION_TABLE)?;
        let map = section(packets, map_pid(&association)?, MAP_TABLE)?;
        Self::parse(map)
    }

    /// The PID of the packets that have the program's clock references (§2.4.4.8).
    pub fn clock_pid(&self) -> u16 {
        pid(self.0[8], self.0[9])
    }

    /// Reads a section of the program map table.
    pub fn parse(map: impl Into<Cow<'a, [u8]>>) -> Option<Self> {
        let map = map.into();
        (map.len() >= 16).then_some(Self(map))
    }

    /// The streams of the program, in the order of the table.
    pub fn streams(&self) -> Streams<'_> {
        let skipped = 12 + length(self.0[10], self.0[11]);
        Streams(body(&self.0, skipped).unwrap_or_default())
    }
}

/// See [`Program::streams`].
#[derive(Clone, Debug)]
pub struct Streams<'a>(&'a [u8]);

impl<'a> Iterator for Streams<'a> {
    type Item = Stream<'a>;

    fn next(&mut self) -> Option<Stream<'a>> {
        let (head, rest) = self.0.split_first_chunk::<5>()?;
        let (descriptors, rest) = rest.split_at_checked(length(head[3], head[4]))?;
        self.0 = rest;
        Some(Stream { kind: head[0], pid: pid(head[1], head[2]), descriptors })
    }
}

/// One stream of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream<'a> {
    /// The `stream_type` (§2.4.4.9).
    pub kind: u8,
    /// Of its packets.
    pub pid: u16,
    /// What else the table says of it (§2.6).
    pub descriptors: &'a [u8],
}

impl<'a> Stream<'a> {
    /// What it carries.
    pub fn codec(&self) -> Codec {
        match self.kind {
            0x03 | 0x04 => Codec::Mp3,
            0x0f => Codec::Aac,
            0x11 => Codec::AacLatm,
            0x1b => Codec::H264,
            0x24 => Codec::Hevc,
            0x81 => Codec::Ac3,
            0x84 | 0x87 => Codec::Eac3,
            // DVB's way (ETSI EN 300 468 §6.2), and a registered format identifier
            0x06 => self.private_codec(),
            // sections, metadata, splice points: nothing that is decoded
            0x05 | 0x08 | 0x0a..=0x0e | 0x13..=0x19 | 0x86 => Codec::Data,
            _ => Codec::Unknown,
        }
    }

    fn private_codec(&self) -> Codec {
        let named = self.descriptors().find_map(|(tag, content)| match (tag, content) {
            (0x6a, _) | (0x05, b"AC-3") => Some(Codec::Ac3),
            (0x7a, _) | (0x05, b"EAC3") => Some(Codec::Eac3),
            (0x05, b"Opus") => Some(Codec::Opus),
            // teletext, subtitles
            (0x56 | 0x59, _) => Some(Codec::Data),
            _ => None,
        });
        named.unwrap_or(Codec::Unknown)
    }

    /// Tag and content of each descriptor.
    pub fn descriptors(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut rest = self.descriptors;
        std::iter::from_fn(move || {
            let ([tag, length], content) = rest.split_first_chunk::<2>()?;
            let (content, behind) = content.split_at_checked(usize::from(*length))?;
            rest = behind;
            Some((*tag, content))
        })
    }
}

/// Where the map of the first program is, by a section of the program association table (§2.4.4.3).
pub fn map_pid(association: &[u8]) -> Option<u16> {
    // number and PID of each program; number 0 is something else
    let mut programs = body(association, 8)?.chunks_exact(4);
    let program = programs.find(|program| program[..2] != [0, 0])?;
    Some(pid(program[2], program[3]))
}

fn pid(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low]) & 0x1fff
}

fn length(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high, low]) & 0x0fff)
}

/// A section from `start` up to its checksum.
fn body(section: &[u8], start: usize) -> Option<&[u8]> {
    section.get(start..section.len().checked_sub(4)?)
}

/// The next section of the table `table_id` on `pid` that is whole and current.
pub(super) fn section<'a>(
    packets: &mut Packets<'a>,
    pid: u16,
    table_id: u8,
) -> Option<Cow<'a, [u8]>> {
    let mut sections = Sections::new(table_id);
    packets.filter(|packet| packet.pid() == pid).find_map(|packet| sections.take(packet))
}

/// Puts together the sections of one table from the packets of its PID.
#[derive(Clone, Debug)]
pub struct Sections {
    table_id: u8,
    /// Of the section whose end is in a later packet.
    begun: Vec<u8>,
}

impl Sections {
    /// Those of the table `table_id`.
    pub const fn new(table_id: u8) -> Self {
        Self { table_id, begun: Vec::new() }
    }

    /// The first section that ends in `packet`, if it is whole and current. Others behind it in the same
    /// packet are passed over: every table is repeated.
    pub fn take<'a>(&mut self, packet: Packet<'a>) -> Option<Cow<'a, [u8]>> {
        if packet.unusable() {
            return None;
        }
        let (behind, mut fresh) = parts(packet);
        let mut begun = std::mem::take(&mut self.begun);
        if !begun.is_empty() {
            begun.extend_from_slice(behind);
            match split_section(&begun) {
                Some((section, _)) if is_current(section, self.table_id) => {
                    let length = section.len();
                    begun.truncate(length);
                    return Some(Cow::Owned(begun));
                }
                None if !packet.starts_unit() => self.begun = begun,
                _ => {}
            }
        }
        while let Some((section, rest)) = split_section(fresh) {
            if is_current(section, self.table_id) {
                return Some(Cow::Borrowed(section));
            }
            fresh = rest;
        }
        if !fresh.is_empty() && fresh[0] != STUFFING {
            self.begun = fresh.to_vec();
        }
        None
    }
}

/// What belongs to a section that began in an earlier packet, and what begins in this one: its pointer
/// tells them apart (§2.4.4.1).
fn parts(packet: Packet<'_>) -> (&[u8], &[u8]) {
    if !packet.starts_unit() {
        return (packet.payload(), &[]);
    }
    let split = packet.payload().split_first();
    let split = split.and_then(|(pointer, rest)| rest.split_at_checked(usize::from(*pointer)));
    split.unwrap_or_default()
}

/// The section that `bytes` begin with, and what is behind it; `None` if its end is missing, or if there
/// is only stuffing.
fn split_section(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [table_id, high, low, ..] = *bytes else { return None };
    let split = || bytes.split_at_checked(3 + length(high, low));
    (table_id != STUFFING).then(split).flatten()
}

/// Whether `section` is of the table `table_id`, undamaged and in force already (§2.4.4.5).
fn is_current(section: &[u8], table_id: u8) -> bool {
    let in_force = section.get(5).is_some_and(|version| version & 1 == 1);
    section[0] == table_id
        && section.len() >= SHORTEST_SECTION
        && in_force
        && checksum(section) == 0
}

/// CRC-32/MPEG-2 (§ Annex A): zero over a section that ends in its own.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(!0, |crc, byte| {
        let index = (crc >> 24) as usize ^ usize::from(*byte);
        crc << 8 ^ CHECKSUMS[index]
    })
}

const CHECKSUMS: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    let mut first = 0;
    while index < 256 {
        let mut crc: u32 = first << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
        first += 1;
    }
    table
};

/// Gives `section` the checksum that it ought to have.
pub(in crate::format) fn seal(section: &mut [u8]) {
    let (content, sum) = section.split_last_chunk_mut::<4>().expect("it has a checksum");
    *sum = checksum(content).to_be_bytes();
}

#[cfg(test)]
mod tests;
