//! Whatever casts doubt on a segment makes it dependent.

use super::*;

#[test]
fn doubts_make_a_segment_dependent() {
    let (_, bytes) = sample!("h264-aac.ts");
    // the packet of the first picture, behind SDT, PAT and PMT
    let first = 3 * mpegts::PACKET_BYTES;
    let with = |at: usize, value: u8| {
        let mut changed = bytes.to_vec();
        changed[at] = value;
        whole(&changed)
    };
    assert!(with(first, bytes[first]).independent);
    assert!(!with(first + 1, bytes[first + 1] | 0x80).independent, "damaged on its way");
    assert!(!with(first + 3, bytes[first + 3] | 0x80).independent, "scrambled");
    assert!(!with(first + mpegts::PACKET_BYTES + 3, 0x1f).independent, "a packet is missing");
    assert!(!whole(&bytes[first + mpegts::PACKET_BYTES..]).independent, "begins within a picture");
    // the picture's start code, in two packets
    let sps = bytes.windows(5).position(|window| window == [0, 0, 0, 1, 0x67]).unwrap();
    assert!(!with(sps + 4, 0x6c).independent, "no sequence parameter set");
    let pps = bytes.windows(5).position(|window| window == [0, 0, 0, 1, 0x68]).unwrap();
    assert!(!with(pps + 4, 0x6c).independent, "no picture parameter set");
    let header = bytes.windows(4).position(|window| window == [0, 0, 1, 0xe0]).unwrap();
    assert!(!with(header + 2, 2).independent, "the picture's time is not known");
}

#[test]
fn tables_come_first_or_too_late() {
    let (head, bytes) = sample!("h264-aac.ts");
    let (tables, rest) = bytes.split_at(3 * mpegts::PACKET_BYTES);
    for packets in [1, 20] {
        let (begun, rest) = rest.split_at(packets * mpegts::PACKET_BYTES);
        let late = whole(&[begun, tables, rest].concat());
        let Container::MpegTs { tables } = late.container else { panic!("{late:?}") };
        assert!(tables.start > u32::try_from(mpegts::PACKET_BYTES).unwrap(), "{tables:?}");
        let container = late.container;
        assert_eq!(late, Head { container, independent: false, ..head });
    }
}

#[test]
fn every_stream_must_be_understood() {
    let (_, bytes) = sample!("h264-aac.ts");
    let sound_as = |kind: u8| {
        whole(&with_map(bytes, |map| {
            assert_eq!(map[17], 0x0f);
            map[17] = kind;
        }))
    };
    assert!(sound_as(0x0f).independent && sound_as(0x15).independent);
    assert!(!sound_as(0x1b).independent, "two of video");
    assert!(!sound_as(0x90).independent, "of an unknown kind");

    let (_, bytes) = sample!("h264-aac.mp4");
    let entry = bytes.windows(4).position(|window| window == b"mp4a").unwrap();
    let sound_as = |kind: &[u8; 4]| {
        let mut changed = bytes.to_vec();
        changed[entry..entry + 4].copy_from_slice(kind);
        whole(&changed)
    };
    assert!(sound_as(b"mp4a").independent && sound_as(b"wvtt").independent);
    assert!(!sound_as(b"av01").independent, "two of video");
    assert!(!sound_as(b"abcd").independent, "of an unknown kind");
}

#[test]
fn video_leads_wherever_it_stands() {
    let (_, bytes) = sample!("h264-aac.mp4");
    let part = |kind: &[u8]| bytes.windows(4).position(|window| window == kind).unwrap() - 4;
    let (first, end) = (part(b"trak"), part(b"mvex"));
    let second =
        first + bytes[first..end].windows(4).rposition(|part| part == b"trak").unwrap() - 4;
    let parts = [&bytes[..first], &bytes[second..end], &bytes[first..second], &bytes[end..]];
    let mut changed = parts.concat();
    assert!(whole(&changed).independent);
    let picture = bytes.windows(2).position(|window| window == [0x65, 0x88]).unwrap();
    changed[picture] = 0x61;
    assert!(!whole(&changed).independent);
}

#[test]
fn flags_and_pictures_of_mp4_must_agree() {
    let (head, bytes) = sample!("av1-opus.mp4");
    assert!(head.independent);
    let mut changed = bytes.to_vec();
    let trun = bytes.windows(4).position(|window| window == b"trun").unwrap();
    // the flags of the first sample: it needs others
    assert_eq!(bytes[trun + 16..trun + 20], [2, 0, 0, 0]);
    changed[trun + 16..trun + 20].copy_from_slice(&[1, 1, 0, 0]);
    assert!(!whole(&changed).independent);

    let (head, bytes) = sample!("h264-aac.mp4");
    assert!(head.independent);
    // its type is IDR, and no other unit begins so
    let picture = bytes.windows(2).position(|window| window == [0x65, 0x88]).unwrap();
    let mut changed = bytes.to_vec();
    changed[picture] = 0x61;
    assert!(!whole(&changed).independent);

    // where the picture is, is counted from a place in some other file
    let mut changed = bytes.to_vec();
    let tfhd = bytes.windows(4).position(|window| window == b"tfhd").unwrap();
    assert_eq!(bytes[tfhd + 4..tfhd + 8], [0, 2, 0, 0x38]);
    changed[tfhd + 4..tfhd + 8].copy_from_slice(&[0, 0, 0, 0x21]);
    assert!(!whole(&changed).independent);
}

#[test]
fn layer_iii_in_mp4_may_need_what_is_before_it() {
    let (head, bytes) = sample!("aac.mp4");
    assert!(head.independent);
    let esds = bytes.windows(4).position(|window| window == b"esds").unwrap();
    let mut changed = bytes.to_vec();
    assert_eq!(bytes[esds + 21], 0x40);
    changed[esds + 21] = 0x6b;
    assert!(!whole(&changed).independent);
}
