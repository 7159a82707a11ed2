//! Segments of fragmented MP4 made to measure.

use std::time::Duration;

use super::{Examination, Examiner, Finding, boxed, examined, lengths, mp4_box};

const MILLIS_400: Duration = Duration::from_millis(400);

/// Initialization section and fragments of a segment of pictures and sound.
fn parts() -> (&'static [u8], &'static [u8]) {
    let bytes = sample!("h264-aac.mp4");
    let moof = bytes.windows(4).position(|kind| kind == b"styp" || kind == b"moof").unwrap();
    bytes.split_at(moof - 4)
}

fn after(init: &[u8], segment: &[u8]) -> Examination {
    let mut examiner = Examiner::after(init);
    segment.chunks(7).for_each(|piece| examiner.feed(piece));
    examiner.finish()
}

#[test]
fn an_initialization_section_tells_what_fragments_hold() {
    let (init, segment) = parts();
    assert_eq!(after(init, segment), examined(sample!("h264-aac.mp4")));
    let alone = examined(segment);
    let nothing = Examination { finding: Finding::Sound, media_time: None, format: None };
    assert_eq!(alone, nothing);
    // a whole segment in front leaves what it says of the tracks, and none of its media
    assert_eq!(after(sample!("h264-aac.mp4"), segment), after(init, segment));
    // what is no initialization section says nothing
    assert_eq!(after(b"<html>", segment), alone);
    assert_eq!(after(b"", segment), alone);
}

#[test]
fn fragments_add_up() {
    let (init, segment) = parts();
    let three = [init, &segment.repeat(3)].concat();
    let (video, audio) = lengths(&three).unwrap();
    assert_eq!((video, audio), (Some(3 * MILLIS_400), Some(Duration::from_millis(1264))));
}

#[test]
fn a_fragment_counts_once_its_media_is_there() {
    let (init, segment) = parts();
    let mdat = segment.windows(4).position(|kind| kind == b"mdat").unwrap() - 4;
    let cut = |end: usize| {
        let examination = after(init, &segment[..end]);
        (examination.finding, examination.media_time.unwrap().most())
    };
    // announced, but cut off between two boxes
    assert_eq!(cut(mdat), (Finding::Sound, Duration::ZERO));
    assert_eq!(cut(segment.len() - 1), (Finding::Torn, Duration::ZERO));
    // open to the end
    let mut open = segment.to_vec();
    open[mdat..mdat + 4].fill(0);
    let examination = after(init, &open);
    assert_eq!(examination.media_time.unwrap().video.unwrap().length, MILLIS_400);
    assert_eq!(examination.finding, Finding::Sound);
    // and cut off there, as what its samples take tells
    for end in [open.len() - 1, mdat + 9, mdat + 8] {
        let examination = after(init, &open[..end]);
        assert_eq!(examination.media_time.unwrap().most(), Duration::ZERO);
        assert_eq!(examination.finding, Finding::Torn);
    }
    // what came before takes nothing of it
    assert_eq!(after(init, &[segment, &open].concat()).finding, Finding::Sound);
    let two = [segment, &open[..open.len() - 1]].concat();
    let examination = after(init, &two);
    assert_eq!(examination.media_time.unwrap().video.unwrap().length, MILLIS_400);
}

fn fields(fields: &[u32]) -> Vec<u8> {
    fields.iter().flat_map(|field| field.to_be_bytes()).collect()
}

fn fragment(track: u32, decode_time: u32, runs: &[Vec<u8>]) -> Vec<u8> {
    let header = boxed(*b"tfhd", &fields(&[0, track]));
    let time = boxed(*b"tfdt", &fields(&[0, decode_time]));
    let traf = boxed(*b"traf", &[header, time, runs.concat()].concat());
    [boxed(*b"moof", &traf), mp4_box(*b"mdat", 4)].concat()
}

/// An initialization section whose first track's samples last `duration` where nothing else is said.
fn with_default(duration: u32) -> Vec<u8> {
    let mut init = parts().0.to_vec();
    let trex = init.windows(4).position(|kind| kind == b"trex").unwrap();
    init[trex + 16..trex + 20].copy_from_slice(&duration.to_be_bytes());
    init
}

fn seconds(init: &[u8], segment: &[u8]) -> f64 {
    after(init, segment).media_time.unwrap().video.unwrap().length.as_secs_f64()
}

/// Ticks are 1/15360 s, as in what ffmpeg makes of 30 pictures a second.
#[test]
fn samples_last_as_they_say_or_as_the_track_does() {
    let init = with_default(1536);
    let run = |flags: u32, rest: &[u32]| boxed(*b"trun", &fields(&[&[flags], rest].concat()));
    let of = |run| seconds(&init, &fragment(1, 0, &[run]));
    assert!((of(run(0, &[20])) - 2.0).abs() < 1e-9);
    assert!((of(run(0x100, &[3, 15_360, 7680, 7680])) - 2.0).abs() < 1e-9);
    // sizes, but no durations: no more samples than have one
    assert!((of(run(0x200, &[10, 9, 9])) - 0.2).abs() < 1e-9);
    assert!((of(run(0x200, &[2, 9, 9])) - 0.2).abs() < 1e-9);
    // several runs
    let two = [run(0, &[10]), run(0x100, &[1, 15_360])];
    assert!((seconds(&init, &fragment(1, 0, &two)) - 2.0).abs() < 1e-9);
    // of a track that nobody knows
    assert_eq!(after(&init, &fragment(9, 0, &two)).media_time.unwrap().most(), Duration::ZERO);
}

#[test]
fn sound_counts_from_where_the_pictures_begin() {
    let init = with_default(1536);
    let run = |duration| vec![boxed(*b"trun", &fields(&[0x100, 1, duration]))];
    let with_sound_at = |at| {
        let pictures = fragment(1, 10 * 15_360, &run(4 * 15_360));
        let segment = [pictures, fragment(2, at, &run(2 * 48_000))].concat();
        after(&init, &segment).media_time.unwrap().audio.unwrap().length.as_secs_f64()
    };
    assert!((with_sound_at(12 * 48_000) - 4.0).abs() < 1e-9);
    assert!((with_sound_at(9 * 48_000) - 2.0).abs() < 1e-9);
    // clocks that have nothing to do with each other
    assert!((with_sound_at(40 * 48_000) - 2.0).abs() < 1e-9);
}

#[test]
fn whatever_claims_too_much_is_bounded() {
    let init = with_default(u32::MAX);
    let run = boxed(*b"trun", &fields(&[0, u32::MAX]));
    let segment = fragment(1, 0, &vec![run; 40_000]);
    assert!(seconds(&init, &segment) > 1e6);
    // a box that is too large to be kept
    let (init, segment) = parts();
    let large = mp4_box(*b"moof", (1 << 20) + 1);
    let examination = after(init, &[segment, &large, segment].concat());
    assert_eq!((examination.finding, examination.media_time), (Finding::Sound, None));
    assert!(examination.format.is_some());
    let largest = mp4_box(*b"moof", 1 << 20);
    assert!(after(init, &[segment, &largest].concat()).media_time.is_some());
}

#[test]
fn a_description_without_content_describes_nothing() {
    let (init, segment) = parts();
    let described = after(init, segment);
    for empty in [mp4_box(*b"moov", 0), b"\0\0\0\0moov and more".to_vec()] {
        assert_eq!(after(init, &[segment, &empty].concat()), described);
    }
}
