//! The bytes of segments.

use std::time::Duration;

use common::format::codec::nal::Syntax;
use common::format::media::examiner::{Examination, Examiner, shortfall, surplus};
use common::format::media::{
    Container, HeadOutcome, MOST_HEAD_BYTES, head, pictures, sounds, stream_info,
};
use common::format::mpegts::{PACKET_BYTES, Retimer, Shift};
use common::format::segment::MediaDuration;

/// Whatever a file's bytes are, asking for its head comes to an end soon, never asks for more than the
/// file has, and tells of nothing outside it. So does looking at all of it.
pub fn segment_head(bytes: &[u8]) {
    let mut given = bytes.len().min(FEW_BYTES);
    loop {
        match head(&bytes[..given], bytes.len() as u64) {
            HeadOutcome::NeedMore { bytes: wanted } => {
                let most = bytes.len().min(MOST_HEAD_BYTES);
                assert!(wanted > given && wanted <= most, "{wanted}");
                // inputs are small, but what doubles is quick in large files, too
                assert!(wanted >= most.min(2 * given), "{wanted} after {given}");
                given = wanted;
            }
            HeadOutcome::Known(head) => {
                let told = match head.container {
                    Container::Fmp4 { init_bytes } => init_bytes,
                    Container::MpegTs { tables } => tables.start + tables.bytes,
                    Container::Unknown => 0,
                };
                assert!(told as usize <= bytes.len(), "{:?}", head.container);
                break;
            }
        }
    }
    let _ = stream_info(bytes);
}

/// So few that what is asked for next, and again after that, is among what a fuzzer makes up; and just
/// enough that a reader looks at them: with fewer it asks at once for as much as a fuzzer's longest input.
const FEW_BYTES: usize = 1600;

/// Whatever a segment's bytes are, and however they are split, the same is found; what comes after an
/// initialization section is in or out of step by itself; and a promise is never both missed and exceeded by
/// one stream alone.
pub fn segment_body(bytes: &[u8]) {
    let whole = examine(Examiner::default(), bytes, usize::MAX);
    // the first byte says where else it is split
    let other = bytes.first().map_or(1, |first| 1 + usize::from(*first));
    for size in [1, 187, 188, other] {
        assert_eq!(examine(Examiner::default(), bytes, size), whole, "pieces of {size}");
    }
    let (init, segment) = bytes.split_at(bytes.len() / 2);
    let own = examine(Examiner::default(), segment, usize::MAX);
    let after = examine(Examiner::after(init), segment, usize::MAX);
    assert_eq!(after.finding, own.finding);
    assert_eq!(examine(Examiner::after(init), segment, other), after);
    for time in [whole, own, after].iter().filter_map(|examination| examination.media_time) {
        assert!(time.least() <= time.most());
        for promised in [0.0, 2.0, 3600.0].into_iter().filter_map(MediaDuration::from_seconds) {
            if let Some(short) = shortfall(&time, promised, None) {
                assert!(short.found < short.promised, "{short}");
                assert!(time.least() <= short.found);
            }
            assert!(surplus(&time, promised, None) != Some(Duration::ZERO));
        }
    }
}

fn examine(mut examiner: Examiner, bytes: &[u8], size: usize) -> Examination {
    bytes.chunks(size).for_each(|piece| examiner.feed(piece));
    examiner.finish()
}

/// Whatever a transport stream's bytes are, moving it on its clock comes to an end, and moving whole packets back undoes
/// it.
pub fn retime(bytes: &[u8]) {
    let retimed = |shift: Shift, bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let oddities = Retimer::default().retime(&mut bytes, &shift.into(), |_| {});
        assert!(oddities.stray_bytes <= bytes.len() as u64);
        assert_eq!((bytes.len() as u64 - oddities.stray_bytes) % PACKET_BYTES as u64, 0);
        (bytes, oddities)
    };
    // the first bytes say how far
    let ticks = bytes.first_chunk().copied().map_or(1, i64::from_be_bytes);
    retimed(Shift::by(ticks), bytes);
    let bytes = &bytes[..bytes.len() / PACKET_BYTES * PACKET_BYTES];
    let (still, oddities) = retimed(Shift::default(), bytes);
    let (moved, found) = retimed(Shift::by(ticks), bytes);
    assert_eq!(found, oddities);
    // where packets have to be looked for, a byte that is moved may look like the beginning of one
    if oddities.stray_bytes > 0 {
        return;
    }
    let back = Shift::from_to(Shift::by(ticks).moved(0), 0);
    assert_eq!(retimed(back, &moved), (still.clone(), oddities));
    assert_eq!(retimed(Shift::default(), &still), (still, oddities));
}

/// Whatever a transport stream's bytes are, its pictures lie within it, one behind the other, and every byte of its sound
/// is in one frame or in none.
pub fn units(bytes: &[u8]) {
    for syntax in [Syntax::H264, Syntax::Hevc] {
        let found = pictures(bytes, PID, syntax);
        assert!(found.pictures.is_sorted_by(|one, next| one.at < next.at));
        assert!(found.pictures.iter().all(|picture| picture.at + PACKET_BYTES <= bytes.len()));
    }
    for pid in [PID, PID + 1] {
        let found = sounds(bytes, pid);
        let frames = found.frames.iter().map(|sound| &sound.bytes);
        assert!(frames.clone().is_sorted_by(|one, next| one.end <= next.start));
        let whole: usize = frames.map(|range| found.bytes[range.clone()].len()).sum();
        assert_eq!(whole + found.stray_bytes, found.bytes.len());
    }
}

/// Of the first stream in what ffmpeg writes; the next one has the next.
const PID: u16 = 0x100;
