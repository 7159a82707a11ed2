use super::*;

const TWITCH: &str = include_str!("../../../../testdata/playlists/twitch-multivariant.m3u8");

#[test]
fn a_twitch_answer_names_its_qualities_by_their_video_renditions() {
    let list = MultivariantPlaylist::parse(TWITCH.as_bytes()).unwrap();
    let names: Vec<_> =
        list.variants.iter().map(|v| list.video_rendition(v).unwrap().name.as_str()).collect();
    assert_eq!(names, ["1080p60 (source)", "720p60", "480p", "Audio Only"]);
    let source = &list.variants[0];
    assert_eq!(source.resolution, Some(Resolution { width: 1920, height: 1080 }));
    assert_eq!(source.frame_rate, Some(60.0));
    assert_eq!(source.bandwidth, Some(6_385_416));
    assert_eq!(source.codecs.as_deref(), Some("avc1.64002A,mp4a.40.2"));
    assert!(source.uri.starts_with("https://video-weaver."));
    assert_eq!(list.variants[3].resolution, None);
}

#[test]
fn bad_attributes_leave_the_variant() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=fast,RESOLUTION=big,FRAME-RATE=-1\na\n";
    let list = MultivariantPlaylist::parse(text.as_bytes()).unwrap();
    assert_eq!(list.variants, [Variant { uri: "a".to_owned(), ..Variant::default() }]);
}

#[test]
fn an_address_without_a_variant_before_it_is_none() {
    let text = "#EXTM3U\nstray\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# comment\n\na\nb\n";
    let list = MultivariantPlaylist::parse(text.as_bytes()).unwrap();
    assert_eq!(list.variants.len(), 1);
    assert_eq!(list.variants[0].uri, "a");
}

#[test]
fn trick_play_variants_are_none_to_record() {
    let text = "#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i.m3u8\"\n";
    assert_eq!(MultivariantPlaylist::parse(text.as_bytes()).unwrap().variants, []);
}

#[test]
fn the_default_rendition_of_a_group_stands_for_it() {
    let text = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"sound\",DEFAULT=YES\n\
        #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"g\",NAME=\"first\"\n\
        #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"g\",NAME=\"main\",DEFAULT=YES\n\
        #EXT-X-MEDIA:TYPE=HOLOGRAM,GROUP-ID=\"g\",NAME=\"?\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO=\"g\"\na\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO=\"absent\"\nb\n";
    let list = MultivariantPlaylist::parse(text.as_bytes()).unwrap();
    assert_eq!(list.video_rendition(&list.variants[0]).unwrap().name, "main");
    assert_eq!(list.video_rendition(&list.variants[1]), None);
    assert_eq!(list.renditions.len(), 3);
}

#[test]
fn a_variant_may_be_named_in_the_way_of_twitch() {
    let text = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,STABLE-VARIANT-ID=\"720p60\",IVS-NAME=\"720p60\"\na\n\
        #EXT-X-STREAM-INF:BANDWIDTH=1,IVS-NAME=\"b\",NAME=\"a\"\nb\n";
    let list = MultivariantPlaylist::parse(text.as_bytes()).unwrap();
    let names: Vec<_> = list.variants.iter().map(|variant| variant.name.as_deref()).collect();
    assert_eq!(names, [Some("720p60"), Some("a")]);
}
