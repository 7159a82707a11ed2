//! Lists as a reader of them understands them.

use common::format::hls::{KeyMethod, MediaPlaylist, MultivariantPlaylist};

use super::*;
use crate::origin::script::{Shape, What};
use crate::origin::stream::Stream;

const EPOCH: Timestamp = Timestamp::from_micros(1_800_000_000_123_000);
const OPEN: Address = Address { handed_out: 0, pre_roll: None };

fn list(script: &Script, now: i64, address: &Address) -> MediaPlaylist {
    let (stream, footage) = (Stream::of(script, 40), Footage::made_up());
    let writing = Writer { script, epoch: EPOCH, footage: &footage, folder: "s" };
    MediaPlaylist::parse(writing.media(&stream.view(now).unwrap(), address).as_bytes()).unwrap()
}

fn plain() -> Script {
    Script::healthy(Shape { window: 4, ..Shape::default() })
}

#[test]
fn segments_are_dated_and_numbered() {
    let list = list(&plain(), 5000, &OPEN);
    assert_eq!((list.media_sequence, list.segments.len()), (1011, 4));
    let newest = &list.segments[3];
    assert_eq!(newest.uri, "s/5.ts");
    assert_eq!(newest.duration, Some(1.0));
    assert_eq!(newest.program_date_time, Some(EPOCH + TimeDelta::milliseconds(4000)));
}

#[test]
fn what_was_skipped_counts() {
    let mut script = plain();
    script.shape.skips = true;
    let list = list(&script, 5000, &OPEN);
    assert_eq!((list.skipped_segments, list.segments.len(), list.number_of(0)), (2, 2, 1013));
}

#[test]
fn encryption_begins_and_ends() {
    let script = plain().change(3, What::Encrypt { count: 1, method: Method::Aes128 });
    let list = list(&script, 5000, &OPEN);
    let methods: Vec<_> =
        list.segments.iter().map(|s| s.key.as_ref().map(|key| key.method.clone())).collect();
    assert_eq!(methods, [None, Some(KeyMethod::Aes128), None, None]);
}

#[test]
fn advertisements_are_marked_where_they_begin_and_end() {
    let mut script = plain().change(3, What::MidRoll(2));
    script.shape.marks = Marks { titles: true, date_ranges: true, scte35: true };
    let list = list(&script, 5000, &OPEN);
    let titles: Vec<&str> = list.segments.iter().map(|s| s.title.as_str()).collect();
    assert_eq!(titles, ["live", "Amazon|1234567", "Amazon|1234567", "live"]);
    let marks: Vec<(usize, &str)> =
        list.other_tags.iter().map(|tag| (tag.position, tag.name.as_str())).collect();
    assert_eq!(marks, [(1, "EXT-X-SCTE35-OUT"), (3, "EXT-X-SCTE35-IN")]);
    let range = &list.date_ranges[0];
    assert_eq!((range.class.as_deref(), range.duration), (Some("twitch-stitched-ad"), Some(2.0)));
    assert_eq!(range.start, Some(EPOCH + TimeDelta::milliseconds(2000)));
}

#[test]
fn a_fresh_address_begins_with_advertisements() {
    let address = Address { handed_out: 5000, pre_roll: Some(3..6) };
    let list = list(&plain(), 6000, &address);
    let uris: Vec<&str> = list.segments.iter().map(|s| s.uri.as_str()).collect();
    assert_eq!(uris, ["s/ad-3.ts", "s/ad-4.ts", "s/ad-5.ts", "s/6.ts"]);
}

#[test]
fn a_change_of_container_names_its_initialization_section() {
    use crate::origin::footage::Clip;
    let what = What::Show { clip: Clip::Fmp4, announced: true };
    let list = list(&plain().change(4, what), 5000, &OPEN);
    let maps: Vec<Option<&str>> =
        list.segments.iter().map(|s| s.map.as_ref().map(|map| map.uri.as_str())).collect();
    assert_eq!(maps, [None, None, Some("s/init-Fmp4.mp4"), Some("s/init-Fmp4.mp4")]);
    assert!(list.segments[2].discontinuity);
}

#[test]
fn the_multivariant_playlist_has_two_qualities() {
    let list = MultivariantPlaylist::parse(
        multivariant("/a/live.m3u8?token=1", "/b/live.m3u8").as_bytes(),
    );
    let uris: Vec<String> = list.unwrap().variants.into_iter().map(|v| v.uri).collect();
    assert_eq!(uris, ["/a/live.m3u8?token=1", "/b/live.m3u8"]);
}
