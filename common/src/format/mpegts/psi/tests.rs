use super::*;
use crate::format::mpegts::PACKET_BYTES;

const REAL: &[u8] = include_bytes!("../../../../testdata/media/h264-aac.ts");

/// A section of `table_id` with its length and checksum, the body being what is between them.
fn with_checksum(table_id: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).unwrap() | 0xb000;
    let mut section = vec![table_id];
    section.extend(length.to_be_bytes());
    section.extend(body);
    section.extend(checksum(&section).to_be_bytes());
    section
}

/// `section` in packets on `pid`.
fn packets(pid: u16, section: &[u8]) -> Vec<u8> {
    let section = [&[0], section].concat();
    let mut all = Vec::new();
    for (index, part) in section.chunks(PACKET_BYTES - 4).enumerate() {
        let start = if index == 0 { 0x40 } else { 0 };
        let [high, low] = pid.to_be_bytes();
        let mut packet = vec![0x47, high | start, low, 0x10 | u8::try_from(index).unwrap() & 15];
        packet.extend(part);
        packet.resize(PACKET_BYTES, 0xff);
        all.extend(packet);
    }
    all
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
    assert_eq!(program.clock_pid(), 0x100);
    let streams: Vec<_> = program.streams().map(|stream| (stream.pid, stream.codec())).collect();
    assert_eq!(streams, [(0x100, Codec::H264), (0x101, Codec::Aac)]);
    // behind SDT, PAT and PMT
    assert_eq!(reader.position(), 3 * PACKET_BYTES);
}

#[test]
fn a_table_may_span_packets() {
    let stream = [0x1b, 0xe1, 0, 0xf0, 200];
    let map = map(&[&stream[..], &[0x52; 200], &[0x0f, 0xe1, 1, 0xf0, 0]].concat());
    let bytes = [packets(0, &association()), packets(0x1000, &map)].concat();
    assert_eq!(bytes.len(), 3 * PACKET_BYTES);
    let program = Program::find(&mut Packets::new(&bytes)).unwrap();
    let pids: Vec<_> = program.streams().map(|stream| stream.pid).collect();
    assert_eq!(pids, [0x100, 0x101]);
}

#[test]
fn a_damaged_table_is_passed_over() {
    let mut damaged = map(&[0x24, 0xe1, 0, 0xf0, 0]);
    damaged[12] ^= 1;
    let good = map(&[0x0f, 0xe1, 1, 0xf0, 0]);
    let bytes = [packets(0, &association()), packets(0x1000, &damaged)].concat();
    assert_eq!(Program::find(&mut Packets::new(&bytes)), None);
    let bytes = [bytes, packets(0x1000, &good)].concat();
    let program = Program::find(&mut Packets::new(&bytes)).unwrap();
    assert_eq!(program.streams().next().unwrap().pid, 0x101);
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
