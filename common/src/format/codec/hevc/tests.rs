//! The parameter sets are x265's; the expected values are those of ffprobe.

use super::*;

fn unit(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Name, resolution, pictures in a second, whether those are fields.
fn read(hex: &str) -> (String, String, String, bool) {
    let Sps { profile, resolution, usability } = Sps::parse(&unit(hex)).unwrap();
    let rate = usability.timing.map(|timing| format!("{:.3}", timing.rate())).unwrap_or_default();
    (profile.to_string(), resolution.to_string(), rate, usability.fields)
}

fn expected(name: &str, size: &str, rate: &str, fields: bool) -> (String, String, String, bool) {
    (name.into(), size.into(), rate.into(), fields)
}

#[test]
fn profiles_sizes_and_rates_are_read() {
    let main =
        "42010101600000030090000003000003003ca00a880c1c44d965654a4c2f01680800001f480003a98040";
    assert_eq!(read(main), expected("1.6.L60.90", "322x182", "29.970", false));
    let high_tier_444 =
        "4201012408000003009e080000030000999001410183e2f2caca94985e02d0100000030010000003018080";
    assert_eq!(read(high_tier_444), expected("4.10.H153.9E.8", "320x182", "24.000", false));
    let lists_422 = "4201010408000003009d0800000300003fb00a880c1c445b65959529385e0adc04080a9040000003004000000f02";
    assert_eq!(read(lists_422), expected("4.10.L63.9D.8", "322x182", "60.000", false));
    // two sub-layers
    let layers = "42010201600000030090000003000003003c0000a00a080c1f3e59594aca94985e02d010000003001000000303c080";
    assert_eq!(read(layers), expected("1.6.L60.90", "320x180", "60.000", false));
}

#[test]
fn fields_are_told_from_frames() {
    let fields =
        "42010101600000030040000003000003003fa00a0805c5965654a4c2f0168680000003008000001904";
    let (name, size, rate, is_field) = read(fields);
    assert_eq!((name.as_str(), size.as_str(), is_field), ("1.6.L63.40", "320x368", true));
    assert_eq!(rate, "50.000");
}

#[test]
fn what_is_behind_the_size_may_be_missing() {
    let all = unit(
        "42010101600000030090000003000003003ca00a880c1c44d965654a4c2f01680800001f480003a98040",
    );
    let short = Sps::parse(&all[..26]).unwrap();
    assert_eq!((short.resolution.width, short.usability), (322, Usability::default()));
    assert_eq!(Sps::parse(&all[..18]), None);
}

#[test]
fn names_carry_space_and_compatibility() {
    let profile = [0xa1, 0x60, 0, 0, 0x01, 0, 0, 0, 0, 0, 0, 30];
    assert_eq!(ProfileTierLevel(profile).to_string(), "B1.80000006.H30");
    let profile = [0x02, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0x23, 150];
    assert_eq!(ProfileTierLevel(profile).to_string(), "2.4.L150.B0.0.0.0.0.23");
}

/// Pictures behind a BLA_W_LP may be shown before it and need what is gone (table 7-1).
#[test]
fn some_random_access_pictures_have_leading_ones() {
    let kinds = [15, 16, 17, 18, 19, 20, 21, 22].map(|unit_type: u8| kind(&[unit_type << 1, 1]));
    let (slice, clean) = (Some(Kind::Slice), Some(Kind::Clean));
    assert_eq!(kinds, [slice, slice, clean, clean, clean, clean, slice, slice]);
}
