use super::*;
use crate::base::time::Timestamp;

macro_rules! sample {
    ($name:literal) => {{
        let bytes = include_bytes!(concat!("../../../../../testdata/playlists/", $name, ".m3u8"));
        MediaPlaylist::parse(bytes).unwrap()
    }};
}

fn read(lines: &str) -> MediaPlaylist {
    MediaPlaylist::parse(format!("#EXTM3U\n{lines}\n").as_bytes()).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_http(text).unwrap()
}

#[test]
fn twitch_advertisements_keep_every_date_range_and_prefetch_stays_apart() {
    let list = sample!("twitch-media");
    assert_eq!((list.media_sequence, list.target_duration), (20_101, Some(6.0)));
    assert_eq!(list.segments.len(), 4);
    assert_eq!(list.prefetch.len(), 2);
    assert!(list.prefetch[0].ends_with("live-3.ts"));
    let ranges: Vec<_> =
        list.date_ranges.iter().map(|r| (r.position, r.class.as_deref().unwrap())).collect();
    let expected = [
        (0, "twitch-stitched-ad"),
        (0, "twitch-stream-source"),
        (0, "twitch-trigger"),
        (2, "twitch-stream-source"),
    ];
    assert_eq!(ranges, expected);
    let advertisement = &list.date_ranges[0];
    assert_eq!(advertisement.start, Some(at("2026-11-20T09:59:58.123")));
    assert_eq!(advertisement.duration, Some(15.187));
    let url = advertisement.attributes.get("X-TV-TWITCH-AD-URL");
    assert_eq!(url, Some("https://ads.example.net/?a=1,2&b=%22"));
    let flags: Vec<_> = list.segments.iter().map(|s| (s.title.as_str(), s.discontinuity)).collect();
    let title = "Amazon|1234567890";
    assert_eq!(flags, [(title, false), (title, false), ("live", true), ("live", false)]);
    assert_eq!(list.segments[2].program_date_time, Some(at("2026-11-20T10:00:02.123")));
}

#[test]
fn maps_apply_until_the_next_and_dates_may_follow_the_duration() {
    let list = sample!("ffmpeg-fmp4");
    let maps: Vec<_> = list.segments.iter().map(|s| &*s.map.as_ref().unwrap().uri).collect();
    assert_eq!(maps, ["init.mp4", "init.mp4", "init2.mp4"]);
    assert_eq!(list.segments[0].program_date_time, Some(at("2026-11-20T10:00:24")));
    assert_eq!(list.segments[2].duration, Some(1.966_667));
    assert!(list.segments[2].discontinuity);
    assert_eq!(list.number_of(2), 14);
}

#[test]
fn a_list_without_dates_has_none() {
    let list = sample!("nginx-rtmp");
    assert!(list.segments.iter().all(|s| s.program_date_time.is_none()));
    let durations: Vec<_> = list.segments.iter().map(|s| s.duration.unwrap()).collect();
    assert_eq!(durations, [5.005, 4.338, 5.006]);
}

#[test]
fn byte_ranges_follow_on_and_keys_apply_until_the_next() {
    let list = sample!("byteranges-encrypted");
    let range = |length, offset| Some(ByteRange { length, offset });
    let ranges: Vec<_> = list.segments.iter().map(|s| s.byte_range).collect();
    let expected = [
        range(1000, Some(720)),
        range(2000, Some(1720)),
        range(3000, Some(3720)),
        None,
        // the segment before it is not a part of the resource: undefined
        range(10, None),
    ];
    assert_eq!(ranges, expected);
    let map = list.segments[0].map.as_ref().unwrap();
    assert_eq!(map.byte_range, range(720, Some(0)));
    let methods: Vec<_> = list.segments.iter().map(|s| s.key.as_ref().map(|k| &k.method)).collect();
    assert_eq!(methods, [None, None, Some(&KeyMethod::Aes128), None, None]);
    let key = list.segments[2].key.as_ref().unwrap();
    assert_eq!(key.iv.as_deref(), Some("0x0123456789ABCDEF0123456789abcdef"));
    assert!(list.end_list);
    assert_eq!(list.playlist_type, Some(PlaylistType::Vod));
}

#[test]
fn a_range_does_not_follow_on_from_another_resource() {
    let list = read("#EXT-X-BYTERANGE:10@0\n#EXTINF:2,\na\n#EXT-X-BYTERANGE:10\n#EXTINF:2,\nb");
    assert_eq!(list.segments[1].byte_range, Some(ByteRange { length: 10, offset: None }));
}

#[test]
fn skipped_segments_count_in_the_numbering() {
    let list = sample!("delta-update");
    assert_eq!(list.skipped_segments, 5);
    assert_eq!((list.number_of(0), list.segments[0].uri.as_str()), (105, "105.ts"));
}

#[test]
fn oddities_cost_only_what_they_are_in() {
    let list = sample!("oddities");
    assert_eq!(list.target_duration, Some(2.5));
    assert_eq!(list.media_sequence, 41);
    let segments: Vec<_> =
        list.segments.iter().map(|s| (s.uri.as_str(), s.duration, s.gap)).collect();
    let expected = [
        ("a.ts", Some(2.5), false),
        ("b.ts", None, false),
        ("c.ts", None, false),
        ("d.ts", Some(123_456_789.0), false),
        ("e.ts", Some(2.0), true),
    ];
    assert_eq!(segments, expected);
    assert_eq!(list.segments[0].title, "one, two");
    let others: Vec<_> =
        list.other_tags.iter().map(|t| (t.position, t.line, t.name.as_str())).collect();
    let expected =
        [(0, 6, "EXT-X-SERVER-CONTROL"), (5, 18, "EXT-X-PART"), (5, 19, "EXT-X-PRELOAD-HINT")];
    assert_eq!(others, expected);
}

#[test]
fn a_tag_is_known_by_its_whole_name() {
    let list =
        read("#EXT-X-DISCONTINUITY-SEQUENCE:4\n#EXTINF:2,\na.ts\n#EXT-X-MAPPING:URI=\"x\"\nb");
    assert_eq!(list.discontinuity_sequence, 4);
    assert!(!list.segments[0].discontinuity);
    assert_eq!(list.segments[1].map, None);
}

#[test]
fn numbers_that_are_none_are_as_good_as_absent() {
    let list = read("#EXT-X-MEDIA-SEQUENCE:-5\n#EXT-X-TARGETDURATION:soon\n#EXTINF:nan,\na");
    assert_eq!((list.media_sequence, list.target_duration), (0, None));
    assert_eq!(list.segments[0].duration, None);
}

#[test]
fn numbering_does_not_overflow() {
    let list = read(&format!("#EXT-X-MEDIA-SEQUENCE:{}\n#EXTINF:2,\na\n#EXTINF:2,\nb", u64::MAX));
    assert_eq!(list.number_of(1), u64::MAX);
}

#[test]
fn an_address_without_a_duration_is_still_a_segment() {
    let list = read("#EXT-X-TARGETDURATION:2\na.ts\n#EXTINF:2,\nb.ts");
    let durations: Vec<_> = list.segments.iter().map(|s| s.duration).collect();
    assert_eq!(durations, [None, Some(2.0)]);
}

#[test]
fn a_range_or_key_that_cannot_be_read_is_not_taken_for_none() {
    let list = read("#EXT-X-KEY:URI=\"k\"\n#EXT-X-BYTERANGE:x@y\n#EXTINF:2,\na");
    assert_eq!(list.segments[0].byte_range, Some(ByteRange { length: 0, offset: None }));
    let method = &list.segments[0].key.as_ref().unwrap().method;
    assert_eq!(*method, KeyMethod::Other(String::new()));
}

#[test]
fn a_map_is_encrypted_by_the_key_before_it_and_its_segments_by_the_last_one() {
    let list = read(
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k1\",IV=0x1\n#EXT-X-MAP:URI=\"i\"\n\
         #EXT-X-KEY:METHOD=NONE\n#EXTINF:2,\na\n#EXT-X-MAP:URI=\"j\"\n\
         #EXT-X-KEY:METHOD=AES-128,URI=\"k2\"\n#EXTINF:2,\nb",
    );
    let key = |key: &Option<Arc<Key>>| key.as_ref().map(|key| key.uri.clone().unwrap());
    let keys: Vec<_> = list
        .segments
        .iter()
        .map(|segment| (key(&segment.map.as_ref().unwrap().key), key(&segment.key)))
        .collect();
    assert_eq!(keys, [(Some("k1".to_owned()), None), (None, Some("k2".to_owned()))]);
}

#[test]
fn a_map_without_an_address_leaves_the_one_before() {
    let list = read("#EXT-X-MAP:URI=\"i\"\n#EXT-X-MAP:BYTERANGE=\"1@2\"\n#EXTINF:2,\na");
    assert_eq!(list.segments[0].map.as_ref().unwrap().uri, "i");
}

#[test]
fn of_one_key_in_several_formats_the_one_that_can_be_fetched_counts() {
    let identity = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n";
    let player =
        "#EXT-X-KEY:METHOD=AES-128,URI=\"skd://k\",KEYFORMAT=\"com.apple.streamingkeydelivery\"\n";
    let sample = player.replace("AES-128", "SAMPLE-AES");
    let uri = |keys: &str| {
        let list = read(&format!("{keys}#EXTINF:2,\na.ts\n"));
        list.segments[0].key.as_ref().and_then(|key| key.uri.clone())
    };
    let fetched = Some("k".to_owned());
    assert_eq!(uri(&format!("{identity}{player}")), fetched);
    assert_eq!(uri(&format!("{player}{identity}")), fetched);
    assert_eq!(uri(&format!("{identity}{identity}")), fetched);
    let for_players = Some("skd://k".to_owned());
    assert_eq!(uri(player), for_players);
    assert_eq!(uri(&format!("{identity}{sample}")), for_players, "another method");
    let none = "#EXT-X-KEY:METHOD=NONE\n";
    assert_eq!(uri(&format!("{identity}{none}{player}")), for_players);
    assert_eq!(uri(&format!("{identity}{none}")), None);
}
