//! Transport streams made to measure.

use super::super::time::shortfall;
use super::{Examination, Examiner, Finding, examine, examined, lengths};
use crate::format::mpegts::seal;
use crate::format::segment::MediaDuration;
use std::time::Duration;

const VIDEO: u16 = 0x100;
const AUDIO: u16 = 0x101;

/// A picture of 30 a second, in ticks.
const PICTURE: u64 = 3000;
/// Eight frames of sound, in ticks.
const SOUND: u64 = 8 * 1920;

/// SDT, PAT and PMT: H.264 on [`VIDEO`], AAC on [`AUDIO`].
fn tables() -> Vec<u8> {
    sample!("h264-aac.ts")[..3 * 188].to_vec()
}

/// A packet with `payload`, stuffed by an adaptation field.
fn packet(pid: u16, starts: bool, payload: &[u8]) -> Vec<u8> {
    let [high, low] = pid.to_be_bytes();
    let mut packet = vec![0x47, high | if starts { 0x40 } else { 0 }, low];
    match 184 - payload.len() {
        0 => packet.push(0x10),
        stuffing => {
            packet.extend([0x30, u8::try_from(stuffing - 1).unwrap()]);
            packet.resize(188 - payload.len(), 0);
        }
    }
    packet.extend(payload);
    packet
}

fn stamp(mark: u8, time: u64) -> [u8; 5] {
    let part = |shift: u32, mask: u64| u8::try_from(time >> shift & mask).unwrap();
    [
        mark << 4 | part(30, 0x7) << 1 | 1,
        part(22, 0xff),
        part(15, 0x7f) << 1 | 1,
        part(7, 0xff),
        part(0, 0x7f) << 1 | 1,
    ]
}

/// A PES packet's header with both time stamps.
fn header(id: u8, decode: u64, presentation: u64) -> Vec<u8> {
    let fixed = [0, 0, 1, id, 0, 0, 0x80, 0xc0, 10];
    [&fixed[..], &stamp(3, presentation % (1 << 33)), &stamp(1, decode % (1 << 33))].concat()
}

/// The first packet of a picture or of some sound, followed by `more` others.
fn unit(pid: u16, decode: u64, presentation: u64, more: usize) -> Vec<u8> {
    let id = if pid == VIDEO { 0xe0 } else { 0xc0 };
    let mut all = packet(pid, true, &header(id, decode, presentation));
    all.extend(packet(pid, false, &[0xa5; 184]).repeat(more));
    all
}

fn picture(time: u64) -> Vec<u8> {
    unit(VIDEO, time, time, 3)
}

fn pictures(times: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let pictures: Vec<_> = times.into_iter().map(picture).collect();
    [tables(), pictures.concat()].concat()
}

/// The sound of a segment that begins at `first` and lasts `ticks`, as the packets it comes in: the time
/// at which each begins, and its bytes.
fn sound(first: u64, ticks: u64) -> Vec<(u64, Vec<u8>)> {
    let unit = |start: u64| {
        let frames = (ticks - start).min(SOUND) / 1920;
        let time = first + start;
        (time, unit(AUDIO, time, time, usize::try_from(frames * 2).unwrap()))
    };
    (0..ticks.div_ceil(SOUND)).map(|at| unit(at * SOUND)).collect()
}

/// Pictures and sound, as they are interleaved when the sound is sent `late` ticks late.
fn interleaved(video: Vec<(u64, Vec<u8>)>, audio: Vec<(u64, Vec<u8>)>, late: u64) -> Vec<u8> {
    let audio = audio.into_iter().map(|(time, bytes)| (time + late, bytes));
    let mut all: Vec<_> = video.into_iter().chain(audio).collect();
    all.sort_by_key(|(time, _)| *time);
    let all: Vec<_> = all.into_iter().map(|(_, bytes)| bytes).collect();
    [tables(), all.concat()].concat()
}

/// Four seconds of pictures with three B-frames each, and sound from `first` on.
fn four_seconds(first: u64, late: u64) -> Vec<u8> {
    let picture = |at: u64| {
        let decode = HOUR + at * PICTURE;
        let ahead = if at.is_multiple_of(4) { 4 * PICTURE } else { 0 };
        (decode, unit(VIDEO, decode, decode + ahead, 4))
    };
    interleaved((0..120).map(picture).collect(), sound(first, 360_000), late)
}

/// How many pictures begin in `bytes`.
fn count_pictures(bytes: &[u8]) -> usize {
    bytes.chunks(188).filter(|packet| packet[1..3] == [0x41, 0]).count()
}

const HOUR: u64 = 3600 * 90_000;

fn micros(video: u64) -> Duration {
    Duration::from_micros(video)
}

fn is_short(examination: &Examination, seconds: f64) -> bool {
    let time = examination.media_time.as_ref().unwrap();
    shortfall(time, MediaDuration::from_seconds(seconds).unwrap(), Some(3)).is_some()
}

#[test]
fn pictures_last_from_the_first_to_the_end_of_the_last() {
    let segment = pictures((0..60).map(|at| HOUR + at * PICTURE));
    assert_eq!(lengths(&segment), Some((Some(micros(2_000_000)), None)));
    // one a second
    let segment = pictures([0, 90_000, 180_000]);
    assert_eq!(lengths(&segment), Some((Some(micros(3_000_000)), None)));
    // and where the 33 bits begin anew
    let segment = pictures((0..60).map(|at| (1 << 33) - 90_000 + at * PICTURE));
    assert_eq!(lengths(&segment), Some((Some(micros(2_000_000)), None)));
}

#[test]
fn a_clock_that_is_set_anew_within_a_segment_changes_nothing() {
    for other in [0, HOUR - 900_000, HOUR + 1_000_000, 2 * HOUR, (1 << 33) - 45_000] {
        let times = (0..30).flat_map(|at| [at]).map(|at| HOUR + at * PICTURE);
        let segment = pictures(times.chain((0..30).map(|at| other + at * PICTURE)));
        assert_eq!(lengths(&segment), Some((Some(micros(2_000_000)), None)), "{other}");
    }
}

#[test]
fn what_is_cut_off_is_missed_whichever_stream_is_ahead() {
    for (first, late) in [(0, 0), (0, 27_000), (27_000, 0), (0, 9000)] {
        let segment = four_seconds(HOUR + first, late);
        let whole = examined(&segment);
        assert!(!is_short(&whole, 4.0), "{whole:?}");
        assert!(is_short(&whole, 4.4));
        let cuts = (3 * 188..segment.len()).step_by(188);
        let tenth = cuts.filter(|length| count_pictures(&segment[*length..]) >= 12);
        let mut seen = 0;
        for length in tenth {
            seen += 1;
            let cut = examine(&[&segment[..length]]);
            assert!(is_short(&cut, 4.0), "{length} of {}: {cut:?}", segment.len());
        }
        assert!(seen > 500, "{seen}");
    }
}

#[test]
fn where_pictures_are_few_the_sound_tells() {
    let video = (0..4).map(|at| (at * 90_000, unit(VIDEO, at * 90_000, at * 90_000, 20))).collect();
    let segment = interleaved(video, sound(0, 360_000), 0);
    assert!(!is_short(&examined(&segment), 4.0));
    let cut = segment.len() * 9 / 10 / 188 * 188;
    let examination = examined(&segment[..cut]);
    let time = examination.media_time.unwrap();
    assert_eq!(time.video.unwrap().length, micros(4_000_000));
    assert!(is_short(&examination, 4.0), "{time:?}");
}

#[test]
fn sound_that_begins_late_or_ends_early_is_no_damage() {
    let video = || (0..120).map(|at| (at * PICTURE, picture(at * PICTURE))).collect();
    let segment = interleaved(video(), sound(180_000, 180_000), 0);
    assert!(!is_short(&examined(&segment), 4.0));
    let ends_early = interleaved(video(), sound(0, 180_000), 0);
    assert!(!is_short(&examined(&ends_early), 4.0), "as where a stream ends");
}

#[test]
fn metadata_does_not_count() {
    let sparse = |pid| [unit(pid, HOUR, HOUR, 0), unit(pid, HOUR + 9000, HOUR + 9000, 0)].concat();
    // of no stream that the tables name
    let segment = [pictures((0..60).map(|at| HOUR + at * PICTURE)), sparse(0x123)].concat();
    assert_eq!(lengths(&segment), Some((Some(micros(2_000_000)), None)));
}

#[test]
fn tables_may_come_late_and_in_parts() {
    let segment = pictures((0..60).map(|at| HOUR + at * PICTURE));
    let (tables, media) = segment.split_at(3 * 188);
    let (before, behind) = media.split_at(media.len() / 2);
    let late = [before, tables, behind].concat();
    assert_eq!(lengths(&late), Some((Some(micros(2_000_000)), None)));
    assert_eq!(examined(media).media_time, None);

    let map = &tables[2 * 188..];
    let pid = u16::from_be_bytes([map[1], map[2]]) & 0x1fff;
    let start = map.windows(2).position(|bytes| bytes == [2, 0xb0]).unwrap();
    let length = 3 + usize::from(map[start + 2]);
    let section = &map[start..start + length];
    let mut parts = packet(pid, true, &[&[0][..], &section[..9]].concat());
    parts.extend(packet(pid, false, &section[9..]));
    let split = [&tables[..2 * 188], &parts, media].concat();
    assert_eq!(lengths(&split), Some((Some(micros(2_000_000)), None)));
    // a map that is damaged is none
    parts[187] ^= 1;
    parts[188 + 187] ^= 1;
    let damaged = [&tables[..2 * 188], &parts, media].concat();
    assert_eq!(examined(&damaged).media_time, None);
}

#[test]
fn tables_that_change_add_streams() {
    let tables = tables();
    let mut changed = tables.clone();
    let map = &mut changed[2 * 188..];
    let start = map.windows(2).position(|bytes| bytes == [2, 0xb0]).unwrap();
    let length = 3 + usize::from(map[start + 2]);
    let section = &mut map[start..start + length];
    let stream = section.windows(3).position(|bytes| bytes == [0x1b, 0xe1, 0]).unwrap();
    section[stream + 1..stream + 3].copy_from_slice(&[0xe1, 0x10]);
    seal(section);
    let other = (0..90).map(|at| unit(0x110, at * PICTURE, at * PICTURE, 1));
    let other: Vec<_> = other.collect();
    let segment = [pictures((0..60).map(|at| at * PICTURE)), changed, other.concat()].concat();
    // the longest of its kind
    assert_eq!(lengths(&segment), Some((Some(micros(3_000_000)), None)));
}

#[test]
fn a_header_may_be_split_over_packets() {
    let pictures = (0..60).zip((4..19).cycle()).map(|(at, split)| {
        let header = header(0xe0, HOUR + at * PICTURE, HOUR + at * PICTURE);
        let begin = packet(VIDEO, true, &header[..split]);
        [begin, packet(VIDEO, false, &header[split..])].concat()
    });
    let segment = [tables(), pictures.collect::<Vec<_>>().concat()].concat();
    assert_eq!(lengths(&segment), Some((Some(micros(2_000_000)), None)));
}

#[test]
fn scrambled_packets_tell_nothing() {
    let mut segment = pictures((0..60).map(|at| HOUR + at * PICTURE));
    for packet in segment.chunks_mut(188).skip(3) {
        packet[3] |= 0x80;
    }
    let examination = examined(&segment);
    assert_eq!((examination.finding, examination.media_time), (Finding::Sound, None));
}

#[test]
fn hardly_anything_is_no_time_at_all() {
    let nothing = Some((Some(Duration::ZERO), Some(Duration::ZERO)));
    assert_eq!(lengths(&tables()), nothing);
    assert_eq!(lengths(&pictures([HOUR])), nothing);
    assert!(is_short(&examined(&pictures([HOUR])), 2.0));
    // pictures that seldom come, beside sound that tells
    let slide = interleaved(vec![(HOUR, picture(HOUR))], sound(HOUR, 180_000), 0);
    let (video, audio) = lengths(&slide).unwrap();
    assert_eq!(video, None);
    assert!(audio.unwrap().abs_diff(micros(2_000_000)) < micros(22_000), "{audio:?}");
    // without a time stamp nobody can tell
    let stampless = packet(VIDEO, true, &[0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0]);
    assert_eq!(lengths(&[tables(), stampless].concat()), None);
}

#[test]
fn tables_may_come_as_an_initialization_section() {
    let segment = pictures((0..60).map(|at| HOUR + at * PICTURE));
    let (tables, media) = segment.split_at(3 * 188);
    let mut examiner = Examiner::after(tables);
    examiner.feed(media);
    assert_eq!(examiner.finish(), examined(&segment));
}

#[test]
fn parameter_sets_are_looked_for_in_each_picture() {
    let real = sample!("h264-aac.ts");
    let (tables, media) = real.split_at(3 * 188);
    let first = (0..3).map(|at| picture(at * PICTURE)).collect::<Vec<_>>().concat();
    let format = |bytes: &[u8]| examined(bytes).format.map(|format| format.to_string());
    assert_eq!(format(&[tables, &first[..]].concat()), None);
    let found = format(&[tables, &first[..], media].concat());
    assert_eq!(found.unwrap(), "H.264 320x180 + AAC in MPEG-TS");
}

#[test]
fn no_more_than_a_few_streams_are_kept() {
    let media = pictures((0..60).map(|at| HOUR + at * PICTURE));
    let others = |count: u16| -> Vec<u8> {
        (0..count).flat_map(|at| unit(0x200 + at, HOUR, HOUR, 0)).collect()
    };
    let all = Some((Some(micros(2_000_000)), None));
    assert_eq!(lengths(&[others(15), media.clone()].concat()), all);
    // there would be room for no more, so that nobody can tell
    assert_eq!(lengths(&[others(16), media].concat()), None);
}
