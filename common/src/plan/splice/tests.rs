use proptest::prelude::*;

use super::*;

/// Pictures by a line: each is shown at its number; `I` stands in front of one with which decoding can begin, `O` of one
/// that begins an open group, and `x` of one that is damaged.
fn pictures(line: &str) -> Vec<Shown> {
    let picture = |word: &str| Shown {
        at: word.trim_start_matches(['I', 'O', 'x']).parse().unwrap(),
        access: if word.contains('I') {
            Some(RandomAccess::Closed)
        } else {
            word.contains('O').then_some(RandomAccess::Open)
        },
        intact: !word.contains('x'),
    };
    line.split(' ').map(picture).collect()
}

/// What is encoded, copied and encoded, each as the times at which it is shown.
fn shown(line: &str, range: Range<i64>) -> [Vec<i64>; 3] {
    shown_with(line, range, Leading::Needed)
}

fn shown_with(line: &str, range: Range<i64>, leading: Leading) -> [Vec<i64>; 3] {
    let pictures = pictures(line);
    let splice = splice(&pictures, range, leading);
    let encoded = |range: Range<i64>| {
        let mut times: Vec<i64> =
            pictures.iter().map(|picture| picture.at).filter(|at| range.contains(at)).collect();
        times.sort_unstable();
        times
    };
    let copied = pictures[splice.copied].iter().map(|picture| picture.at);
    let mut copied: Vec<i64> = copied.filter(|at| *at >= splice.head.end).collect();
    copied.sort_unstable();
    [encoded(splice.head), copied, encoded(splice.tail)]
}

#[test]
fn without_reordering_only_what_is_before_a_key_is_encoded() {
    let line = "I0 1 2 3 I4 5 6 7 I8 9";
    assert_eq!(shown(line, 2..7), [vec![2, 3], vec![4, 5, 6], vec![]]);
    assert_eq!(shown(line, 4..10), [vec![], vec![4, 5, 6, 7, 8, 9], vec![]]);
    assert_eq!(shown(line, 1..3), [vec![1, 2], vec![], vec![]]);
    assert_eq!(shown(line, 1..4), [vec![1, 2, 3], vec![], vec![]]);
    assert_eq!(shown(line, 3..5), [vec![3], vec![4], vec![]]);
    assert_eq!(shown(line, 9..10), [vec![9], vec![], vec![]]);
    assert_eq!(shown(line, 4..4).concat(), [0_i64; 0]);
}

#[test]
fn what_needs_a_picture_that_is_cut_off_is_encoded() {
    let line = "I0 3 1 2 6 4 5 I7 10 8 9";
    assert_eq!(shown(line, 0..5), [vec![], vec![0, 1, 2, 3], vec![4]]);
    assert_eq!(shown(line, 0..6), [vec![], vec![0, 1, 2, 3], vec![4, 5]]);
    assert_eq!(shown(line, 0..7), [vec![], vec![0, 1, 2, 3, 4, 5, 6], vec![]]);
    assert_eq!(shown(line, 0..3), [vec![], vec![0], vec![1, 2]]);
    // one that is decoded early and shown late
    assert_eq!(shown("I0 4 8 1 2 3 5 6 7", 0..7), [vec![], vec![0], vec![1, 2, 3, 4, 5, 6]]);
}

#[test]
fn leading_pictures_that_can_be_decoded_belong_to_their_key() {
    let line = "I0 1 2 I5 3 4 6";
    assert_eq!(shown(line, 1..7), [vec![1, 2], vec![3, 4, 5, 6], vec![]]);
    // they cannot be left out alone, and neither can it
    assert_eq!(shown(line, 3..5), [vec![3, 4], vec![], vec![]]);
    assert_eq!(shown(line, 4..7), [vec![4, 5, 6], vec![], vec![]]);
}

#[test]
fn open_groups_and_damaged_keys_begin_nothing() {
    assert_eq!(shown("I0 1 O4 2 3 5 I6 7", 1..8), [vec![1, 2, 3, 4, 5], vec![6, 7], vec![]]);
    assert_eq!(shown("I0 1 xI2 3 I4 5", 1..6), [vec![1, 2, 3], vec![4, 5], vec![]]);
    // but are copied
    assert_eq!(shown("I0 1 O4 2 3 5", 0..6), [vec![], vec![0, 1, 2, 3, 4, 5], vec![]]);
}

#[test]
fn what_leads_an_open_group_may_be_left_out() {
    let shown = |line, range| shown_with(line, range, Leading::Droppable);
    let line = "I0 1 O4 2 3 5 O8 6 7";
    assert_eq!(shown(line, 1..9), [vec![1, 2, 3], vec![4, 5, 6, 7, 8], vec![]]);
    assert_eq!(shown(line, 3..9), [vec![3], vec![4, 5, 6, 7, 8], vec![]]);
    assert_eq!(shown(line, 4..7), [vec![], vec![4, 5], vec![6]]);
    assert_eq!(shown(line, 5..9), [vec![5, 6, 7], vec![8], vec![]]);
    assert_eq!(shown(line, 1..4), [vec![1, 2, 3], vec![], vec![]]);
    // of a closed group they are not
    assert_eq!(shown("I0 1 2 I5 3 4 6", 4..7), [vec![4, 5, 6], vec![], vec![]]);
}

#[test]
fn a_key_that_something_from_before_is_shown_after_begins_nothing() {
    assert_eq!(shown("I0 5 I3 4 6", 1..7), [vec![3, 4, 5, 6], vec![], vec![]]);
}

#[test]
fn a_range_begins_with_the_picture_that_is_shown_then() {
    let pictures = pictures("I10 40 20 30");
    for (start, first) in [(5, 10), (10, 10), (19, 10), (20, 20), (99, 40)] {
        assert_eq!(first_shown(&pictures, start), Some(first), "{start}");
    }
    assert_eq!(first_shown(&[], 1), None);
}

/// Groups of pictures of any kind: how many pictures lie between those that others are made from, how long the group is,
/// whether it is open, and if not, whether pictures lead it all the same.
fn stream() -> impl Strategy<Value = Vec<Shown>> {
    let group = (0..4_usize, 1..9_usize, any::<[bool; 2]>(), prop::bool::weighted(0.9));
    prop::collection::vec(group, 1..6).prop_map(|groups| {
        let (mut stream, mut next) = (Vec::new(), 0);
        for (number, (between, length, [open, leads], intact)) in groups.into_iter().enumerate() {
            let (open, leads) = (open && number > 0, leads && number > 0);
            for place in 0..length {
                let leading = if place > 0 || open || leads { between } else { 0 };
                let is_key = place == 0;
                let kind = if open { RandomAccess::Open } else { RandomAccess::Closed };
                let last = next + i64::try_from(leading).unwrap();
                stream.push(Shown { at: last, access: is_key.then_some(kind), intact });
                let leading = (next..last).map(|at| Shown { at, access: None, intact });
                stream.extend(leading);
                next = last + 1;
            }
        }
        stream
    })
}

proptest! {
    #[test]
    fn every_picture_is_shown_once_and_what_is_copied_can_be_decoded(
        stream in stream(),
        a in 0..100_i64,
        b in 0..100_i64,
        leading in prop::sample::select(vec![Leading::Needed, Leading::Droppable]),
    ) {
        let (start, stop) = (a.min(b), a.max(b));
        let splice = splice(&stream, start..stop, leading);
        prop_assert_eq!((splice.head.start, splice.tail.end), (start, stop));
        let copied = &stream[splice.copied.clone()];
        let between = splice.head.end..splice.tail.start;
        // exactly what is shown between head and tail is copied
        for (index, picture) in stream.iter().enumerate() {
            let is_copied = splice.copied.contains(&index) && picture.at >= splice.head.end;
            let is_between = (start..stop).contains(&picture.at) && between.contains(&picture.at);
            prop_assert_eq!(is_copied, is_between, "{:?} of {:?}", picture, splice);
        }
        let can_begin = |key: &Shown| match key.access {
            Some(RandomAccess::Closed) => key.intact,
            Some(RandomAccess::Open) => key.intact && leading == Leading::Droppable,
            None => false,
        };
        if let Some(key) = copied.first() {
            prop_assert!(can_begin(key));
            // what is left out is what leads it
            let left_out = copied.iter().filter(|picture| picture.at < splice.head.end);
            for picture in left_out {
                prop_assert_eq!(key.access, Some(RandomAccess::Open));
                prop_assert!(picture.at < key.at);
            }
        }
        // nothing else that could be copied is more
        for (begin, key) in stream.iter().enumerate() {
            let leads = |picture: &&Shown| key.access == Some(RandomAccess::Open) && picture.at < key.at;
            for end in (begin + 1..=stream.len()).filter(|_| can_begin(key)) {
                let latest = stream[begin..end].iter().map(|picture| picture.at).max().unwrap();
                let mut rest = stream[begin..].iter().filter(|picture| !leads(picture));
                let of_rest = rest.all(|picture| picture.at >= start);
                let later = stream[end..].iter().all(|picture| picture.at > latest);
                if of_rest && later && latest < stop {
                    prop_assert!(copied.len() >= end - begin, "{begin} to {end}, not {splice:?}");
                }
            }
        }
    }
}
