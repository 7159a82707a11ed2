//! The parameter sets are x264's; the expected values are those of ffprobe.

use super::*;

fn unit(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Profile and level, resolution, frames in a second, whether all pictures are frames.
fn read(hex: &str) -> (String, String, String, bool) {
    let sps = Sps::parse(&unit(hex)).unwrap();
    let [profile, constraints, level] = sps.profile_level;
    let name = format!("{profile:02x}{constraints:02x}{level:02x}");
    let rate = sps.timing.map(|timing| format!("{:.3}", timing.rate() / 2.0)).unwrap_or_default();
    (name, sps.resolution.to_string(), rate, sps.frames_only)
}

fn expected(
    name: &str,
    size: &str,
    rate: &str,
    frames_only: bool,
) -> (String, String, String, bool) {
    (name.into(), size.into(), rate.into(), frames_only)
}

#[test]
fn sizes_are_cropped_by_the_format_of_the_colours() {
    let baseline = "6742c00ada149e2223011000000300100000030320f1226a";
    assert_eq!(read(baseline), expected("42c00a", "66x50", "25.000", true));
    let ten_bits_422 = "677a000db6cb40a8cf1117808800001f480007530078a155";
    assert_eq!(read(ten_bits_422), expected("7a000d", "322x182", "29.970", true));
    let grey_fields = "67640015f3a054cf1f3602d9000003000100000300321f142aa0";
    assert_eq!(read(grey_fields), expected("640015", "322x182", "25.000", false));
}

#[test]
fn scaling_matrices_and_appearance_are_passed_over() {
    let lists_444 = "67f40015919681419f8bc044000003000400000301e03c58ba80";
    assert_eq!(read(lists_444), expected("f40015", "320x182", "60.000", true));
    let appearance = "67640015acb40a0cfcf80da808080d28000003000800000303c078b175";
    assert_eq!(read(appearance), expected("640015", "320x180", "60.000", true));
}

#[test]
fn a_set_that_ends_early_has_no_size() {
    let all = unit("6742c00ada149e2223011000000300100000030320f1226a");
    assert_eq!(Sps::parse(&all[..7]), None);
    assert_eq!(Sps::parse(&all[..3]), None);
    // the size is there, the timing is not
    let sps = Sps::parse(&all[..14]).unwrap();
    assert_eq!((sps.resolution.width, sps.timing), (66, None));
}

#[test]
fn fields_are_told_by_the_slices_header() {
    let mut sps =
        Sps::parse(&unit("67640015f3a054cf1f3602d9000003000100000300321f142aa0")).unwrap();
    assert_eq!(sps.frame_number_bits, 4);
    // first macroblock 0, type 7 (0001000), parameter set 0, frame number 5, field or not
    let slice = |field: u8| [0x65, 0b1000_1000, 0b1010_1000 | field << 2];
    assert_eq!(is_field(&slice(0), &sps), Some(false));
    assert_eq!(is_field(&slice(1), &sps), Some(true));
    assert_eq!(super::slice(&slice(1)), Some(Slice { first: true, pps_id: 0 }));
    assert_eq!(is_field(&slice(1)[..2], &sps), None);
    sps.frames_only = true;
    assert_eq!(is_field(&slice(1), &sps), Some(false));
}

#[test]
fn a_recovery_point_is_found_among_other_messages() {
    let recovery = |content: u8| vec![6, 1, content];
    let user_data = [vec![5, 0xff, 46], vec![0; 301]].concat();
    for (messages, expected) in [
        // at once and exactly; behind another message
        (recovery(0b1100_0100), true),
        ([user_data.clone(), recovery(0b1100_0100)].concat(), true),
        // after a frame; roughly; cut short; another message alone
        (recovery(0b0101_0001), false),
        (recovery(0b1000_0100), false),
        (vec![6, 1], false),
        (user_data, false),
        (vec![], false),
    ] {
        let unit = [vec![0x06], messages].concat();
        let expected = expected.then_some(RandomAccess::Open);
        assert_eq!(random_access(&unit), expected, "{unit:?}");
    }
    assert_eq!(random_access(&[0x65]), Some(RandomAccess::Closed));
    assert_eq!(random_access(&[0x61]), None);
}
