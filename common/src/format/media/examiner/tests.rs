use std::time::Duration;

use super::*;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/media/", $name)).as_slice()
    };
}

mod fragments;
mod sections;
mod transport;

const SYNC_BYTE: u8 = SYNC;

fn examine(pieces: &[&[u8]]) -> Examination {
    let mut examiner = Examiner::default();
    for piece in pieces {
        examiner.feed(piece);
    }
    examiner.finish()
}

/// What is found, which must not depend on how the bytes are split.
pub(super) fn examined(bytes: &[u8]) -> Examination {
    let whole = examine(&[bytes]);
    for split in (0..=bytes.len()).step_by(if bytes.len() > 600 { 61 } else { 1 }) {
        let (first, second) = bytes.split_at(split);
        assert_eq!(examine(&[first, second]), whole, "split at {split}");
    }
    for size in [1, 7, 187, 189] {
        let pieces: Vec<_> = bytes.chunks(size).collect();
        assert_eq!(examine(&pieces), whole, "pieces of {size}");
    }
    whole
}

pub(super) fn finding(bytes: &[u8]) -> Finding {
    examined(bytes).finding
}

fn packets(count: usize) -> Vec<u8> {
    let mut packet = [0xff; 188];
    packet[0] = SYNC_BYTE;
    packet.repeat(count)
}

fn mp4_box(kind: [u8; 4], payload: usize) -> Vec<u8> {
    boxed(kind, &vec![0; payload])
}

fn boxed(kind: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len() + 8).unwrap().to_be_bytes();
    [&size[..], &kind, payload].concat()
}

#[test]
fn transport_streams_are_whole_packets() {
    assert_eq!(finding(&packets(3)), Finding::Sound);
    assert_eq!(finding(&packets(3)[..563]), Finding::Torn);
    assert_eq!(finding(&packets(1)[..5]), Finding::Torn);
    let mut slipped = packets(3);
    slipped.remove(100);
    assert_eq!(finding(&slipped), Finding::Broken { at: 188 });
    // the last packet is out of step and cut off as well
    assert_eq!(finding(&slipped[..189]), Finding::Broken { at: 188 });
    assert_eq!(finding(&[&packets(2)[..], &[0]].concat()), Finding::Broken { at: 376 });
}

#[test]
fn fragmented_mp4_is_whole_boxes() {
    let whole = [mp4_box(*b"moof", 40), mp4_box(*b"mdat", 300), mp4_box(*b"free", 0)].concat();
    assert_eq!(finding(&whole), Finding::Sound);
    assert_eq!(finding(&whole[..100]), Finding::Torn);
    assert_eq!(finding(&whole[..whole.len() - 3]), Finding::Torn, "within a header");
    let garbage = [mp4_box(*b"moof", 40), vec![0, 0, 0, 9, 1, 2, 3, 4, 5]].concat();
    assert_eq!(finding(&garbage), Finding::Broken { at: 48 });
    let too_small = [mp4_box(*b"moof", 40), vec![0, 0, 0, 7, b'm', b'd', b'a', b't']].concat();
    assert_eq!(finding(&too_small), Finding::Broken { at: 48 });
}

#[test]
fn large_and_open_boxes_are_known() {
    let mut large = mp4_box(*b"styp", 4);
    large.extend([0, 0, 0, 1, b'm', b'd', b'a', b't', 0, 0, 0, 0, 0, 0, 0, 20, 1, 2, 3, 4]);
    assert_eq!(finding(&large), Finding::Sound);
    assert_eq!(finding(&large[..large.len() - 1]), Finding::Torn);
    let mut open = mp4_box(*b"styp", 4);
    open.extend([0, 0, 0, 0, b'm', b'd', b'a', b't', 1, 2, 3]);
    assert_eq!(finding(&open), Finding::Sound);
    // padding is no box
    let zeros = [mp4_box(*b"styp", 4), vec![0; 100]].concat();
    assert_eq!(finding(&zeros), Finding::Broken { at: 12 });
}

#[test]
fn pages_and_playlists_are_no_media() {
    assert_eq!(finding(b"  <!DOCTYPE html><html>"), Finding::Text);
    assert_eq!(finding(b"#EXTM3U\n#EXT-X-VERSION:3\n"), Finding::Text);
    assert_eq!(finding(b"{\"error\":\"gone\"}"), Finding::Text);
    assert_eq!(finding(b"<html"), Finding::Text, "shorter than a head");
}

#[test]
fn pages_in_utf_16_are_no_media() {
    let page = "<!DOCTYPE html>\r\n<html>";
    let of = |encode: fn(u16) -> [u8; 2], text: &str| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(encode).collect()
    };
    for encode in [u16::to_le_bytes, u16::to_be_bytes] {
        assert_eq!(finding(&of(encode, page)), Finding::Text);
        assert_eq!(finding(&of(encode, "no")), Finding::Text, "shorter than a head");
    }
    assert_eq!(finding("\u{feff}<!DOCTYPE html>".as_bytes()), Finding::Text);
    // MPEG audio of layer I begins with the same bits
    let frame = [&b"\xff\xfe\xc4\x00"[..], &[0x55; 380]].concat();
    assert_eq!(finding(&frame.repeat(2)), Finding::Sound);
}

#[test]
fn subtitles_are_known_by_how_they_begin() {
    assert_eq!(finding(b""), Finding::Sound);
    for bytes in [&b"WEBVTT\n\n00:00.000"[..], b"\xef\xbb\xbfWEBVTT"] {
        let Examination { finding, media_time, format } = examined(bytes);
        assert_eq!((finding, media_time), (Finding::Sound, None));
        assert_eq!(format, Some(Format::only(Packing::WebVtt)));
    }
}

#[test]
fn anything_else_is_not_taken_for_media() {
    for bytes in [&b"Service Unavailable, edge overloaded"[..], &[0; 1000]] {
        let unknown = Examination { finding: Finding::Unknown, media_time: None, format: None };
        assert_eq!(examined(bytes), unknown);
    }
}

#[test]
fn an_initialization_section_does_not_hide_what_comes_after_it() {
    let init = &sample!("h264-aac.mp4")[..1340];
    let mut examiner = Examiner::after(init);
    examiner.feed(b"<!DOCTYPE html><html>");
    assert_eq!(examiner.finish().finding, Finding::Text);
    assert_eq!(Examiner::after(init).finish().finding, Finding::Sound);
}

/// The reach of pictures and of sound in microseconds, and the format.
fn told(bytes: &[u8]) -> (Option<u128>, Option<u128>, String) {
    let Examination { finding, media_time, format } = examined(bytes);
    assert_eq!(finding, Finding::Sound);
    let [video, audio] = media_time.map_or([None; 2], |time| [time.video, time.audio]);
    let micros = |extent: Extent| extent.length.as_micros();
    let format = format.map(|format| format.to_string()).unwrap_or_default();
    (video.map(micros), audio.map(micros), format)
}

/// Pictures are exact. By ffprobe the sound is 426.7 ms of AAC, 432 ms of MP3 and 416 ms of AC-3: the
/// last packet's part is up to 3 ms off.
#[test]
fn transport_streams_tell_time_and_format() {
    let of = |bytes| told(bytes);
    let ts = |format: &str| format!("{format} in MPEG-TS");
    let h264 = "H.264 320x180";
    let aac = ts("H.264 320x180 + AAC");
    assert_eq!(of(sample!("h264-aac.ts")), (Some(400_000), Some(428_888), aac));
    let mp3 = ts("H.264 320x180 + MP3");
    assert_eq!(of(sample!("h264-mp3.ts")), (Some(400_000), Some(434_766), mp3));
    let ac3 = ts("H.264 320x180 + AC-3");
    assert_eq!(of(sample!("h264-ac3.ts")), (Some(400_000), Some(417_422), ac3));
    let eac3 = ts("H.264 320x180 + E-AC-3");
    assert_eq!(of(sample!("h264-eac3.ts")), (Some(400_000), Some(417_422), eac3));
    let hevc = ts("HEVC 320x180 + AAC");
    assert_eq!(of(sample!("hevc-aac.ts")), (Some(400_000), Some(428_888), hevc));
    let cropped = ts("H.264 322x182");
    assert_eq!(of(sample!("h264-cropped-2997.ts")), (Some(400_400), None, cropped));
    assert_eq!(of(sample!("h264-interlaced.ts")), (Some(400_000), None, ts(h264)));
    assert_eq!(of(sample!("h264-open-gop.ts")), (Some(466_666), None, ts(h264)));
    assert_eq!(of(sample!("hevc-open-gop.ts")), (Some(500_000), None, ts("HEVC 320x180")));
    assert_eq!(of(sample!("aac.ts")), (None, Some(428_888), ts("AAC")));
    assert_eq!(of(sample!("mp3.ts")), (None, Some(434_766), ts("MP3")));
    // no parameter sets, so that its size is not known
    assert_eq!(of(sample!("h264-mid-gop.ts")), (Some(300_000), None, String::new()));
}

#[test]
fn fragmented_mp4_tells_time_and_format() {
    let mp4 = |format: &str| format!("{format} in fragmented MP4");
    let (video, audio) = (Some(400_000), Some(421_333));
    assert_eq!(told(sample!("h264-aac.mp4")), (video, audio, mp4("H.264 320x180 + AAC")));
    assert_eq!(told(sample!("hevc-aac.mp4")), (video, audio, mp4("HEVC 320x180 + AAC")));
    let opus = mp4("AV1 320x180 + Opus");
    assert_eq!(told(sample!("av1-opus.mp4")), (video, Some(406_500), opus));
    let flac = mp4("VP9 320x180 + FLAC");
    assert_eq!(told(sample!("vp9-flac.mp4")), (Some(200_000), Some(200_000), flac));
    assert_eq!(told(sample!("aac.mp4")), (None, audio, mp4("AAC")));
    let mid_gop = mp4("H.264 320x180");
    assert_eq!(told(sample!("h264-mid-gop.mp4")), (Some(300_000), None, mid_gop));
}

#[test]
fn a_format_prints_what_is_there() {
    let format = Format { packing: Packing::MpegTs, video: None, audio: Vec::new() };
    assert_eq!(format.to_string(), "MPEG-TS");
    let audio = vec![crate::format::codec::Codec::Aac, crate::format::codec::Codec::Ac3];
    assert_eq!(Format { audio, ..format }.to_string(), "AAC + AC-3 in MPEG-TS");
    assert_eq!(Format::only(Packing::PackedAudio).to_string(), "packed audio");
    assert_eq!(Format::only(Packing::WebVtt).to_string(), "WebVTT");
}

/// What was found of how long pictures and sound last.
pub(super) fn lengths(bytes: &[u8]) -> Option<(Option<Duration>, Option<Duration>)> {
    let time = examined(bytes).media_time?;
    let length = |extent: Option<Extent>| extent.map(|extent| extent.length);
    Some((length(time.video), length(time.audio)))
}
