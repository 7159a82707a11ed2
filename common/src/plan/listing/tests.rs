use super::*;

fn hour() -> Hour {
    "2026-11-20T10".parse().unwrap()
}

#[test]
fn a_tombstone_hides_only_the_segment_of_its_name() {
    let hash = ContentHash::of(b"");
    let kept = format!("00:00.000000-2.0-full-{hash}.ts");
    let hidden = format!("00:02.000000-2.0-full-{hash}");
    let odd = format!("00:02-2-full-{hash}");
    let files = [
        kept.clone(),
        format!("{hidden}.ts"),
        format!("{hidden}.tombstone"),
        format!("{odd}.ts"),
        format!("{kept}.tombstone"),
        "stranger.ts".to_owned(),
        "00:04.000000-2.0-temp-x.ts".to_owned(),
        format!(".{kept}"),
    ];
    let listing = HourListing::new(hour(), &files, |_| panic!("no size decides here"));
    let visible: Vec<String> = listing.segments().map(Segment::file_name).collect();
    assert_eq!(visible, [kept, format!("{odd}.ts")]);
}

#[test]
fn only_what_ends_like_a_segment_is_a_stranger() {
    let mut builder = ListingBuilder::new(hour());
    let hash = ContentHash::of(b"");
    for fine in ["a.json", ".hidden.ts", "00:00-2-temp-x.ts", "x.tombstone"] {
        assert_eq!(builder.add(fine), NameKind::Fine, "{fine}");
    }
    for stranger in ["stranger.ts", &format!("00:60-2-full-{hash}.ts"), "00:00-2-temp-.ts"] {
        assert_eq!(builder.add(stranger), NameKind::Stranger, "{stranger}");
    }
    assert!(builder.finish(|_| None).is_empty());
}

#[test]
fn a_rival_that_vanished_does_not_count() {
    let files =
        [b"a", b"b"].map(|bytes| format!("00:00.000000-2.0-full-{}.ts", ContentHash::of(bytes)));
    let listing = HourListing::new(hour(), &files, |name| (name == files[1]).then_some(7));
    assert_eq!(listing.segments().map(Segment::file_name).collect::<Vec<_>>(), [&*files[1]]);
    assert_eq!(listing.candidates().count(), 1);
}

#[test]
fn an_odd_name_is_kept_as_it_is() {
    let hash = ContentHash::of(b"");
    let names = [
        format!("00:00-2-full-{hash}.ts"),
        format!("00:02.5-2.0-full-{hash}.ts"),
        format!("00:04.000000-02.0-full-{hash}.ts"),
        format!("00:06.000000-2.00-full-{hash}.ts"),
        format!("00:08.000000-2.0-full-{hash}.ts"),
    ];
    let listing = HourListing::new(hour(), &names, |_| None);
    assert_eq!(listing.segments().map(Segment::file_name).collect::<Vec<_>>(), names);
    let odd: Vec<bool> = listing.segments().map(|s| s.odd_name().is_some()).collect();
    assert_eq!(odd, [true, true, true, true, false]);
}

#[test]
fn a_segment_takes_few_bytes() {
    let name = |second: u32| {
        let hash = ContentHash::of(&second.to_be_bytes());
        format!("{:02}:{:02}.000000-2.0-full-{hash}.ts", second / 60, second % 60)
    };
    let listing = HourListing::new(hour(), (0..1800).map(|n| name(2 * n)), |_| None);
    assert!(listing.memory_bytes() <= 60 * 1800, "{} bytes", listing.memory_bytes());
}

#[test]
fn the_digest_tells_listings_apart() {
    let hash = [ContentHash::of(b"a"), ContentHash::of(b"b")];
    let digests: std::collections::HashSet<u64> = [
        vec![],
        vec![format!("00:00.000000-2.0-full-{}.ts", hash[0])],
        vec![format!("00:00.000000-2.0-full-{}.ts", hash[1])],
        vec![format!("00:00.000000-2.0-suspect-{}.ts", hash[0])],
        vec![format!("00:00.000000-2.5-full-{}.ts", hash[0])],
        vec![format!("00:00.500000-2.0-full-{}.ts", hash[0])],
        vec![format!("00:00.0-2.0-full-{}.ts", hash[0])],
        vec![format!("00:00-2.0-full-{}.ts", hash[0])],
    ]
    .iter()
    .map(|names| HourListing::new(hour(), names, |_| None).digest())
    .collect();
    assert_eq!(digests.len(), 8);
}

#[test]
fn another_container_is_a_break_and_an_unknown_format_is_none() {
    use crate::format::media::Container::{Fmp4, MpegTs, Unknown};
    use crate::format::media::Tables;
    let format = |container, fingerprint| Format { container, fingerprint };
    let [short, long] = [10, 20].map(|init_bytes| Fmp4 { init_bytes });
    let [ts, late_ts] = [0, 188].map(|start| MpegTs { tables: Tables { start, bytes: 376 } });
    for (before, now, breaks) in [
        (format(ts, Some(1)), format(late_ts, Some(1)), false),
        (format(ts, Some(1)), format(ts, Some(2)), true),
        (format(ts, Some(1)), format(ts, None), false),
        (format(ts, None), format(short, None), true),
        (format(ts, Some(1)), format(short, Some(1)), true),
        (format(ts, None), format(Unknown, None), true),
        (format(short, Some(1)), format(long, Some(1)), false),
    ] {
        assert_eq!(now.breaks_with(before), breaks, "{before:?} {now:?}");
    }
}
