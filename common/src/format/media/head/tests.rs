use super::*;

/// The head and the bytes of a file of `testdata/media`.
macro_rules! sample {
    ($name:literal) => {{
        let bytes: &[u8] =
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/media/", $name));
        (whole(bytes), bytes)
    }};
}

mod doubts;

fn whole(bytes: &[u8]) -> Head {
    match head(bytes, bytes.len() as u64) {
        HeadOutcome::Known(head) => head,
        HeadOutcome::NeedMore { bytes } => panic!("{bytes} of a whole file"),
    }
}

/// Asks as a reader does, from `first` bytes on; how many calls it takes, and the answer.
fn ask(bytes: &[u8], first: usize) -> (usize, Head) {
    let mut wanted = first;
    for calls in 1.. {
        match head(&bytes[..wanted], bytes.len() as u64) {
            HeadOutcome::Known(head) => return (calls, head),
            HeadOutcome::NeedMore { bytes: more } => {
                let most = bytes.len().min(MOST_HEAD_BYTES);
                assert!(more > wanted && more <= most, "{more}");
                assert!(more >= most.min(2 * wanted), "{more} after {wanted}");
                wanted = more;
            }
        }
    }
    unreachable!("every answer asks for more");
}

#[test]
fn closed_gops_with_parameter_sets_are_independent() {
    let (head, _) = sample!("h264-aac.ts");
    assert!(matches!(head.container, Container::MpegTs { .. }));
    assert!(head.independent && head.format.is_some());
    assert_eq!(head.decode_time, Some(127_920));
    for (head, _) in [
        sample!("hevc-aac.ts"),
        sample!("h264-cropped-2997.ts"),
        sample!("h264-interlaced.ts"),
        sample!("h264-mp3.ts"),
    ] {
        assert!(head.independent && head.format.is_some(), "{head:?}");
    }
}

#[test]
fn pictures_that_need_others_are_not() {
    let (head, _) = sample!("h264-mid-gop.ts");
    assert_eq!((head.independent, head.format), (false, None));
    // pictures in front of the first one are shown, but cannot be decoded
    for (head, _) in [sample!("h264-open-gop.ts"), sample!("hevc-open-gop.ts")] {
        assert!(!head.independent && head.format.is_some(), "{head:?}");
    }
    let (head, _) = sample!("h264-mid-gop.mp4");
    assert_eq!(head.container, Container::Fmp4 { init_bytes: 813 });
    assert!(!head.independent && head.format.is_some());
    assert_eq!(head.decode_time, Some(27_000));
}

#[test]
fn sound_alone_is_independent() {
    for (head, _) in [sample!("aac.ts"), sample!("mp3.ts"), sample!("aac.mp4")] {
        assert!(head.independent && head.format.is_some(), "{head:?}");
    }
}

#[test]
fn initialization_sections_end_where_the_fragments_begin() {
    let (head, bytes) = sample!("h264-aac.mp4");
    let Container::Fmp4 { init_bytes } = head.container else { panic!("{head:?}") };
    assert!(head.independent);
    assert_eq!(&bytes[init_bytes as usize..][4..8], b"styp");
    for (head, init_bytes) in [
        (sample!("hevc-aac.mp4").0, 1417),
        (sample!("av1-opus.mp4").0, 1292),
        (sample!("vp9-flac.mp4").0, 1302),
    ] {
        assert_eq!(head.container, Container::Fmp4 { init_bytes });
        assert!(head.independent);
    }
    // without one, nothing can be played
    let bare = whole(&bytes[init_bytes as usize..]);
    assert_eq!(bare, Head::only(Container::Fmp4 { init_bytes: 0 }));
    // with nothing but one, there is nothing to be played
    assert_eq!(whole(&bytes[..init_bytes as usize]).container, Container::Unknown);
    // media in front of the first fragment is in none
    let (init, rest) = bytes.split_at(init_bytes as usize);
    let plain = [init, b"\0\0\0\x09mdat\0", rest].concat();
    assert_eq!(whole(&plain), Head::only(Container::Unknown));
    // what comes first is as good as what comes between
    let first = whole(&[b"\0\0\0\x09uuid\0", bytes].concat());
    assert_eq!(first.container, Container::Fmp4 { init_bytes: init_bytes + 9 });
    assert!(first.independent);
}

#[test]
fn the_tables_of_a_transport_stream_are_found_where_they_are() {
    let (head, bytes) = sample!("h264-aac.ts");
    let Container::MpegTs { tables } = head.container else { panic!("{head:?}") };
    let own = &bytes[tables.start as usize..][..tables.bytes as usize];
    // behind the service description, which ffmpeg writes first
    assert_eq!((tables.start, own.len()), (188, 2 * mpegts::PACKET_BYTES));
    let mut packets = mpegts::Packets::new(own);
    let program = mpegts::Program::find(&mut packets).expect("both tables are there");
    assert_eq!(program.streams().count(), 2);
    assert_eq!(packets.position(), own.len(), "and nothing else");

    // also where other bytes stand in front, and something in between
    let filler = [&[0x47, 0x1f, 0xff, 0x10][..], &[0xff; 184]].concat();
    let moved = [&[0; 7][..], &bytes[..2 * 188], &filler, &bytes[2 * 188..]].concat();
    let tables = Tables { start: 7 + 188, bytes: 3 * 188 };
    assert_eq!(whole(&moved).container, Container::MpegTs { tables });
}

#[test]
fn formats_differ_where_streams_do_and_only_there() {
    let formats = [
        sample!("h264-aac.ts").0.format,
        sample!("h264-mp3.ts").0.format,
        sample!("h264-cropped-2997.ts").0.format,
        sample!("aac.ts").0.format,
        sample!("mp3.ts").0.format,
        sample!("h264-aac.mp4").0.format,
        sample!("h264-mid-gop.mp4").0.format,
    ];
    for (index, format) in formats.iter().enumerate() {
        assert!(!formats[..index].contains(format), "{index}");
    }
    // the same stream, other pictures
    let (one, bytes) = sample!("h264-aac.mp4");
    let mut other = bytes.to_vec();
    *other.last_mut().unwrap() ^= 1;
    assert_eq!(whole(&other).format, one.format);
}

#[test]
fn few_first_bytes_lead_to_the_same_answer() {
    for (head, bytes) in [
        sample!("h264-aac.ts"),
        sample!("h264-mid-gop.ts"),
        sample!("hevc-open-gop.ts"),
        sample!("aac.ts"),
        sample!("h264-aac.mp4"),
        sample!("av1-opus.mp4"),
        sample!("h264-mid-gop.mp4"),
    ] {
        for first in [0, 1, 100, 188, 500, 2000, 2600] {
            let (calls, answer) = ask(bytes, first);
            assert_eq!(answer, head, "{first}");
            assert!(calls <= 4, "{calls}");
        }
        // the start is enough, as it is for nearly all
        assert_eq!(
            super::head(&bytes[..bytes.len().min(8192)], bytes.len() as u64),
            HeadOutcome::Known(head)
        );
    }
}

#[test]
fn what_ends_the_file_is_read() {
    for (_, bytes) in [sample!("h264-aac.mp4"), sample!("aac.mp4")] {
        let mdat = bytes.windows(4).position(|window| window == b"mdat").unwrap();
        let cut = &bytes[..mdat - 4];
        for missing in [1, 9, 100] {
            assert_eq!(ask(cut, cut.len() - missing).1, whole(cut), "{missing}");
        }
    }
}

#[test]
fn many_small_boxes_cost_little() {
    let small = b"\0\0\0\x09free\0".repeat(MOST_HEAD_BYTES / 9 + 1);
    let (calls, answer) = ask(&small, 8192);
    assert_eq!(answer, Head::only(Container::Unknown));
    assert!(calls <= 8, "{calls}");
    // between the initialization section and the first fragment
    let (head, bytes) = sample!("h264-aac.mp4");
    let Container::Fmp4 { init_bytes } = head.container else { panic!("{head:?}") };
    let events = b"\0\0\0\x09emsg\0".repeat(60_000);
    let (init, rest) = bytes.split_at(init_bytes as usize);
    let (calls, answer) = ask(&[init, &events, rest].concat(), 8192);
    assert_eq!(answer, head);
    assert!(calls <= 8, "{calls}");
}

#[test]
fn no_more_than_a_mebibyte_is_asked_for() {
    // tables and no picture
    let (_, bytes) = sample!("h264-aac.ts");
    let endless = bytes[..3 * mpegts::PACKET_BYTES].repeat(4000);
    let (calls, answer) = ask(&endless, 8192);
    let tables = Tables { start: 188, bytes: 376 };
    assert_eq!(answer, Head::only(Container::MpegTs { tables }));
    assert!(calls < 8, "{calls}");
    // an initialization section that claims four gibibytes
    let claim = [&[0xff; 4][..], b"moov", &vec![0; 2 << 20]].concat();
    assert_eq!(ask(&claim, 8192), (1, Head::only(Container::Unknown)));
    let noise: Vec<u8> =
        (0..2_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert_eq!(ask(&noise, 8192), (1, Head::only(Container::Unknown)));
}

/// A transport stream of ffmpeg whose program map table, in the third packet, is changed by `change`.
fn with_map(bytes: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let section = &mut changed[2 * mpegts::PACKET_BYTES + 5..];
    let length = 3 + usize::from(section[2]);
    change(&mut section[..length]);
    mpegts::seal(&mut section[..length]);
    changed
}

#[test]
fn what_sound_is_and_where_is_part_of_the_format() {
    let (head, bytes) = sample!("aac.ts");
    let frame = bytes.windows(2).position(|window| window == [0xff, 0xf1]).unwrap();
    let mut changed = bytes.to_vec();
    // other samples in a second
    changed[frame + 2] ^= 4;
    assert!(whole(&changed).independent);
    assert_ne!(whole(&changed).format, head.format);
    let mut changed = with_map(bytes, |map| {
        assert_eq!(map[14], 0);
        map[14] = 2;
    });
    for packet in changed.chunks_exact_mut(mpegts::PACKET_BYTES) {
        if packet[1] & 0x1f == 1 && packet[2] == 0 {
            packet[2] = 2;
        }
    }
    assert!(whole(&changed).independent);
    assert_ne!(whole(&changed).format, head.format);
}

#[test]
fn a_parameter_set_is_part_of_the_format() {
    for (name, (head, bytes)) in [(0x67, sample!("h264-aac.ts")), (0x68, sample!("h264-aac.ts"))] {
        let set = bytes.windows(5).position(|window| window == [0, 0, 0, 1, name]).unwrap();
        let mut changed = bytes.to_vec();
        // the level; the last bits
        changed[set + 7] ^= 1;
        assert!(whole(&changed).independent);
        assert_ne!(whole(&changed).format, head.format, "{name:x}");
    }
}
