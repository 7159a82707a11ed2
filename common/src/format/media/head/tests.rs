use super::*;

/// The head and the bytes of a file of `testdata/media`.
macro_rules! sample {
    ($name:literal) => {{
        let bytes: &[u8] = include_bytes!(concat!("../../../../testdata/media/", $name));
        (whole(bytes), bytes)
    }};
}

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
                assert!(more > wanted && more <= bytes.len().min(MOST_HEAD_BYTES), "{more}");
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

#[test]
fn doubts_make_a_segment_dependent() {
    let (_, bytes) = sample!("h264-aac.ts");
    // the packet of the first picture, behind SDT, PAT and PMT
    let first = 3 * mpegts::PACKET_BYTES;
    let with = |at: usize, value: u8| {
        let mut changed = bytes.to_vec();
        changed[at] = value;
        whole(&changed)
    };
    assert!(with(first, bytes[first]).independent);
    assert!(!with(first + 1, bytes[first + 1] | 0x80).independent, "damaged on its way");
    assert!(!with(first + 3, bytes[first + 3] | 0x80).independent, "scrambled");
    assert!(!with(first + mpegts::PACKET_BYTES + 3, 0x1f).independent, "a packet is missing");
    assert!(!whole(&bytes[first + mpegts::PACKET_BYTES..]).independent, "begins within a picture");
    // the picture's start code, in two packets
    let sps = bytes.windows(5).position(|window| window == [0, 0, 0, 1, 0x67]).unwrap();
    assert!(!with(sps + 4, 0x6c).independent, "no sequence parameter set");
    let pps = bytes.windows(5).position(|window| window == [0, 0, 0, 1, 0x68]).unwrap();
    assert!(!with(pps + 4, 0x6c).independent, "no picture parameter set");
}

#[test]
fn flags_and_pictures_of_mp4_must_agree() {
    let (head, bytes) = sample!("av1-opus.mp4");
    assert!(head.independent);
    let mut changed = bytes.to_vec();
    let trun = bytes.windows(4).position(|window| window == b"trun").unwrap();
    // the flags of the first sample: it needs others
    assert_eq!(bytes[trun + 16..trun + 20], [2, 0, 0, 0]);
    changed[trun + 16..trun + 20].copy_from_slice(&[1, 1, 0, 0]);
    assert!(!whole(&changed).independent);

    let (head, bytes) = sample!("h264-aac.mp4");
    assert!(head.independent);
    // its type is IDR, and no other unit begins so
    let picture = bytes.windows(2).position(|window| window == [0x65, 0x88]).unwrap();
    let mut changed = bytes.to_vec();
    changed[picture] = 0x61;
    assert!(!whole(&changed).independent);
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
