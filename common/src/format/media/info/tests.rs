//! The expected values are ffprobe's and, where it writes one, those of ffmpeg's own playlists.

use super::*;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/media/", $name)).as_slice()
    };
}

/// Codecs, resolution and frame rate, as the attributes of a playlist.
fn attributes(segment: &[u8]) -> [String; 3] {
    let info = stream_info(segment);
    let resolution = info.resolution.map(|resolution| resolution.to_string());
    let rate = info.frame_rate.map(|rate| format!("{rate:.3}"));
    [info.codecs, resolution, rate].map(Option::unwrap_or_default)
}

#[test]
fn transport_streams_are_described_as_by_ffmpeg() {
    let h264 = |sound: &str| [format!("avc1.64000d{sound}"), "320x180".into(), "30.000".into()];
    assert_eq!(attributes(sample!("h264-aac.ts")), h264(",mp4a.40.2"));
    assert_eq!(attributes(sample!("h264-mp3.ts")), h264(",mp4a.40.34"));
    assert_eq!(attributes(sample!("h264-ac3.ts")), h264(",ac-3"));
    assert_eq!(attributes(sample!("h264-eac3.ts")), h264(",ec-3"));
    assert_eq!(attributes(sample!("h264-open-gop.ts")), h264(""));
    let cropped = attributes(sample!("h264-cropped-2997.ts"));
    assert_eq!(cropped, ["avc1.64000d", "322x182", "29.970"]);
    let interlaced = attributes(sample!("h264-interlaced.ts"));
    assert_eq!(interlaced, ["avc1.640015", "320x180", "25.000"]);
    assert_eq!(attributes(sample!("aac.ts")), ["mp4a.40.2", "", ""]);
    assert_eq!(attributes(sample!("mp3.ts")), ["mp4a.40.34", "", ""]);
}

/// ffmpeg writes the same profile and level, but invents the rest of HEVC's names.
#[test]
fn hevc_is_named_by_its_own_flags() {
    let main = attributes(sample!("hevc-aac.ts"));
    assert_eq!(main, ["hvc1.1.6.L60.90,mp4a.40.2", "320x180", "30.000"]);
    assert_eq!(attributes(sample!("hevc-aac.mp4")), main);
    let ten_bits = attributes(sample!("hevc-open-gop.ts"));
    assert_eq!(ten_bits, ["hvc1.2.4.L60.90", "320x180", "30.000"]);
}

#[test]
fn fragmented_mp4_is_described_as_by_ffmpeg() {
    let of = |codecs: &str| [codecs, "320x180", "30.000"].map(str::to_owned);
    assert_eq!(attributes(sample!("h264-aac.mp4")), of("avc1.64000d,mp4a.40.2"));
    assert_eq!(attributes(sample!("h264-mid-gop.mp4")), of("avc1.64000d"));
    assert_eq!(attributes(sample!("av1-opus.mp4")), of("av01.0.00M.08,Opus"));
    assert_eq!(attributes(sample!("vp9-flac.mp4")), of("vp09.00.11.08,fLaC"));
    assert_eq!(attributes(sample!("aac.mp4")), ["mp4a.40.2", "", ""]);
}

#[test]
fn sound_in_mp4_is_named_by_its_object_type() {
    let bytes = sample!("aac.mp4");
    let esds = bytes.windows(4).position(|window| window == b"esds").unwrap();
    let name = |object_type: u8| {
        let mut changed = bytes.to_vec();
        changed[esds + 21] = object_type;
        attributes(&changed)[0].clone()
    };
    assert_eq!([name(0x40), name(0x67), name(0x6b)], ["mp4a.40.2", "mp4a.67", "mp4a.40.34"]);
}

#[test]
fn what_a_segment_does_not_say_is_not_made_up() {
    // no parameter sets
    assert_eq!(attributes(sample!("h264-mid-gop.ts")), ["", "", "30.000"]);
    assert_eq!(stream_info(b"ID3 and so on"), StreamInfo::default());
    assert_eq!(stream_info(&[]), StreamInfo::default());
    // tables that promise sound, which does not come
    let first_packets = &sample!("h264-aac.ts")[..6 * mpegts::PACKET_BYTES];
    assert_eq!(attributes(first_packets)[0], "avc1.64000d");
}

/// What the parameter sets state is used where there is one time stamp only.
#[test]
fn one_picture_has_the_stated_rate() {
    let picture = |segment: &[u8]| {
        let second = segment.chunks_exact(mpegts::PACKET_BYTES).enumerate().skip(4);
        let starts = second.filter(|(_, packet)| packet[1..3] == [0x41, 0]);
        let end = starts.map(|(index, _)| index * mpegts::PACKET_BYTES).next().unwrap();
        attributes(&segment[..end])[2].clone()
    };
    assert_eq!(picture(sample!("h264-aac.ts")), "30.000");
    assert_eq!(picture(sample!("h264-cropped-2997.ts")), "29.970");
    assert_eq!(picture(sample!("h264-interlaced.ts")), "25.000");
    assert_eq!(picture(sample!("hevc-aac.ts")), "30.000");
}
