//! The names of codecs (RFC 6381, and what each codec's own mapping to MP4 says).

use crate::format::codec::{Codec, aac, h264, hevc};
use crate::format::fmp4::SampleEntry;

/// H.264 (RFC 6381 §3.3), under the name of its sample entry.
pub(super) fn h264(entry: &str, sps: &h264::Sps) -> String {
    let [profile, constraints, level] = sps.profile_level;
    format!("{entry}.{profile:02x}{constraints:02x}{level:02x}")
}

/// HEVC (ISO/IEC 14496-15 §E.3), under the name of its sample entry.
pub(super) fn hevc(entry: &str, profile: hevc::ProfileTierLevel) -> String {
    format!("{entry}.{profile}")
}

/// AAC and the like (RFC 6381 §3.3).
pub(super) fn mpeg4_audio(object_type: u8) -> String {
    format!("mp4a.40.{object_type}")
}

/// A codec whose name says nothing of what is within.
pub(super) fn plain(codec: Codec) -> Option<&'static str> {
    match codec {
        // layer III among MPEG-4's object types, as players know it
        Codec::Mp3 => Some("mp4a.40.34"),
        Codec::Ac3 => Some("ac-3"),
        Codec::Eac3 => Some("ec-3"),
        Codec::Opus => Some("Opus"),
        Codec::Flac => Some("fLaC"),
        _ => None,
    }
}

/// The codec of an MP4 track.
pub(super) fn of_entry(entry: &SampleEntry<'_>, sps: Option<&[u8]>) -> Option<String> {
    let kind = str::from_utf8(&entry.kind).ok()?;
    match entry.codec() {
        Codec::H264 => Some(h264(kind, &h264::Sps::parse(sps?)?)),
        Codec::Hevc => Some(hevc(kind, hevc::Sps::parse(sps?)?.profile)),
        Codec::Av1 => av1(entry.video_configuration()?),
        Codec::Vp9 => vp9(entry.video_configuration()?),
        Codec::Aac => match entry.elementary_stream()? {
            (0x40, config) => aac::config_object_type(config).map(mpeg4_audio),
            (object_type, _) => Some(format!("mp4a.{object_type:02X}")),
        },
        codec => plain(codec).map(str::to_owned),
    }
}

/// AV1 (AV1 Codec ISO Media File Format Binding §5) without what is optional, from an `av1C` box.
fn av1(config: &[u8]) -> Option<String> {
    let [_, profile_level, flags, ..] = *config else { return None };
    let (profile, level) = (profile_level >> 5, profile_level & 0x1f);
    let tier = if flags & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (flags & 0x40 != 0, flags & 0x20 != 0) {
        (false, _) => 8,
        (true, false) => 10,
        (true, true) => 12,
    };
    Some(format!("av01.{profile}.{level:02}{tier}.{depth:02}"))
}

/// VP9 (VP Codec ISO Media File Format Binding) without what is optional, from a `vpcC` box.
fn vp9(config: &[u8]) -> Option<String> {
    let [_, _, _, _, profile, level, depth, ..] = *config else { return None };
    Some(format!("vp09.{profile:02}.{level:02}.{:02}", depth >> 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_depths_and_tiers_of_av1_and_vp9() {
        assert_eq!(av1(&[0x81, 0x04, 0x0c, 0]).unwrap(), "av01.0.04M.08");
        assert_eq!(av1(&[0x81, 0x0d, 0xcc, 0]).unwrap(), "av01.0.13H.10");
        assert_eq!(av1(&[0x81, 0x4d, 0x6c, 0]).unwrap(), "av01.2.13M.12");
        assert_eq!(vp9(&[1, 0, 0, 0, 2, 51, 0xa2]).unwrap(), "vp09.02.51.10");
        assert_eq!(av1(&[0x81, 0]), None);
    }
}
