//! Properties of the readers of segments, for damaged and for random input.
//!
//! Covered: whatever the bytes, and wherever they end, reading neither panics nor goes on for ever, asks
//! for no more bytes than there are and for twice as many each time, and never calls a segment
//! independent without knowing its format; and what an examiner finds does not depend on how the bytes are
//! split. Left out: that damage is noticed, since most of it cannot be.

use common::format::fmp4::{Boxes, Fragment};
use common::format::media::examiner::{Examination, Examiner};
use common::format::media::{
    Container, Head, HeadOutcome, MOST_HEAD_BYTES, StreamInfo, head, stream_info,
};
use common::format::mpegts::{PACKET_BYTES, Packets, PesPackets};
use proptest::prelude::*;
use proptest::sample::{Index, select};

macro_rules! samples {
    ($($name:literal)*) => {
        [$(include_bytes!(concat!("../testdata/media/", $name)).as_slice()),*]
    };
}

const SAMPLES: [&[u8]; 18] = samples![
    "h264-aac.ts" "h264-mp3.ts" "h264-ac3.ts" "h264-eac3.ts" "h264-cropped-2997.ts" "h264-interlaced.ts"
    "h264-open-gop.ts" "h264-mid-gop.ts" "hevc-aac.ts" "hevc-open-gop.ts" "aac.ts" "mp3.ts"
    "h264-aac.mp4" "h264-mid-gop.mp4" "hevc-aac.mp4" "av1-opus.mp4" "vp9-flac.mp4" "aac.mp4"
];

/// Asks as a reader of a file does, from `first` bytes on.
fn ask(file: &[u8], first: usize) -> Head {
    let mut given = first.min(file.len());
    loop {
        match head(&file[..given], file.len() as u64) {
            HeadOutcome::Known(head) => return head,
            HeadOutcome::NeedMore { bytes } => {
                let most = file.len().min(MOST_HEAD_BYTES);
                assert!(bytes > given && bytes <= most, "{bytes} after {given}");
                // so that a file is not read again and again
                assert!(bytes >= most.min(2 * given), "{bytes} after {given}");
                given = bytes;
            }
        }
    }
}

/// Examines `file` in pieces of these sizes, again and again, behind an initialization section.
fn examine(init: &[u8], mut file: &[u8], sizes: &[usize]) -> Examination {
    let mut examiner = Examiner::after(init);
    for size in sizes.iter().cycle() {
        if file.is_empty() {
            break;
        }
        let (piece, rest) = file.split_at((*size).min(file.len()));
        examiner.feed(piece);
        file = rest;
    }
    examiner.finish()
}

fn check(file: &[u8], first: usize) -> (Head, StreamInfo) {
    let head = ask(file, first);
    if let Container::Fmp4 { init_bytes } = head.container {
        assert!((init_bytes as usize) < file.len(), "{head:?}");
    }
    assert!(!head.independent || head.format.is_some(), "{head:?}");
    let info = stream_info(file);
    assert!(info.frame_rate.is_none_or(|rate| rate.is_finite() && rate > 0.0), "{info:?}");
    (head, info)
}

/// What is done to a segment: at a place, so many bytes are replaced by others.
type Damage = (Index, usize, Vec<u8>);

fn damage() -> impl Strategy<Value = Damage> {
    // a byte or few, of values that lengths and flags turn on; or a gap, or a few bytes too many
    let telling = select(vec![0, 1, 2, 0x47, 0x7f, 0x80, 0xff]);
    let bytes = prop::collection::vec(prop_oneof![telling, any::<u8>()], 0..6);
    let removed = prop_oneof![6 => 0..6_usize, 1 => 0..400_usize];
    (any::<Index>(), removed, bytes)
}

fn damaged(segment: &[u8], all: &[Damage], within: usize) -> Vec<u8> {
    let mut bytes = segment.to_vec();
    for (place, removed, inserted) in all {
        let start = place.index(bytes.len().min(within) + 1);
        let end = (start + removed).min(bytes.len());
        bytes.splice(start..end, inserted.iter().copied());
    }
    bytes
}

#[test]
fn every_truncation_of_a_segment_is_read() {
    for segment in SAMPLES {
        let mut independent = 0;
        for length in 0..=segment.len() {
            let head = ask(&segment[..length], 8192);
            independent += usize::from(head.independent);
            // the structures that differ are in front
            if length < 3000 || length % 61 == 0 {
                check(&segment[..length], 0);
            }
        }
        assert_eq!(independent > 0, ask(segment, 8192).independent);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn damaged_segments_are_read(
        segment in select(&SAMPLES[..]),
        all in prop::collection::vec(damage(), 1..6),
        within in select(vec![200, 1500, usize::MAX]),
        first in select(vec![0, 300, 8192]),
    ) {
        check(&damaged(segment, &all, within), first);
    }

    #[test]
    fn random_bytes_are_read(
        start in select(vec![&b""[..], b"\0\0\0\x10ftyp", b"\0\0\0\0moov", b"\0\0\0\x08moov\0\0\0\0moof"]),
        rest in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        let file = [start, &rest].concat();
        check(&file, 0);
        let whole = examine(&[], &file, &[usize::MAX]);
        prop_assert_eq!(examine(&[], &file, &[100]), whole);
    }

    #[test]
    fn random_packets_are_read(
        headers in prop::collection::vec((select(vec![0, 0x40]), select(vec![0, 1]), 0..0x40_u8), 1..40),
        rest in prop::collection::vec(any::<u8>(), PACKET_BYTES),
    ) {
        let packets = headers.iter().flat_map(|(start, pid, flags)| {
            [&[0x47, *start, *pid, *flags], &rest[4..]].concat()
        });
        let bytes: Vec<u8> = packets.collect();
        prop_assert_eq!(Packets::new(&bytes).count(), headers.len());
        let mut units = PesPackets::new(Packets::new(&bytes), 0, usize::MAX);
        let mut payloads = 0;
        while let Some(part) = units.advance() {
            payloads += part.payload.len();
        }
        prop_assert!(payloads <= bytes.len());
        check(&bytes, 0);
        let whole = examine(&[], &bytes, &[usize::MAX]);
        prop_assert_eq!(examine(&[], &bytes, &[100]), whole);
    }

    #[test]
    fn pieces_change_nothing(
        init in select(vec![&b""[..], &h264_mp4()[..1340], SAMPLES[0]]),
        segment in select(&SAMPLES[..]),
        all in prop::collection::vec(damage(), 0..3),
        sizes in prop::collection::vec(prop_oneof![0..4_usize, 180..200_usize, 0..3000_usize], 1..9),
    ) {
        let file = damaged(segment, &all, usize::MAX);
        let whole = examine(init, &file, &[usize::MAX]);
        prop_assume!(sizes.iter().any(|size| *size > 0));
        prop_assert_eq!(examine(init, &file, &sizes), whole);
    }

    #[test]
    fn random_boxes_end(content in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Boxes::new(&content).count() <= content.len() / 8);
    }

    #[test]
    fn small_boxes_are_read(
        start in select(vec![&b""[..], &h264_mp4()[..1340]]),
        kind in select(vec!["free", "uuid", "emsg", "sidx", "moof", "moov"]),
        size in 8..60_usize,
        count in 0..12_000_usize,
        first in select(vec![0, 1600, 8192]),
    ) {
        check(&[start, &part(kind, &vec![0; size - 8]).repeat(count)].concat(), first);
    }

    #[test]
    fn a_sample_has_bytes_of_its_own_or_their_number_is_bounded(
        headers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..3),
        runs in prop::collection::vec((0..16_u32, 0..16_u8, any::<u32>(), 0..100_usize), 0..5),
    ) {
        let runs = runs.into_iter().map(|(own, other, count, length)| {
            let fields = [(own << 8 | u32::from(other)).to_be_bytes(), count.to_be_bytes()].concat();
            part("trun", &[fields, vec![1; length]].concat())
        });
        let runs: Vec<_> = runs.collect();
        let headers: Vec<_> = headers.iter().map(|header| part("tfhd", header)).collect();
        let moof = part("traf", &[headers.concat(), runs.concat()].concat());
        let samples = Fragment::new(&moof).tracks().flat_map(|track| track.runs(None)).flatten();
        prop_assert!(samples.count() <= (runs.len() << 16) + moof.len() / 4);
    }
}

fn h264_mp4() -> &'static [u8] {
    include_bytes!("../testdata/media/h264-aac.mp4")
}

fn part(kind: &str, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).expect("it is short");
    [&size.to_be_bytes()[..], kind.as_bytes(), content].concat()
}

#[test]
fn samples_without_bytes_of_their_own_are_bounded() {
    let header = part("tfhd", &[0, 0, 0, 0, 0, 0, 0, 1]);
    let run = part("trun", &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    let moof = part("traf", &[header, run].concat());
    let track = Fragment::new(&moof).tracks().next().unwrap();
    assert_eq!(track.runs(None).flatten().count(), 1 << 16);
}
