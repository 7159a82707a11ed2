use proptest::prelude::*;

use super::*;

mod sliding;

const TWITCH: &[Mark] = &[Mark::Scte35, Mark::Cue, Mark::AmazonTitle, Mark::StitchedRange];
const URL: &[Mark] = &[Mark::Scte35, Mark::Cue];

fn read(lines: &str) -> MediaPlaylist {
    let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n{lines}");
    MediaPlaylist::parse(text.as_bytes()).unwrap()
}

/// The names of the segments that are advertisements, told by a list that is the first of its address.
fn found(lines: &str, marks: &[Mark]) -> String {
    shown(&read(lines), marks, &Breaks::default()).0
}

fn shown(list: &MediaPlaylist, marks: &[Mark], before: &Breaks) -> (String, Breaks) {
    let (flags, breaks) = advertisements(list, marks, before);
    assert_eq!(flags.len(), list.segments.len());
    let names = list.segments.iter().zip(flags).filter(|(_, is_ad)| *is_ad);
    let names: Vec<&str> = names.map(|(segment, _)| segment.uri.as_str()).collect();
    (names.join(" "), breaks)
}

/// A segment of two seconds, dated `second` seconds after ten.
fn dated(second: f64, title: &str, name: &str) -> String {
    format!("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:{second:06.3}Z\n#EXTINF:2,{title}\n{name}\n")
}

fn stitched(start: &str, more: &str) -> String {
    format!(
        "#EXT-X-DATERANGE:ID=\"stitched-ad-1\",CLASS=\"twitch-stitched-ad\",\
        START-DATE=\"2026-11-20T10:00:{start}Z\"{more},X-TV-TWITCH-AD-ROLL-TYPE=\"MIDROLL\"\n"
    )
}

#[test]
fn a_list_of_twitch_as_it_is() {
    let text = include_str!("../../../../common/testdata/playlists/twitch-media.m3u8");
    let list = MediaPlaylist::parse(text.as_bytes()).unwrap();
    let (flags, _) = advertisements(&list, TWITCH, &Breaks::default());
    // the range is longer than its segments: what it covers is one, whatever its title
    assert_eq!(flags, [true; 4]);
    let (flags, _) = advertisements(&list, &[Mark::AmazonTitle], &Breaks::default());
    assert_eq!(flags, [true, true, false, false]);
    let (flags, _) = advertisements(&list, URL, &Breaks::default());
    assert_eq!(flags, [false; 4]);
}

#[test]
fn a_title_counts_only_where_it_is_a_mark() {
    let list =
        "#EXTINF:2,Amazon|1\na\n#EXTINF:2,live\nb\n#EXTINF:2, Amazon\nc\n#EXTINF:2,The Amazon\nd\n";
    assert_eq!(found(list, TWITCH), "a c");
    assert_eq!(found(list, URL), "");
    assert_eq!(found(list, &[]), "");
}

#[test]
fn a_mark_that_left_the_list_with_the_segment_before_it_has_ended_the_break() {
    let segments = |names: &str| -> String {
        let segments: Vec<_> = names.chars().map(|name| format!("#EXTINF:2,\n{name}\n")).collect();
        segments.concat()
    };
    let (ads, breaks) = shown(
        &read(&format!(
            "#EXT-X-MEDIA-SEQUENCE:5\n{}#EXT-X-SCTE35-OUT:ID=1\n{}#EXT-X-SCTE35-IN:ID=1\n{}",
            segments("a"),
            segments("bc"),
            segments("de")
        )),
        URL,
        &Breaks::default(),
    );
    assert_eq!(ads, "b c");
    let (ads, _) =
        shown(&read(&format!("#EXT-X-MEDIA-SEQUENCE:8\n{}", segments("def"))), URL, &breaks);
    assert_eq!(ads, "");
    let within = read(&format!("#EXT-X-MEDIA-SEQUENCE:7\n{}", segments("c")));
    assert_eq!(shown(&within, URL, &breaks).0, "c");
}

#[test]
fn a_range_covers_what_begins_in_it() {
    let list = |range: &str| {
        let segments = (0..6).map(|n| dated(f64::from(n) * 2.0, "x", &n.to_string()));
        range.to_owned() + &segments.collect::<String>()
    };
    for (start, more, expected) in [
        ("02.000", ",DURATION=4.0", "1 2"),
        ("02.000", ",DURATION=4", "1 2"),
        ("02.000", ",END-DATE=\"2026-11-20T10:00:06.000Z\"", "1 2"),
        ("02.000", ",PLANNED-DURATION=4.0", "1 2"),
        ("02.000", ",DURATION=0", ""),
        // rounding, on both sides
        ("02.020", ",DURATION=4.0", "1 2"),
        ("02.000", ",DURATION=4.05", "1 2"),
        ("02.000", ",DURATION=3.95", "1 2"),
        // a part of a segment
        ("02.000", ",DURATION=4.5", "1 2 3"),
        ("03.000", ",DURATION=2.0", "2"),
        // before and after the list
        ("59.000", ",DURATION=4.0", ""),
        ("00.000", ",DURATION=400", "0 1 2 3 4 5"),
    ] {
        assert_eq!(found(&list(&stitched(start, more)), TWITCH), expected, "{start} {more}");
    }
    let yesterday = stitched("00", ",DURATION=4").replace("11-20", "11-19");
    assert_eq!(found(&list(&yesterday), TWITCH), "");
    assert_eq!(found(&list(&stitched("02", ",DURATION=4")), URL), "", "it is only Twitch's");
    let other = stitched("02", ",DURATION=4").replace("twitch-stitched-ad", "twitch-ad-quartile");
    assert_eq!(found(&list(&other), TWITCH), "");
}

#[test]
fn segments_without_a_date_are_dated_by_their_neighbours() {
    let list = format!(
        "{}#EXTINF:2,x\na\n#EXTINF:2,x\nb\n{}#EXTINF:2,x\nd\n#EXTINF:2,x\ne\n",
        stitched("04.000", ",DURATION=8"),
        dated(6.0, "x", "c")
    );
    assert_eq!(found(&list, TWITCH), "b c d e");
    let list = list.replace("DURATION=8", "DURATION=4");
    assert_eq!(found(&list, TWITCH), "b c");
}

#[test]
fn a_range_of_a_list_without_dates_counts_from_its_place() {
    let list = format!(
        "#EXTINF:2,x\na\n{}#EXTINF:2,x\nb\n#EXTINF:2,x\nc\n#EXTINF:2,x\nd\n",
        stitched("00", ",DURATION=4")
    );
    assert_eq!(found(&list, TWITCH), "b c");
    // the tag outlived its segments
    let list = list.replace("DURATION=4", "DURATION=30").replace(",x\nd", ",live\nd");
    assert_eq!(found(&list, TWITCH), "b c");
    let list = list.replace("#EXTINF:2,x\nc", "#EXT-X-DISCONTINUITY\n#EXTINF:2,x\nc");
    assert_eq!(found(&list, TWITCH), "b");
}

#[test]
fn a_range_without_an_end_lasts_until_the_programme() {
    let ads = dated(2.0, "Amazon|1", "b") + "#EXT-X-DISCONTINUITY\n" + &dated(4.0, "Amazon|2", "c");
    let silent = dated(6.0, "", "d");
    let until = |programme: &str| {
        let list = dated(0.0, "live", "a") + &stitched("02", "") + &ads + &silent + programme;
        found(&list, TWITCH)
    };
    assert_eq!(until(&(dated(8.0, "live", "e") + &dated(10.0, "", "f"))), "b c d");
    let discontinuity = "#EXT-X-DISCONTINUITY\n".to_owned();
    assert_eq!(until(&(discontinuity + &dated(8.0, "", "e") + &dated(10.0, "", "f"))), "b c d");
    assert_eq!(until(&dated(8.0, "", "e")), "b c d e");
    // one that began before the list
    let list = stitched("00", "") + &dated(2.0, "", "a") + &dated(4.0, "live", "b");
    assert_eq!(found(&list, TWITCH), "a");
    let list = stitched("00", "") + &dated(2.0, "live", "a") + &dated(4.0, "", "b");
    assert_eq!(found(&list, TWITCH), "");
    // and one that never ends
    let long = "#EXTINF:2,\na\n".repeat(400);
    let (flags, _) =
        advertisements(&read(&(stitched("00", "") + &long)), TWITCH, &Breaks::default());
    assert_eq!(flags.iter().filter(|is_ad| **is_ad).count(), 300, "ten minutes");
}

#[test]
fn a_range_is_found_where_its_tag_stands_when_the_clock_went_back() {
    // twenty seconds back before the advertisement
    let before = dated(24.0, "live", "a") + &dated(26.0, "live", "b");
    let roll = dated(6.0, "", "c") + &dated(8.0, "", "d");
    let tag = stitched("06", ",DURATION=4.0");
    let after = dated(10.0, "live", "e");
    assert_eq!(found(&(before.clone() + &tag + &roll + &after), TWITCH), "c d");
    // and among segments that have its dates
    let same = dated(6.0, "live", "a") + &dated(8.0, "live", "b") + &dated(10.0, "live", "x");
    assert_eq!(found(&(same.clone() + &tag + &roll + &after), TWITCH), "c d");
    let apart = dated(4.0, "live", "y");
    assert_eq!(found(&(before.clone() + &same + &apart + &tag + &roll), TWITCH), "c d");
    // within it, and nothing says so
    let roll = dated(6.0, "", "c") + &dated(1.0, "", "d");
    let after = "#EXT-X-DISCONTINUITY\n".to_owned() + &dated(3.0, "live", "e");
    assert_eq!(found(&(before.clone() + &tag + &roll + &after), TWITCH), "c d");
    let longer = stitched("06", ",DURATION=8.0");
    assert_eq!(
        found(&(longer + &roll + &after), TWITCH),
        "c d e",
        "eight seconds by the old clock"
    );
    let exact = stitched("06", ",DURATION=4.0");
    let within = "#EXT-X-DISCONTINUITY\n".to_owned() + &dated(7.0, "live", "e");
    let roll = dated(6.0, "", "c") + &dated(5.0, "", "d");
    assert_eq!(found(&(exact + &roll + &within), TWITCH), "c d");
    // between two advertisements of it, which a discontinuity announces
    let exact = stitched("06", ",DURATION=6.0");
    let second = "#EXT-X-DISCONTINUITY\n".to_owned() + &dated(1.0, "", "d") + &dated(3.0, "", "e");
    let live = "#EXT-X-DISCONTINUITY\n".to_owned() + &dated(5.0, "live", "f");
    let all = exact + &dated(6.0, "", "c") + &second + &live;
    assert_eq!(found(&all, TWITCH), "c d e");
    let cut_short = stitched("06", ",DURATION=6.0") + &dated(6.0, "", "c");
    let programme = "#EXT-X-DISCONTINUITY\n".to_owned() + &dated(1.0, "live", "d");
    assert_eq!(found(&(cut_short + &programme), TWITCH), "c");
    // by less than it lasts, so that the programme has its dates
    let again = dated(6.0, "", "c") + &dated(8.0, "", "d");
    let short = "#EXT-X-DISCONTINUITY\n".to_owned() + &dated(7.0, "live", "e");
    let all = stitched("06", ",DURATION=4.0") + &again + &short + &dated(9.0, "live", "f");
    assert_eq!(found(&all, TWITCH), "c d");
    // which of them it is about, a tag elsewhere does not tell
    let elsewhere = tag + &dated(0.0, "live", "z") + &same;
    assert_eq!(found(&(elsewhere + &dated(6.0, "", "c") + &after), TWITCH), "a b c");
}

#[test]
fn a_splice_told_by_ranges_is_one_break() {
    let out = "#EXT-X-DATERANGE:ID=\"7\",START-DATE=\"2026-11-20T10:00:02Z\",PLANNED-DURATION=60,SCTE35-OUT=0xFC\n";
    let back =
        "#EXT-X-DATERANGE:ID=\"7\",START-DATE=\"2026-11-20T10:00:02Z\",DURATION=4,SCTE35-IN=0xFC\n";
    let segments: String = (0..5).map(|n| dated(f64::from(n) * 2.0, "", &n.to_string())).collect();
    assert_eq!(found(&(out.to_owned() + &segments), URL), "1 2 3 4");
    assert_eq!(found(&format!("{out}{back}{segments}"), URL), "1 2");
    let bare = "#EXT-X-DATERANGE:ID=\"7\",START-DATE=\"2026-11-20T10:00:02Z\",SCTE35-IN=0xFC\n";
    let (first, rest) =
        segments.split_at(segments.find("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:06").unwrap());
    assert_eq!(found(&format!("{out}{first}{bare}{rest}"), URL), "1 2");
    assert_eq!(found(&format!("{first}{bare}{rest}"), URL), "1 2", "its begin is told again");
    assert_eq!(found(&(out.to_owned() + &segments), &[Mark::Cue]), "");
}

#[test]
fn breaks_between_two_marks() {
    for (list, expected) in [
        ("a OUT b c IN d", "b c"),
        ("a OUT:30 b c IN d", "b c"),
        ("a OUT:DURATION=12 b c d e", "b c"),
        ("a OUT:12.000 b c d e", "b c"),
        ("a OUT:12.05 b c d e", "b c"),
        ("a OUT:11.95 b c d e", "b c"),
        ("a OUT:13 b c d e", "b c d"),
        ("a OUT:0 b c d", "b c d"),
        ("a OUT:nonsense b c IN d", "b c"),
        ("a OUT b IN c OUT d IN e", "b d"),
        ("OUT IN a", ""),
        ("IN OUT a", "a"),
        ("a OUT:6 b OUT-CONT:6/6 c d", "b c"),
        ("a OUT:12 b OUT-CONT:ElapsedTime=6,Duration=18,SCTE35=/DAl== c d e", "b c d"),
        ("a OUT b OUT-CONT c OUT-CONT d IN e", "b c d"),
        // what the list itself tells of its begin
        ("a b IN c d", "a b"),
        ("a b OUT-CONT c d IN e", "a b c d"),
        ("a b OUT-CONT:12/18 c d", "a b c"),
        ("a b OUT-CONT:6/18 c d e", "b c d"),
        ("IN a b", ""),
        ("OUT-CONT:24/30 a b", "a"),
        ("a b", ""),
        ("a OUT-OF-NOWHERE b SPAN:TIMEFROMSIGNAL=1 c", ""),
    ] {
        for prefix in ["EXT-X-CUE-", "EXT-X-SCTE35-"] {
            assert_eq!(found(&cued(list, prefix), URL), expected, "{list} of {prefix}");
        }
        assert_eq!(found(&cued(list, "EXT-X-CUE-"), &[Mark::Scte35]), "");
        assert_eq!(found(&cued(list, "EXT-X-SCTE35-"), &[Mark::Cue]), "");
    }
}

/// Segments of six seconds in lower case and the ends of tags in upper case.
fn cued(list: &str, prefix: &str) -> String {
    let line = |word: &str| {
        if word.starts_with(|c: char| c.is_ascii_lowercase()) {
            format!("#EXTINF:6,\n{word}\n")
        } else {
            format!("#{prefix}{word}\n")
        }
    };
    list.split(' ').map(line).collect()
}

#[test]
fn a_break_that_nothing_ends_is_over_after_ten_minutes() {
    let long = "#EXTINF:6,\na\n".repeat(150);
    let count = |list: &str| {
        let (flags, _) = advertisements(&read(list), URL, &Breaks::default());
        flags.iter().filter(|is_ad| **is_ad).count()
    };
    assert_eq!(count(&format!("#EXT-X-CUE-OUT\n{long}")), 100);
    assert_eq!(count(&format!("{long}#EXT-X-CUE-IN\n#EXTINF:6,\nx\n")), 100);
    assert_eq!(count(&format!("#EXTINF:6,\nx\n#EXT-X-CUE-OUT-CONT\n{long}")), 101);
}

#[test]
fn numbers_that_begin_anew_forget_the_break() {
    let list = |first: u64, lines: &str| read(&format!("#EXT-X-MEDIA-SEQUENCE:{first}\n{lines}"));
    let open = list(100, &cued("a OUT b", "EXT-X-CUE-"));
    let (names, breaks) = shown(&open, URL, &Breaks::default());
    assert_eq!(names, "b");
    let next = list(102, &cued("c d", "EXT-X-CUE-"));
    assert_eq!(shown(&next, URL, &breaks).0, "c d");
    // nobody knows what was in between, or that these are the same numbers
    let later = list(110, &cued("e f", "EXT-X-CUE-"));
    let (names, breaks_later) = shown(&later, URL, &breaks);
    assert_eq!(names, "");
    assert_eq!(breaks_later, Breaks::default());
    let anew = list(0, &cued("g h", "EXT-X-CUE-"));
    assert_eq!(shown(&anew, URL, &breaks), (String::new(), Breaks::default()));
}

#[test]
fn a_list_that_lags_is_told_by_the_one_before() {
    let list = |first: u64, lines: &str| {
        read(&format!("#EXT-X-MEDIA-SEQUENCE:{first}\n{}", cued(lines, "EXT-X-CUE-")))
    };
    let (names, breaks) = shown(&list(100, "b c IN d"), URL, &Breaks::default());
    assert_eq!(names, "b c", "it was open at the begin");
    let (names, breaks) = shown(&list(99, "a b c"), URL, &breaks);
    assert_eq!(names, "b c", "of the first nothing is known");
    assert_eq!(shown(&list(101, "c IN d e"), URL, &breaks).0, "c");
}

proptest! {
    #[test]
    fn a_list_without_marks_has_no_advertisement(
        titles in prop::collection::vec("[a-z|]{0,8}", 0..40),
        dates in any::<bool>(),
        first in 0..u64::MAX - 100,
        tags in prop::collection::vec("EXT-X-(BITRATE|CUESHEET|SCTE|FOO-OUT)", 0..5),
    ) {
        let mut lines = vec![format!("#EXT-X-MEDIA-SEQUENCE:{first}\n")];
        for (index, title) in titles.iter().enumerate() {
            if dates && index % 3 == 0 {
                lines.push(format!("#EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:{index:02}Z\n"));
            }
            if let Some(tag) = tags.get(index) {
                lines.push(format!("#{tag}:30\n#EXT-X-DISCONTINUITY\n"));
            }
            lines.push(format!("#EXTINF:1,{title}\n{index}.ts\n"));
        }
        let lines = lines.concat();
        for marks in [TWITCH, URL, &[]] {
            let (flags, breaks) = advertisements(&read(&lines), marks, &Breaks::default());
            prop_assert_eq!(flags, vec![false; titles.len()]);
            prop_assert_eq!(breaks, Breaks::default());
        }
    }
}
