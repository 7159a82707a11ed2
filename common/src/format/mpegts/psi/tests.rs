use super::*;
use crate::format::mpegts::PACKET_BYTES;

const REAL: &[u8] = include_bytes!("../../../../testdata/media/h264-aac.ts");

/// A section of `table_id` with its length and checksum, the body being what is between them.
fn with_checksum(table_id: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).unwrap() | 0xb000;
    let mut section = vec![table_id];
    section.extend(length.to_be_bytes());
    section.extend(body);
    section.extend([0; 4]);
    seal(&mut section);
    section
}

/// `sections` in packets on `pid`, each right behind the one before, wherever that ends.
fn packets(pid: u16, sections: &[Vec<u8>]) -> Vec<u8> {
    const ROOM: usize = PACKET_BYTES - 4;
    let starts = sections.iter().scan(0, |end, section| {
        *end += section.len();
        Some(*end - section.len())
    });
    let starts: Vec<usize> = starts.collect();
    let (content, mut at, mut all) = (sections.concat(), 0, Vec::new());
    let [high, low] = pid.to_be_bytes();
    while at < content.len() {
        let pointer = starts.iter().find(|start| **start >= at).map_or(ROOM, |start| *start - at);
        let (header, length) = match pointer {
            0..=182 => ([high | 0x40, low, 0x10, u8::try_from(pointer).unwrap()], ROOM - 1),
            // no room for a pointer beside that byte, which must not be in a packet without: an
            // adaptation field of no bytes
            183 => ([high, low, 0x30, 0], ROOM - 1),
            _ => ([high, low, 0x10, content[at]], ROOM),
        };
        let end = content.len().min(at + length);
        all.push(0x47);
        all.extend(header);
        all.extend(&content[if length == ROOM { at + 1 } else { at }..end]);
        all.resize(all.len().next_multiple_of(PACKET_BYTES), 0xff);
        at = end;
    }
    all
}

/// The PIDs of the streams of the program that is found in `bytes`.
fn found(bytes: &[u8]) -> Option<Vec<u16>> {
    let program = Program::find(&mut Packets::new(bytes))?;
    Some(program.streams().map(|stream| stream.pid).collect())
}

fn association() -> Vec<u8> {
    // stream 1, version 0, current; the network's PID, then program 1 on PID 0x1000
    with_checksum(0, &[0, 1, 0xc1, 0, 0, 0, 0, 0xe0, 0x10, 0, 1, 0xf0, 0])
}

fn map(streams: &[u8]) -> Vec<u8> {
    with_checksum(2, &[&[0, 1, 0xc1, 0, 0, 0xe1, 0, 0xf0, 0], streams].concat())
}

#[test]
fn a_program_of_ffmpeg_is_found() {
    let mut reader = Packets::new(REAL);
    let program = Program::find(&mut reader).unwrap();
    let streams: Vec<_> = program.streams().map(|stream| (stream.pid, stream.codec())).collect();
    assert_eq!(streams, [(0x100, Codec::H264), (0x101, Codec::Aac)]);
    // behind SDT, PAT and PMT
    assert_eq!(reader.position(), 3 * PACKET_BYTES);
}

#[test]
fn a_table_may_begin_and_end_anywhere() {
    let stream = [0x1b, 0xe1, 0, 0xf0, 200];
    let map = map(&[&stream[..], &[0x52; 200], &[0x0f, 0xe1, 1, 0xf0, 0]].concat());
    let tables = packets(0, &[association()]);
    for length in 0..=400 {
        // neither a map nor, below 9 bytes, with what a map begins with
        let mut other = vec![0xc0, 0, 0];
        other.resize(3 + length, 7);
        other[1..3].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        let sections = packets(0x1000, &[other.clone(), map.clone(), other]);
        let bytes = [&tables[..], &sections].concat();
        assert_eq!(found(&bytes), Some(vec![0x100, 0x101]), "{length}");
        // only its beginning
        assert_eq!(found(&bytes[..tables.len() + PACKET_BYTES]), None, "{length}");
    }
}

#[test]
fn a_damaged_table_is_passed_over() {
    let mut damaged = map(&[0x24, 0xe1, 0, 0xf0, 0]);
    damaged[12] ^= 1;
    let good = map(&[0x0f, 0xe1, 1, 0xf0, 0]);
    let tables = packets(0, &[association()]);
    let sections = [damaged, good];
    let [alone, next] = [0, 1].map(|index| packets(0x1000, &sections[index..=index]));
    assert_eq!(found(&[&tables[..], &alone].concat()), None);
    // in a packet of its own, and in the same
    assert_eq!(found(&[&tables[..], &alone, &next].concat()), Some(vec![0x101]));
    let together = packets(0x1000, &sections);
    assert_eq!(found(&[&tables[..], &together].concat()), Some(vec![0x101]));
}

#[test]
fn a_table_that_is_not_in_force_yet_is_passed_over() {
    let mut next = map(&[0x24, 0xe1, 0, 0xf0, 0]);
    assert_eq!(next[5], 0xc1);
    next[5] = 0xc0;
    seal(&mut next);
    let good = map(&[0x0f, 0xe1, 1, 0xf0, 0]);
    let bytes = [packets(0, &[association()]), packets(0x1000, &[next, good])].concat();
    assert_eq!(found(&bytes), Some(vec![0x101]));
}

#[test]
fn private_streams_are_told_by_their_descriptors() {
    let codec = |descriptors| Stream { kind: 6, pid: 1, descriptors }.codec();
    assert_eq!(codec(&[0x0a, 1, 0, 0x6a, 1, 0]), Codec::Ac3);
    assert_eq!(codec(b"\x05\x04Opus\x7f\x02\x80\x02"), Codec::Opus);
    assert_eq!(codec(&[0x59, 0]), Codec::Data);
    assert_eq!(codec(&[0x6a, 9]), Codec::Unknown);
    assert_eq!(codec(&[]), Codec::Unknown);
}
