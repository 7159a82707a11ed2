//! What is taken for an initialization section.

use super::super::check_section;
use super::{SYNC_BYTE, boxed, mp4_box, packets};

/// What `ffmpeg` puts before the first fragment.
fn init(sample: &'static [u8]) -> &'static [u8] {
    let starts = |kind: &[u8]| kind == b"styp" || kind == b"moof";
    let at = sample.windows(4).position(starts).unwrap();
    &sample[..at - 4]
}

#[test]
fn a_section_tells_what_is_in_its_segments() {
    for sample in [
        sample!("h264-aac.mp4"),
        sample!("hevc-aac.mp4"),
        sample!("av1-opus.mp4"),
        sample!("vp9-flac.mp4"),
        sample!("aac.mp4"),
    ] {
        assert_eq!(check_section(init(sample)), Ok(()));
    }
    let tables: Vec<u8> = sample!("h264-aac.ts")[..3 * 188].to_vec();
    assert!(tables.iter().step_by(188).all(|byte| *byte == SYNC_BYTE));
    assert_eq!(check_section(&tables), Ok(()));
    assert_eq!(check_section(b"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n"), Ok(()));
}

#[test]
fn a_codec_that_nobody_knows_is_no_reason_against_a_section() {
    let mut unknown = init(sample!("h264-aac.mp4")).to_vec();
    let starts: Vec<usize> = (0..unknown.len() - 4)
        .filter(|at| [&b"avc1"[..], b"mp4a"].contains(&&unknown[*at..at + 4]))
        .collect();
    for at in starts {
        unknown[at..at + 4].copy_from_slice(b"zzzz");
    }
    assert_eq!(check_section(&unknown), Ok(()));
}

#[test]
fn what_is_cut_off_or_something_else_is_no_section() {
    let whole = init(sample!("h264-aac.mp4"));
    let moov = whole.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    for end in 1..whole.len() {
        assert!(check_section(&whole[..end]).is_err(), "the first {end} bytes");
    }
    assert_eq!(check_section(&whole[..whole.len() - 1]), Err("ends within a packet or box"));
    assert_eq!(check_section(&whole[..moov]), Err("it tells nothing of any track"));
    let hollow = [&whole[..moov], &mp4_box(*b"moov", 40)[..]].concat();
    assert_eq!(check_section(&hollow), Err("it tells nothing of any track"));
    let traks = [&whole[..moov], &boxed(*b"moov", &mp4_box(*b"trak", 9))[..]].concat();
    assert_eq!(check_section(&traks), Err("it tells nothing of any track"));
    let out_of_step = [whole, &[0, 0, 0, 9, 1, 2, 3, 4, 5]].concat();
    assert_eq!(check_section(&out_of_step), Err("its packets or boxes are out of step"));
    assert_eq!(check_section(&packets(3)), Err("it tells nothing of any track"));
    assert_eq!(check_section(b"ID3\x04 packed audio"), Err("it tells nothing of any track"));
    assert_eq!(check_section(b"<html>moov</html>"), Err("a text came instead of it"));
    assert_eq!(check_section(b"Service Unavailable"), Err("nothing that is known as one"));
    assert_eq!(check_section(b""), Err("empty"));
}
