use std::ops::Range;

use proptest::prelude::*;

use super::*;

/// A stretch of pictures that are shown as they were published, with the sound that was published with them.
#[derive(Clone, Debug)]
struct Stretch {
    /// From the first picture up to the end of the last.
    shown: Range<i64>,
    /// When each frame of sound begins.
    frames: Vec<i64>,
}

/// A frame in a cut.
#[derive(Clone, Copy, Debug)]
struct Heard {
    stretch: usize,
    frame: usize,
    at: i64,
}

/// The frames that are heard while `stretches` are shown one after the other.
fn soundtrack(stretches: &[Stretch], length: FrameLength) -> Vec<Heard> {
    let (mut track, mut heard, mut begin) = (Soundtrack::new(length), Vec::new(), 0);
    for (index, stretch) in stretches.iter().enumerate() {
        let end = begin + (stretch.shown.end - stretch.shown.start).max(0);
        let times = || stretch.frames.iter().map(|frame| begin + frame - stretch.shown.start);
        if let Some(Entry { frame, offset }) = track.enter(begin, times()) {
            let frames = times().enumerate().skip(frame).map(|(frame, at)| (frame, at + offset));
            for (frame, at) in
                frames.take_while(|(_, at)| track.is_before(*at, end)).collect::<Vec<_>>()
            {
                track.take(at);
                heard.push(Heard { stretch: index, frame, at });
            }
        }
        begin = end;
    }
    heard
}

/// 1024 samples at 48 kHz are 1920 ticks.
const AAC: FrameLength = FrameLength { samples: 1024, rate: 48_000 };

/// Pictures that are shown then, with frames from `first` on.
fn stretch(shown: Range<i64>, first: i64, count: i64, length: FrameLength) -> Stretch {
    let frames = (0..count).map(|place| first + length.begin(place)).collect();
    Stretch { shown, frames }
}

fn heard(stretches: &[Stretch]) -> Vec<(usize, usize, i64)> {
    let heard = soundtrack(stretches, AAC);
    heard.into_iter().map(|heard| (heard.stretch, heard.frame, heard.at)).collect()
}

#[test]
fn one_stretch_has_the_frames_that_are_nearest() {
    let shown = 10_000..10_000 + 3 * 1920;
    let expected = |first: usize| vec![(0, first, 0), (0, first + 1, 1920), (0, first + 2, 3840)];
    for (first, frame) in [(10_000, 0), (10_960, 0), (9040, 0), (9030, 1), (10_000 - 1920, 1)] {
        assert_eq!(heard(&[stretch(shown.clone(), first, 9, AAC)]), expected(frame), "{first}");
    }
    // the last frame is there if most of it is
    assert_eq!(heard(&[stretch(0..1920 + 960, 0, 9, AAC)]).len(), 1);
    assert_eq!(heard(&[stretch(0..1920 + 961, 0, 9, AAC)]).len(), 2);
    assert_eq!(heard(&[]), []);
    assert_eq!(heard(&[stretch(5..5, 0, 9, AAC)]), []);
    assert_eq!(heard(&[stretch(Range { start: 9, end: 5 }, 0, 9, AAC)]), []);
}

#[test]
fn the_grid_goes_on_over_the_ends_of_stretches() {
    // pictures of one and a half frames each, whose sound begins with them
    let one = stretch(1000..1000 + 2880, 1000, 9, AAC);
    let other = stretch(50_000..50_000 + 2880, 50_000, 9, AAC);
    let found = heard(&[one.clone(), other, one]);
    // of the last frame less than half is left
    let expected = [(0, 0, 0), (1, 0, 1920), (1, 1, 3840), (2, 0, 5760)];
    assert_eq!(found, expected);
}

#[test]
fn where_sound_is_missing_there_is_none() {
    let mut one = stretch(0..6 * 1920, 0, 6, AAC);
    one.frames.drain(2..4);
    let expected = [(0, 0, 0), (0, 1, 1920), (0, 2, 7680), (0, 3, 9600)];
    assert_eq!(heard(&[one.clone()]), expected);
    one.frames.clear();
    assert_eq!(heard(&[one]), []);
}

#[test]
fn what_sound_does_within_a_stretch_it_does_in_the_cut() {
    let mut one = stretch(0..6 * 1920, 100, 6, AAC);
    // a third of a frame later from there on
    one.frames[2..].iter_mut().for_each(|begin| *begin += 640);
    let expected =
        [(0, 0, 0), (0, 1, 1920), (0, 2, 4480), (0, 3, 6400), (0, 4, 8320), (0, 5, 10_240)];
    assert_eq!(heard(&[one.clone()]), expected);
    // and the grid goes on behind it
    let behind = stretch(0..1920, 0, 9, AAC);
    assert_eq!(heard(&[one, behind])[6..], [(1, 0, 11_520)]);
}

#[test]
fn sound_that_is_late_begins_in_its_place() {
    let late = stretch(0..4 * 1920, 2 * 1920 + 500, 9, AAC);
    assert_eq!(heard(&[late]), [(0, 0, 3840), (0, 1, 5760)]);
    let later = stretch(0..4 * 1920, 2 * 1920 + 1000, 9, AAC);
    assert_eq!(heard(&[later]), [(0, 0, 5760)]);
}

#[test]
fn a_hole_is_not_filled_with_what_was_heard_already() {
    // half a frame late, so that the last is as near to the place behind it
    let one = stretch(0..4 * 1920, 960, 2, AAC);
    assert_eq!(heard(&[one]), [(0, 0, 0), (0, 1, 1920)]);
}

#[test]
fn half_a_frame_off_is_the_same_half_all_the_time() {
    // 2089.8 ticks each, which are rounded now up and now down
    let length = FrameLength { samples: 1024, rate: 44_100 };
    assert_eq!([-1, 1, 2].map(|place| length.begin(place)), [-2090, 2090, 4180]);
    for (phase, early) in (0..50).flat_map(|phase| (1040..1050).map(move |early| (phase, early))) {
        let begin = |place| length.begin(place + phase) - length.begin(phase) - early;
        let frames = (0..120).map(begin).collect();
        let one = Stretch { shown: 0..200_000, frames };
        let frames: Vec<usize> =
            soundtrack(&[one], length).into_iter().map(|heard| heard.frame).collect();
        let expected: Vec<usize> = (frames[0]..).take(frames.len()).collect();
        assert_eq!(frames, expected, "{phase} and {early}");
        assert!((95..=96).contains(&frames.len()), "{}", frames.len());
    }
}

#[test]
fn a_stretch_that_ends_before_it_begins_is_none() {
    let one = stretch(0..5000, 0, 9, AAC);
    let turned = stretch(Range { start: 9000, end: 5000 }, 0, 9, AAC);
    let empty = stretch(5000..5000, 0, 9, AAC);
    let with = |middle: &Stretch| heard(&[one.clone(), middle.clone(), one.clone()]);
    assert_eq!(with(&turned), with(&empty));
}

proptest! {
    #[test]
    fn frames_are_in_their_places_and_no_further_off_than_half_a_frame(
        stretches in prop::collection::vec((1..100_000_i64, 0..3000_i64, any::<i32>()), 1..7),
        length in prop::sample::select(vec![(1024, 48_000), (1024, 44_100), (1152, 44_100), (1536, 48_000), (960, 24_000)]),
    ) {
        let length = FrameLength { samples: length.0, rate: length.1 };
        let of_one = length.begin(1);
        let stretches: Vec<Stretch> = stretches
            .iter()
            .map(|(lasts, early, start)| {
                let start = i64::from(*start);
                // sound from before the pictures to behind them
                let count = lasts / of_one + 9;
                stretch(start..start + lasts, start - of_one - early % of_one, count, length)
            })
            .collect();
        let heard = soundtrack(&stretches, length);
        let lasts: i64 = stretches.iter().map(|one| one.shown.end - one.shown.start).sum();
        // every place is taken, up to the last picture
        for (place, one) in heard.iter().enumerate() {
            // their times are rounded by themselves
            prop_assert!(one.at.abs_diff(length.begin(i64::try_from(place).unwrap())) <= 1);
        }
        let end = length.begin(i64::try_from(heard.len()).unwrap());
        prop_assert!(end.abs_diff(lasts) <= of_one.unsigned_abs() / 2 + 1, "{end} and {lasts}");
        let mut begin = 0;
        for (index, stretch) in stretches.iter().enumerate() {
            let of_stretch: Vec<&Heard> = heard.iter().filter(|one| one.stretch == index).collect();
            prop_assert!(of_stretch.windows(2).all(|pair| pair[1].frame == pair[0].frame + 1));
            for one in of_stretch {
                let should = one.at - begin;
                let does = stretch.frames[one.frame] - stretch.shown.start;
                let most = of_one.unsigned_abs() / 2 + ROUNDING.unsigned_abs();
                prop_assert!(should.abs_diff(does) <= most, "{should} and {does}");
            }
            begin += stretch.shown.end - stretch.shown.start;
        }
    }
}
