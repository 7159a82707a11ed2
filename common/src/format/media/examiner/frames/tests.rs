use std::time::Duration;

use super::super::tests::{examined, finding, lengths};
use super::*;
use crate::format::media::examiner::Format;
use crate::format::media::examiner::Packing::PackedAudio;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/media/", $name)).as_slice()
    };
}

/// An ID3 tag with so many bytes in it.
fn tag(flags: u8, bytes: u8) -> Vec<u8> {
    let mut tag = b"ID3\x04\0".to_vec();
    tag.extend([flags, 0, 0, 0, bytes]);
    tag.resize(tag.len() + usize::from(bytes), 0xff);
    tag
}

/// How long the sound of whole frames is.
fn sound(bytes: &[u8]) -> Duration {
    assert_eq!(finding(bytes), Finding::Sound);
    lengths(bytes).and_then(|(_, audio)| audio).unwrap()
}

/// By ffprobe 20 frames of 1024 samples, 18 of 1152, and 13 of 1536 each, at 48 kHz.
#[test]
fn frames_of_each_coding_are_counted_to_the_end() {
    for (bytes, micros, last) in [
        (sample!("packed.aac"), 426_666, 21_333),
        (sample!("packed.mp3"), 432_000, 24_000),
        (sample!("packed.ac3"), 416_000, 32_000),
        (sample!("packed.eac3"), 416_000, 32_000),
    ] {
        let whole = examined(bytes);
        assert_eq!(whole.finding, Finding::Sound);
        assert_eq!(whole.format, Some(Format::only(PackedAudio)));
        assert_eq!(sound(bytes), Duration::from_micros(micros));
        let cut = examined(&bytes[..bytes.len() - 1]);
        assert_eq!((cut.finding, cut.format), (Finding::Torn, whole.format));
        let left = cut.media_time.unwrap().audio.unwrap().length;
        assert!(left.abs_diff(Duration::from_micros(micros - last)) < Duration::from_micros(2));
    }
}

#[test]
fn tags_are_skipped_by_their_length() {
    let frames = sample!("packed.aac");
    let length = sound(frames);
    let tagged = [&tag(0, 63), frames, &tag(0, 0), frames, b"TAG", &[0xff; 125]].concat();
    assert!(sound(&tagged).abs_diff(length * 2) < Duration::from_micros(2));
    let footer = [&tag(0x10, 5)[..], b"3DI\x04\0\x10\0\0\0\x05", frames].concat();
    assert_eq!(sound(&footer), length);
    assert_eq!(sound(&tag(0, 9)), Duration::ZERO, "a tag alone is no sound");
    assert_eq!(finding(&tagged[..20]), Finding::Torn);
    assert_eq!(finding(&tagged[..5]), Finding::Torn);
}

#[test]
fn where_sync_is_lost_it_is_broken() {
    let frames = sample!("packed.aac");
    let at = frames.len() as u64;
    let broken = |behind: &[u8]| examined(&[frames, behind].concat()).finding;
    assert_eq!(broken(b"<html>"), Finding::Broken { at });
    assert_eq!(broken(&[0; 30]), Finding::Broken { at });
    assert_eq!(broken(sample!("packed.mp3")), Finding::Broken { at }, "of another coding");
    assert_eq!(broken(b"ID3\x04\0\0\0\0\0\x80"), Finding::Broken { at }, "a tag of no size");
    // a rate that there is not, and a frame shorter than its header
    assert_eq!(broken(b"\xff\xf1\x74\x80\x20\xff\xfc"), Finding::Broken { at });
    assert_eq!(broken(b"\xff\xf1\x50\x80\x00\xdf\xfc"), Finding::Broken { at });
    // cut out of the middle
    let mut gap = frames.to_vec();
    gap.drain(320..400);
    assert_eq!(finding(&gap), Finding::Broken { at: 362 }, "at the end of the third frame");
    // what came before counts
    assert_eq!(lengths(&[frames, b"<html>"].concat()), lengths(frames));
}

#[test]
fn what_only_begins_like_a_frame_is_unknown() {
    for bytes in [
        &b"ID3 tags are what this page is about"[..],
        b"ID3\x04\0\0\xff\0\0\0............",
        // a reserved rate of bits, a free one, a reserved layer, version and rate of samples
        b"\xff\xfb\xf0\x00............",
        b"\xff\xfb\x00\x00............",
        b"\xff\xe1\x90\x00............",
        b"\xff\xeb\x90\x00............",
        b"\xff\xfb\x9c\x00............",
        // AC-3 of reserved rates, and of a version to come
        b"\x0b\x77\0\0\xc0\x40............",
        b"\x0b\x77\0\0\x26\x40............",
        b"\x0b\x77\0\0\x00\x88............",
    ] {
        let examination = examined(bytes);
        assert_eq!(examination.finding, Finding::Unknown, "{bytes:?}");
        assert_eq!((examination.media_time, examination.format), (None, None));
    }
}

/// Where the frame ends that this header begins, and how long it lasts in microseconds.
fn frame(header: &[u8]) -> (u64, u64) {
    match sound::read(header) {
        Header::Frame(frame) => (frame.bytes, frame.nanos() / 1000),
        other => panic!("{other:?}"),
    }
}

#[test]
fn headers_tell_bytes_and_time() {
    // ADTS of 44.1 kHz: 371 bytes, and as many in four blocks
    assert_eq!(frame(b"\xff\xf1\x50\x80\x2e\x7f\xfc"), (371, 23_219));
    assert_eq!(frame(b"\xff\xf1\x50\x80\x2e\x7f\xff"), (371, 92_879));
    // layer III: 128 kbit/s at 44.1 kHz, without and with padding; MPEG-2 at 22.05 and 2.5 at 11.025
    assert_eq!(frame(b"\xff\xfb\x90\x00"), (417, 26_122));
    assert_eq!(frame(b"\xff\xfb\x92\x00"), (418, 26_122));
    assert_eq!(frame(b"\xff\xf3\x80\x00"), (208, 26_122));
    assert_eq!(frame(b"\xff\xe3\x80\x00"), (417, 52_244));
    // layer II: 192 kbit/s at 48 kHz, MPEG-2 of 64 at 24 kHz; layer I of 384 kbit/s at 48 kHz
    assert_eq!(frame(b"\xff\xfd\xa4\x00"), (576, 24_000));
    assert_eq!(frame(b"\xff\xf5\x84\x00"), (384, 48_000));
    assert_eq!(frame(b"\xff\xff\xc4\x00"), (384, 8000));
    assert_eq!(frame(b"\xff\xff\xc6\x00"), (388, 8000));
    // AC-3 of 384 kbit/s at 48, 44.1 (either length) and 32 kHz, and at half of 48 kHz
    assert_eq!(frame(b"\x0b\x77\0\0\x1c\x40"), (1536, 32_000));
    assert_eq!(frame(b"\x0b\x77\0\0\x5c\x40"), (1670, 34_829));
    assert_eq!(frame(b"\x0b\x77\0\0\x5d\x40"), (1672, 34_829));
    assert_eq!(frame(b"\x0b\x77\0\0\x9c\x40"), (2304, 48_000));
    assert_eq!(frame(b"\x0b\x77\0\0\x1c\x48"), (1536, 64_000));
    // E-AC-3 of two blocks, of half a rate, dependent, and of another programme
    assert_eq!(frame(b"\x0b\x77\x01\x7f\x10\x80"), (768, 10_666));
    assert_eq!(frame(b"\x0b\x77\x01\x7f\xd0\x80"), (768, 69_659));
    assert_eq!(frame(b"\x0b\x77\x41\x7f\x10\x80"), (768, 0));
    assert_eq!(frame(b"\x0b\x77\x09\x7f\x10\x80"), (768, 0));
}
