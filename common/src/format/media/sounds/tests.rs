use super::*;
use crate::format::mpegts::{PACKET_BYTES, Program};

macro_rules! samples {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../../../../testdata/media/", $name)).as_slice())),*]
    };
}

const SAMPLES: [(&str, &[u8]); 5] =
    samples! { "h264-aac.ts" "h264-mp3.ts" "h264-ac3.ts" "h264-eac3.ts" "aac.ts" };

/// As ffprobe tells them: file, time, bytes.
const EXPECTED: &str = include_str!("../../../../testdata/media/sounds.txt");

fn of(bytes: &[u8]) -> Sounds {
    let program = Program::find(&mut Packets::new(bytes)).unwrap();
    let sound = program.streams().find(|stream| stream.codec().is_audio()).unwrap();
    sounds(bytes, sound.pid)
}

#[test]
fn frames_are_when_and_as_long_as_others_find_them() {
    for (name, bytes) in SAMPLES {
        let found = of(bytes);
        assert_eq!(found.stray_bytes, 0, "{name}");
        let told: Vec<String> = found
            .frames
            .iter()
            .map(|sound| format!("{name} {} {}", sound.pts, sound.bytes.len()))
            .collect();
        let of_sample = |line: &&str| line.split(' ').next() == Some(name);
        let expected: Vec<&str> = EXPECTED.lines().filter(of_sample).collect();
        assert_eq!(told, expected);
        assert!(found.frames.windows(2).all(|pair| pair[0].bytes.end == pair[1].bytes.start));
    }
}

/// An ADTS frame of 1024 samples at 44.1 kHz, with so many bytes behind its header.
fn frame(bytes: u8) -> Vec<u8> {
    let mut frame = vec![0xff, 0xf1, 0x50, 0x80, (bytes + 7) >> 3, (bytes + 7) << 5 | 0x1f, 0xfc];
    frame.resize(usize::from(bytes) + 7, bytes);
    frame
}

/// A PES packet of `payload` with that time, if it has one, in one transport packet.
fn unit(counter: u8, pts: Option<u8>, payload: &[u8]) -> Vec<u8> {
    let header = match pts {
        Some(pts) => vec![0, 0, 1, 0xc0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, pts >> 7, pts << 1 | 1],
        None => vec![0, 0, 1, 0xc0, 0, 0, 0x80, 0, 0],
    };
    let pes = [&header[..], payload].concat();
    let field = PACKET_BYTES - 5 - pes.len();
    let mut packet = vec![0x47, 0x40, 1, 0x30 | counter, u8::try_from(field).unwrap()];
    packet.resize(PACKET_BYTES - pes.len(), 0);
    packet.extend(pes);
    packet
}

/// The time and the bytes of each frame, and how many bytes are stray.
fn found(units: &[Vec<u8>]) -> (Vec<(u64, usize)>, usize) {
    let Sounds { frames, stray_bytes, .. } = sounds(&units.concat(), 1);
    let frames = frames.iter().map(|sound| (sound.pts, sound.bytes.len()));
    (frames.collect(), stray_bytes)
}

#[test]
fn a_time_is_that_of_the_first_frame_which_begins_there() {
    let (a, b, c) = (frame(10), frame(20), frame(30));
    let (begin, end) = b.split_at(5);
    let units = [
        unit(0, Some(100), &[&a[..], begin].concat()),
        unit(1, Some(200), &[end, &c].concat()),
        unit(2, None, &a),
    ];
    // 1024 samples at 44.1 kHz are 2089.8 ticks
    assert_eq!(found(&units), (vec![(100, 17), (2190, 27), (200, 37), (2290, 17)], 0));
}

#[test]
fn a_frame_that_ends_in_the_next_packet_has_the_time_of_its_own() {
    let (a, b) = (frame(10), frame(20));
    let units = [
        unit(0, Some(100), &a[..5]),
        unit(1, Some(200), &[&a[5..], &b[..5]].concat()),
        unit(2, Some(250), &b[5..]),
    ];
    assert_eq!(found(&units), (vec![(100, 17), (200, 27)], 0));
}

#[test]
fn behind_what_is_no_frame_there_is_no_time() {
    let a = frame(10);
    let units = [unit(0, Some(100), &[&a[..], &[1, 2, 3], &a].concat()), unit(1, None, &a)];
    assert_eq!(found(&units), (vec![(100, 17)], 3 + 17 + 17));
}

#[test]
fn roundings_do_not_add_up() {
    let frames: Vec<u8> = std::iter::repeat_n(frame(1), 20).flatten().collect();
    let (times, _) = found(&[unit(0, Some(0), &frames)]);
    assert_eq!(times[19].0, 39706, "19 times 2089.8");
}

#[test]
fn times_go_on_where_their_33_bits_begin_anew() {
    let mut unit = unit(0, Some(0), &[frame(1), frame(1)].concat());
    let stamp = unit.len() - 2 * frame(1).len() - 5;
    unit[stamp..stamp + 5].copy_from_slice(&[0x2f, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(found(&[unit]).0, [((1 << 33) - 1, 8), (2089, 8)]);
}

#[test]
fn damage_costs_what_is_near_it() {
    let (a, b) = (frame(10), frame(20));
    let (begin, end) = b.split_at(5);
    // without a time, without a beginning, of another kind; and a frame whose end never comes
    let units = [
        unit(0, None, &a),
        unit(1, Some(100), &a),
        unit(2, Some(101), &[&[1, 2, 3][..], &a].concat()),
        unit(3, Some(102), &[&a[..], begin].concat()),
    ];
    assert_eq!(found(&units), (vec![(100, 17), (102, 17)], 17 + 20 + 5));
    // a packet is missing before the rest of a frame
    let mut rest = unit(5, None, end);
    rest[1] = 0;
    let units = [unit(3, Some(102), &[&a[..], begin].concat()), rest, unit(6, Some(103), &a)];
    assert_eq!(found(&units), (vec![(103, 17)], 17 + 5 + 22 + 9));
    // the end of a frame is missing, and what comes then is of others
    let units = [
        unit(3, Some(102), &[&a[..], begin].concat()),
        unit(5, None, &[end, &a].concat()),
        unit(6, Some(103), &a),
    ];
    assert_eq!(found(&units), (vec![(102, 17), (103, 17)], 5 + 22 + 17));
    // how much is missing is not known, and so neither is the time behind it
    let units = [unit(3, Some(102), &a), unit(5, None, &a), unit(6, Some(103), &a)];
    assert_eq!(found(&units), (vec![(102, 17), (103, 17)], 17));
    assert_eq!(found(&[]), (vec![], 0));
}

#[test]
fn frames_of_nothing_come_to_an_end() {
    // a length of 0 and one of 6, which are less than the header
    for length in [0, 6] {
        let nothing = [0xff, 0xf1, 0x50, 0x80, 0, length << 5 | 0x1f, 0xfc];
        assert_eq!(found(&[unit(0, Some(0), &nothing)]), (vec![], 7));
    }
}

#[test]
fn a_tag_between_packed_frames_is_none_here() {
    // it would swallow 100 bytes
    let tag = b"ID3\x04\0\0\0\0\0\x64";
    let (a, b) = (frame(10), frame(20));
    let units = [unit(0, Some(0), &[&a[..], tag].concat()), unit(1, Some(90), &b)];
    assert_eq!(found(&units), (vec![(0, 17), (90, 27)], 10));
}

#[test]
fn what_is_heard_together_is_one() {
    // E-AC-3 of 1536 samples, and a substream that depends on it; 8 bytes each
    let (first, dependent) =
        ([0x0b, 0x77, 0x00, 3, 0x30, 0x80, 0, 0], [0x0b, 0x77, 0x40, 3, 0x30, 0x80, 0, 0]);
    let frames = [first, dependent, first].concat();
    assert_eq!(found(&[unit(0, Some(0), &frames)]), (vec![(0, 16), (2880, 8)], 0));
}
