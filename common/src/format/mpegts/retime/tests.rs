use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::format::mpegts::{Packets, PesHeader, PesPackets, Program};

const SAMPLES: [(&str, &[u8]); 4] = [
    ("h264-aac", include_bytes!("../../../../testdata/media/h264-aac.ts")),
    ("h264-ac3", include_bytes!("../../../../testdata/media/h264-ac3.ts")),
    ("h264-mid-gop", include_bytes!("../../../../testdata/media/h264-mid-gop.ts")),
    ("hevc-open-gop", include_bytes!("../../../../testdata/media/hevc-open-gop.ts")),
];

const WRAP: u64 = 1 << 33;

/// Every presentation and decode time stamp, stream by stream.
fn stamps(bytes: &[u8]) -> Vec<(u16, Option<u64>, Option<u64>)> {
    let program = Program::find(&mut Packets::new(bytes)).unwrap();
    let mut all = Vec::new();
    for stream in program.streams() {
        let mut units = PesPackets::new(Packets::new(bytes), stream.pid, 64);
        while let Some(unit) = units.advance() {
            all.extend(unit.header.map(|header| (stream.pid, header.pts, header.dts)));
        }
    }
    all
}

/// Every clock reference: ticks of 90 kHz, and those of 27 MHz behind them.
fn clocks(bytes: &[u8]) -> Vec<(u64, u64)> {
    let packets = bytes.chunks_exact(PACKET_BYTES);
    let with_clock = packets.filter(|packet| packet[3] & 0x20 != 0 && packet[4] >= 7);
    let with_clock = with_clock.filter(|packet| packet[5] & 0x10 != 0);
    let clock = |packet: &[u8]| {
        let all = packet[6..12].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        (all >> 15, all & 0x1ff)
    };
    with_clock.map(clock).collect()
}

/// The counters of each PID, of packets that have a payload.
fn counters(bytes: &[u8]) -> BTreeMap<u16, Vec<u8>> {
    let mut counters: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for packet in Packets::new(bytes).filter(|packet| packet.has_payload()) {
        counters.entry(packet.pid()).or_default().push(packet.continuity());
    }
    counters
}

/// A packet of PID 1 with `flags` in its second byte, that counter, and an adaptation field that leaves room for
/// `payload`.
fn packet(flags: u8, counter: u8, payload: &[u8]) -> Vec<u8> {
    let field = PACKET_BYTES - 5 - payload.len();
    let mut packet = vec![SYNC, flags, 1, 0x30 | counter, u8::try_from(field).unwrap()];
    packet.resize(PACKET_BYTES - payload.len(), 0);
    packet.extend(payload);
    packet
}

/// The first bytes of a PES packet with both stamps, 1 and 0.
const PES: [u8; 19] = [0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10, 0x31, 0, 1, 0, 3, 0x11, 0, 1, 0, 1];

fn moved(mut bytes: Vec<u8>, shift: Shift) -> Vec<u8> {
    assert_eq!(Retimer::default().retime(&mut bytes, &shift.into(), |_| {}), Oddities::default());
    bytes
}

#[test]
fn shifts_wrap_around() {
    assert_eq!(Shift::by(-1).moved(0), WRAP - 1);
    assert_eq!(Shift::by(2).moved(WRAP - 1), 1);
    assert_eq!(Shift::by(i64::MIN).moved(5), 5);
    assert_eq!(Shift::from_to(WRAP - 3, 4), Shift::by(7));
    assert_eq!(Shift::from_to(9, 9), Shift::default());
}

#[test]
fn all_stamps_and_clocks_move_and_nothing_else() {
    for (name, bytes) in SAMPLES {
        // over the end of the 33 bits, in the middle of the sample
        let times: Vec<u64> = stamps(bytes).iter().filter_map(|(_, pts, _)| *pts).collect();
        let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        let shift = Shift::from_to(*first, WRAP - (last - first) / 2);
        let after = moved(bytes.to_vec(), shift);
        let expected = |stamp: Option<u64>| stamp.map(|stamp| shift.moved(stamp));
        let expected: Vec<_> =
            stamps(bytes).iter().map(|(pid, a, b)| (*pid, expected(*a), expected(*b))).collect();
        assert!(expected.iter().any(|(_, pts, _)| *pts < Some(WRAP / 2)), "{name}");
        assert_eq!(stamps(&after), expected, "{name}");
        let expected: Vec<_> =
            clocks(bytes).iter().map(|(base, fine)| (shift.moved(*base), *fine)).collect();
        assert!(!expected.is_empty());
        assert_eq!(clocks(&after), expected, "{name}");
        // back again
        let unannounced = moved(bytes.to_vec(), Shift::default());
        let back = moved(after, Shift::from_to(shift.moved(0), 0));
        assert!(back == unannounced, "{name}");
        let differ = bytes.iter().zip(&back).filter(|(before, after)| before != after);
        // what is different without a shift: that a discontinuity was announced
        assert!(differ.clone().all(|(before, after)| before & 0x7f == *after), "{name}");
        assert!(differ.count() < 10, "{name}");
    }
}

#[test]
fn counters_go_on_from_stretch_to_stretch() {
    for (name, bytes) in SAMPLES {
        let half = bytes.len() / PACKET_BYTES / 2 * PACKET_BYTES;
        let mut retimer = Retimer::default();
        let mut all = Vec::new();
        for stretch in [&bytes[half..], &bytes[..half], bytes] {
            let mut stretch = stretch.to_vec();
            retimer.retime(&mut stretch, &Shift::default().into(), |_| {});
            all.extend(stretch);
        }
        for (pid, counters) in counters(&all) {
            let expected = (0..16).cycle().take(counters.len());
            assert!(counters.iter().copied().eq(expected), "{name}, {pid}: {counters:?}");
        }
    }
}

#[test]
fn within_a_stretch_counters_keep_their_distances() {
    let payload = |counter| packet(0, counter, &[7]);
    let without_payload = |counter| {
        let mut packet = packet(0, counter, &[]);
        packet[3] = 0x20 | counter;
        packet
    };
    // one is there twice, and two are missing
    let stretch = [
        payload(14),
        payload(15),
        payload(15),
        without_payload(15),
        payload(0),
        without_payload(0),
        payload(3),
    ];
    let counters = |bytes: &[u8]| -> Vec<u8> {
        bytes.chunks_exact(PACKET_BYTES).map(|packet| packet[3] & 0x0f).collect()
    };
    let mut retimer = Retimer::default();
    let mut bytes = stretch.concat();
    retimer.retime(&mut bytes, &Shift::default().into(), |_| {});
    assert_eq!(counters(&bytes), [0, 1, 1, 1, 2, 2, 5]);
    let mut bytes = [without_payload(9), payload(10)].concat();
    retimer.retime(&mut bytes, &Shift::default().into(), |_| {});
    assert_eq!(counters(&bytes), [5, 6]);
}

#[test]
fn a_header_that_is_spread_over_packets_is_found() {
    let shift = Shift::by(0x1_2345_6789);
    let whole = moved(packet(0x40, 0, &PES), shift);
    let whole = &whole[PACKET_BYTES - PES.len()..];
    assert_ne!(whole, PES);
    // of another stream, and without a payload
    let other =
        [[SYNC, 0, 2, 0x10], [SYNC, 0, 1, 0x00]].map(|head| [&head[..], &[9; 184]].concat());
    let other = other.concat();
    for split in 0..=PES.len() {
        let (a, b) = PES.split_at(split);
        for at in 0..=b.len() {
            let (b, c) = b.split_at(at);
            let bytes = [packet(0x40, 0, a), other.clone(), packet(0, 1, b), packet(0, 2, c)];
            let after = moved(bytes.concat(), shift);
            let payloads: Vec<u8> = Packets::new(&after)
                .filter(|packet| packet.pid() == 1 && packet.has_payload())
                .flat_map(|packet| packet.payload().to_vec())
                .collect();
            assert_eq!(payloads, whole, "{split} and {at}");
        }
    }
}

#[test]
fn a_header_that_is_cut_is_left_and_counted() {
    let begin = packet(0x40, 0, &PES[..15]);
    let cut = Oddities { headers_cut: 1, ..Oddities::default() };
    let far = vec![packet(0, 1, &[]); FARTHEST].concat();
    let mut scrambled = packet(0, 1, &PES[15..]);
    scrambled[3] |= 0x80;
    for (behind, expected) in [
        (vec![], cut),
        (packet(0x40, 1, &PES[15..]), cut),
        ([far, packet(0, 1, &PES[15..])].concat(), cut),
        (scrambled, Oddities { unusable_packets: 1, ..cut }),
    ] {
        let mut bytes = [begin.clone(), behind].concat();
        let before = bytes.clone();
        assert_eq!(
            Retimer::default().retime(&mut bytes, &Shift::by(90_000).into(), |_| {}),
            expected
        );
        assert_eq!(bytes, before);
    }
}

#[test]
fn a_section_is_no_pes_packet() {
    // a table's pointer and number look like the beginning of one
    let section = [&[0, 0, 0xb0, 0x0d][..], &[9; 20]].concat();
    let bytes = packet(0x40, 0, &section);
    assert_eq!(moved(bytes.clone(), Shift::by(90_000)), bytes);
    // streams without time stamps
    for (at, value) in [(3, 0xbe), (3, 0xf0), (6, 0x40), (7, 0x00), (8, 4)] {
        let mut other = PES;
        other[at] = value;
        let bytes = packet(0x40, 0, &other);
        assert_eq!(moved(bytes.clone(), Shift::by(90_000)), bytes, "{at}: {value}");
    }
}

#[test]
fn what_only_begins_like_a_pes_packet_is_none() {
    let bytes = [packet(0x40, 0, &[0, 0]), packet(0, 1, &[2; 30])].concat();
    assert_eq!(moved(bytes.clone(), Shift::by(90_000)), bytes);
}

#[test]
fn a_stamp_for_which_the_header_has_no_room_is_none() {
    let mut short = PES;
    short[8] = 9;
    let after = moved(packet(0x40, 0, &short), Shift::by(90_000));
    let header = PesHeader::parse(&after[PACKET_BYTES - PES.len()..]).unwrap();
    assert_eq!((header.pts, header.dts), (Some(90_001), None));
    assert_eq!(after[PACKET_BYTES - 5..], short[14..]);
}

#[test]
fn packets_that_mean_nothing_are_left() {
    let mut bytes = packet(0x40 | 0x1f, 7, &PES);
    bytes[2] = 0xff;
    assert_eq!(moved(bytes.clone(), Shift::by(90_000)), bytes);
}

#[test]
fn both_clocks_move_and_discontinuities_are_not_announced_any_more() {
    let mut bytes = packet(0, 0, &[]);
    // discontinuity, PCR and OPCR: 1 and 2 ticks, and 0x155 of 27 MHz
    bytes[5] = 0x98;
    bytes[6..12].copy_from_slice(&[0, 0, 0, 0, 0xff, 0x55]);
    bytes[12..18].copy_from_slice(&[0, 0, 0, 1, 0x7f, 0x55]);
    let mut expected = bytes.clone();
    expected[5] = 0x18;
    expected[6..12].copy_from_slice(&[0, 0, 0, 1, 0xff, 0x55]);
    expected[12..18].copy_from_slice(&[0, 0, 0, 2, 0x7f, 0x55]);
    assert_eq!(moved(bytes, Shift::by(2)), expected);
}

#[test]
fn counters_go_on_where_a_discontinuity_is_announced() {
    let mut announcing = packet(0, 9, &[7]);
    announcing[5] = 0x80;
    let mut bytes = [packet(0, 3, &[7]), announcing, packet(0, 10, &[7])].concat();
    Retimer::default().retime(&mut bytes, &Shift::default().into(), |_| {});
    assert_eq!(counters(&bytes)[&1], [0, 1, 2]);
}

#[test]
fn the_clock_of_scrambled_content_is_not_scrambled() {
    let mut bytes = packet(0x40, 0, &PES);
    bytes[3] |= 0x80;
    bytes[5] = 0x10;
    let mut expected = bytes.clone();
    // 2 ticks
    expected[6..12].copy_from_slice(&[0, 0, 0, 1, 0, 0]);
    let oddities = Retimer::default().retime(&mut bytes, &Shift::by(2).into(), |_| {});
    assert_eq!(oddities, Oddities { unusable_packets: 1, ..Oddities::default() });
    assert_eq!(bytes, expected);
}

#[test]
fn a_damaged_header_sets_no_counter() {
    let mut damaged = packet(0x80, 13, &[7]);
    damaged[4] = 0;
    let mut bytes = [damaged.clone(), packet(0, 6, &[7])].concat();
    Retimer::default().retime(&mut bytes, &Shift::default().into(), |_| {});
    assert_eq!(bytes[..PACKET_BYTES], damaged);
    assert_eq!(bytes[PACKET_BYTES + 3] & 0x0f, 0);
}

#[test]
fn an_adaptation_field_that_does_not_fit_is_left() {
    for length in [0, 1, 6, 184, 255] {
        let mut bytes = packet(0x40, 0, &[]);
        (bytes[4], bytes[5]) = (length, 0x18);
        assert_eq!(moved(bytes.clone(), Shift::by(1)), bytes, "{length}");
    }
}

#[test]
fn damage_costs_itself_alone() {
    let good = packet(0x40, 0, &PES);
    let expected = moved(good.clone(), Shift::by(90_000));
    let damaged = packet(0xc0, 2, &PES);
    let (front, amid) = ([1, 2, SYNC, 4], [5; 7]);
    let [second, third] = [1, 3].map(|counter| packet(0x40, counter, &PES));
    let mut bytes = [&front[..], &good, &second, &amid, &damaged, &third, &good[..100]].concat();
    let oddities = Retimer::default().retime(&mut bytes, &Shift::by(90_000).into(), |_| {});
    let found = Oddities { stray_bytes: 4 + 7 + 100, unusable_packets: 1, headers_cut: 0 };
    assert_eq!(oddities, found);
    let [second, third] = [second, third].map(|bytes| {
        let mut expected = expected.clone();
        expected[3] = bytes[3];
        expected
    });
    let expected = [&front[..], &expected, &second, &amid, &damaged, &third, &good[..100]].concat();
    assert_eq!(bytes, expected);
}

proptest! {
    #[test]
    fn whatever_comes_there_is_an_end_and_every_byte_is_accounted_for(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..400),
                prop::collection::vec(any::<u8>(), PACKET_BYTES - 1).prop_map(|rest| {
                    [vec![SYNC], rest].concat()
                }),
                Just(packet(0x40, 0, &PES[..12])),
            ],
            0..8,
        ),
        ticks in any::<i64>(),
    ) {
        let before = pieces.concat();
        let mut after = before.clone();
        let oddities = Retimer::default().retime(&mut after, &Shift::by(ticks).into(), |_| {});
        prop_assert_eq!(after.len(), before.len());
        // of what was moved, a byte may look like the beginning of a packet
        let packets = Packets::new(&before).count() * PACKET_BYTES;
        prop_assert_eq!(oddities.stray_bytes, (after.len() - packets) as u64);
    }
}

#[test]
fn streams_that_are_named_move_by_themselves() {
    let (_, bytes) = SAMPLES[0];
    let shifts = Shifts { all: Shift::by(7), apart: vec![(0x101, Shift::by(-9))] };
    let (mut bytes_after, mut told) = (bytes.to_vec(), Vec::new());
    Retimer::default().retime(&mut bytes_after, &shifts, |moved| told.push(moved));
    let moved = |(pid, pts, dts): (u16, Option<u64>, Option<u64>)| {
        let shift = if pid == 0x101 { Shift::by(-9) } else { Shift::by(7) };
        (pid, pts.map(|pts| shift.moved(pts)), dts.map(|dts| shift.moved(dts)))
    };
    let expected: Vec<_> = stamps(bytes).into_iter().map(moved).collect();
    assert_eq!(stamps(&bytes_after), expected);
    assert!(expected.iter().any(|(pid, ..)| *pid == 0x101));
    // what is told comes in the order of the packets
    told.sort_by_key(|moved| moved.pid);
    let told: Vec<_> = told.iter().map(|moved| (moved.pid, Some(moved.pts), moved.dts)).collect();
    assert_eq!(told, expected);
    // clocks move with all others
    let expected: Vec<_> =
        clocks(bytes).iter().map(|(base, fine)| (Shift::by(7).moved(*base), *fine)).collect();
    assert_eq!(clocks(&bytes_after), expected);
}

#[test]
fn times_go_on_where_their_33_bits_begin_anew() {
    use crate::format::mpegts::since;
    assert_eq!(since(2, WRAP - 1), 3);
    assert_eq!(since(WRAP - 1, 2), -3);
    assert_eq!(since(9000, 3000), 6000);
}
