//! What is published when, and what lists show of it.

use super::*;
use crate::origin::script::Shape;

fn stream(change: impl FnOnce(Script) -> Script) -> Stream {
    let shape = Shape { window: 3, backlog: 3, first_number: 7, ..Shape::default() };
    Stream::of(&change(Script::healthy(shape)), 40)
}

/// Index and number of what a list shows.
fn shown(stream: &Stream, now: i64) -> Option<Vec<(i32, u64)>> {
    let view = stream.view(now)?;
    Some(view.segments.iter().map(|segment| (segment.index, segment.number)).collect())
}

#[test]
fn a_segment_is_listed_when_it_ends_and_until_the_window_has_passed() {
    let stream = stream(|script| script);
    assert_eq!(shown(&stream, 0), Some(vec![(-2, 7), (-1, 8), (0, 9)]));
    assert_eq!(shown(&stream, 999), shown(&stream, 0));
    assert_eq!(shown(&stream, 1000), Some(vec![(-1, 8), (0, 9), (1, 10)]));
    let first = stream.get(1).unwrap();
    assert_eq!((first.start, first.at, stream.listed_until(first)), (0, 1000, 4000));
}

#[test]
fn an_encoder_that_restarts_leaves_its_list_and_begins_another() {
    let restart = What::Restart { number: 0, pause: 5000, leaves: Leaves::List };
    let stream = stream(|script| script.change(4, restart));
    assert_eq!(shown(&stream, 8999), Some(vec![(1, 10), (2, 11), (3, 12)]));
    assert_eq!(shown(&stream, 9000), Some(vec![(4, 0)]));
    assert_eq!(stream.get(4).unwrap().start, 8000);
    assert_eq!(stream.listed_until(stream.get(3).unwrap()), 9000);
    assert!(!stream.view(5000).unwrap().ended);
}

#[test]
fn a_list_that_ends_says_so_and_may_go() {
    let restart = |leaves| What::Restart { number: 0, pause: 5000, leaves };
    let ends = stream(|script| script.change(4, restart(Leaves::EndList)));
    assert!(!ends.view(2999).unwrap().ended && ends.view(3000).unwrap().ended);
    assert!(ends.view(7999).unwrap().ended && !ends.view(8000).unwrap().ended);
    let goes = stream(|script| script.change(4, restart(Leaves::Nothing)));
    assert!(goes.view(5999).unwrap().ended && goes.view(6000).is_none());
    assert!(goes.view(8000).is_some());
}

#[test]
fn skipped_numbers_are_never_listed() {
    let stream = stream(|script| script.change(4, What::SkipNumbers(2)));
    assert_eq!(shown(&stream, 5000), Some(vec![(1, 10), (2, 11), (3, 12)]));
    assert_eq!(shown(&stream, 6000), Some(vec![(6, 15)]));
}

#[test]
fn changes_last_as_long_as_they_say() {
    let jump = What::ClockJump { by: -500, announced: false };
    let stream = stream(|script| script.change(4, What::Gap(2)).change(6, jump));
    let gaps: Vec<i32> = stream.segments.iter().filter(|s| s.gap).map(|s| s.index).collect();
    assert_eq!(gaps, [4, 5]);
    let jumps: Vec<i32> = stream.segments.iter().filter(|s| s.jumped).map(|s| s.index).collect();
    assert_eq!(jumps, [6]);
    assert_eq!(stream.get(7).unwrap().start, 5500);
}

#[test]
fn a_clip_that_begins_again_is_a_discontinuity() {
    let shape = Shape { offset: SEGMENTS - 2, backlog: 1, ..Shape::default() };
    let stream = Stream::of(&Script::healthy(shape), 10);
    let cuts: Vec<i32> =
        stream.segments.iter().filter(|s| s.discontinuity).map(|s| s.index).collect();
    assert_eq!(cuts, [2]);
}

#[test]
fn what_stands_still_is_published_anew_and_what_is_listed_again_is_not() {
    let script = Script::healthy(Shape::default()).change(4, What::Still(3));
    let stream = Stream::of(&script.change(9, What::Again(2)), 20);
    let shown = |index| {
        let segment = stream.get(index).unwrap();
        (segment.number, segment.original, segment.start, segment.clip_index)
    };
    assert_eq!(
        [shown(4), shown(5), shown(6)],
        [(1013, 4, 3000, 13), (1014, 5, 4000, 13), (1015, 6, 5000, 13)]
    );
    let again = shown(8);
    assert_eq!([shown(9), shown(10)], [(1018, 8, again.2, again.3), (1019, 8, again.2, again.3)]);
    assert_eq!((shown(11).0, shown(11).2), (1020, 8000));
}
