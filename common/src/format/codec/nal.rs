//! NAL units: the parts that H.264 and HEVC streams are made of.

use super::{Codec, h264, hevc};
use crate::format::hls::Resolution;

/// The kinds of NAL units that are told apart here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A slice of a picture that may need others, or after which such may come as need what is before
    /// it: of any kind but [`Kind::Clean`].
    Slice,
    /// A slice of a picture that needs no other and after which none comes that needs what is before
    /// it: H.264's IDR; HEVC's IDR, and BLA without skipped leading pictures.
    Clean,
    /// A video parameter set, which only HEVC has.
    Vps,
    /// A sequence parameter set.
    Sps,
    /// A picture parameter set.
    Pps,
    /// Anything else.
    Other,
}

/// How decoding can begin with a picture, once the parameter sets are there that it names. The greater is the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RandomAccess {
    /// The picture can be decoded, and all that are shown after it; those that are decoded after it and shown before it
    /// may need what came before it.
    Open,
    /// It can be decoded, and all that are decoded after it.
    Closed,
}

/// How a slice begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Whether its picture begins with it.
    pub first: bool,
    /// The id of its picture parameter set.
    pub pps_id: u32,
}

/// What NAL units look like inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    Hevc,
}

impl Syntax {
    /// That of `codec`, if it has NAL units.
    pub const fn of(codec: Codec) -> Option<Self> {
        match codec {
            Codec::H264 => Some(Self::H264),
            Codec::Hevc => Some(Self::Hevc),
            _ => None,
        }
    }

    /// The kind of `unit`; `None` if it has no header.
    pub fn kind(self, unit: &[u8]) -> Option<Kind> {
        match self {
            Self::H264 => h264::kind(unit),
            Self::Hevc => hevc::kind(unit),
        }
    }

    /// Reads the beginning of a [`Kind::Slice`] or [`Kind::Clean`]; `None` if there is not enough of it.
    pub fn slice(self, unit: &[u8]) -> Option<Slice> {
        match self {
            Self::H264 => h264::slice(unit),
            Self::Hevc => hevc::slice(unit),
        }
    }

    /// The id of a [`Kind::Sps`].
    pub fn sps_id(self, unit: &[u8]) -> Option<u32> {
        match self {
            Self::H264 => h264::sps_id(unit),
            Self::Hevc => hevc::sps_id(unit),
        }
    }

    /// How decoding can begin with the picture that `unit` is a part of, as far as that tells: a slice, or H.264's
    /// message that precedes one. `None` where it does not tell.
    pub fn random_access(self, unit: &[u8]) -> Option<RandomAccess> {
        match self {
            Self::H264 => h264::random_access(unit),
            Self::Hevc => hevc::random_access(unit),
        }
    }

    /// The ids of a [`Kind::Pps`] and of the sequence parameter set that it builds upon.
    pub fn pps_ids(self, unit: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::H264 => h264::pps_ids(unit),
            Self::Hevc => hevc::pps_ids(unit),
        }
    }
}

/// How many halves of a frame begin with `unit`, of which `sps` is the sequence parameter set: one with a field's first
/// slice, two with that of a frame, which it is taken for where no set is known; otherwise none.
pub fn half_frames(syntax: Syntax, sps: Option<Sps>, unit: &[u8]) -> usize {
    let is_slice = matches!(syntax.kind(unit), Some(Kind::Slice | Kind::Clean));
    if !is_slice || syntax.slice(unit).is_none_or(|slice| !slice.first) {
        return 0;
    }
    if sps.is_some_and(|sps| sps.is_field(unit)) { 1 } else { 2 }
}

/// A sequence parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sps {
    /// ITU-T H.264.
    H264(h264::Sps),
    /// ITU-T H.265.
    Hevc(hevc::Sps),
}

impl Sps {
    /// Reads a [`Kind::Sps`]; `None` if it is damaged.
    pub fn parse(syntax: Syntax, unit: &[u8]) -> Option<Self> {
        match syntax {
            Syntax::H264 => h264::Sps::parse(unit).map(Self::H264),
            Syntax::Hevc => hevc::Sps::parse(unit).map(Self::Hevc),
        }
    }

    /// The size of the pictures, after cropping.
    pub const fn resolution(self) -> Resolution {
        match self {
            Self::H264(sps) => sps.resolution,
            Self::Hevc(sps) => sps.resolution,
        }
    }

    /// Whether `slice` belongs to a field, not to a frame; one that cannot be read does not.
    pub fn is_field(self, slice: &[u8]) -> bool {
        match self {
            Self::H264(sps) => h264::is_field(slice, &sps).unwrap_or(false),
            Self::Hevc(sps) => sps.usability.fields,
        }
    }

    /// Frames in a second, where that is stated.
    pub fn frame_rate(self) -> Option<f64> {
        match self {
            Self::H264(sps) => sps.timing.map(|timing| timing.rate() / 2.0),
            Self::Hevc(sps) => {
                let pictures = if sps.usability.fields { 2.0 } else { 1.0 };
                sps.usability.timing.map(|timing| timing.rate() / pictures)
            }
        }
    }
}

/// NAL units with start codes in front of them (H.264 and H.265 Annex B), without the zero bytes that
/// may follow one. What stands before the first start code is left out.
#[derive(Clone, Debug)]
pub struct AnnexB<'a>(Option<&'a [u8]>);

impl<'a> AnnexB<'a> {
    /// The NAL units in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(start_code(bytes).map(|at| &bytes[at + 3..]))
    }
}

impl<'a> Iterator for AnnexB<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let bytes = self.0?;
        let end = start_code(bytes);
        self.0 = end.map(|at| &bytes[at + 3..]);
        let unit = &bytes[..end.unwrap_or(bytes.len())];
        let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
        Some(&unit[..unit.len() - zeros])
    }
}

/// Where the next 0 0 1 is.
fn start_code(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    // the third byte tells how far one can be from here at least
    while let Some(third) = bytes.get(at + 2) {
        match third {
            0 => at += 1,
            1 if bytes[at..].starts_with(&[0, 0]) => return Some(at),
            _ => at += 3,
        }
    }
    None
}

/// NAL units with their lengths in front of them, as in MP4 (ISO/IEC 14496-15 §4.3.2). One that is cut
/// short is the last.
#[derive(Clone, Debug)]
pub struct LengthPrefixed<'a> {
    bytes: &'a [u8],
    length_bytes: usize,
}

impl<'a> LengthPrefixed<'a> {
    /// The NAL units in `bytes`, whose lengths have `length_bytes` (1 to 4) bytes each.
    pub const fn new(bytes: &'a [u8], length_bytes: usize) -> Self {
        Self { bytes, length_bytes }
    }
}

impl<'a> Iterator for LengthPrefixed<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.bytes.split_at_checked(self.length_bytes)?;
        if length.is_empty() || rest.is_empty() {
            return None;
        }
        let length = length.iter().fold(0, |all: usize, byte| all << 8 | usize::from(*byte));
        let (unit, rest) = rest.split_at(length.min(rest.len()));
        self.bytes = rest;
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annex_b(bytes: &[u8]) -> Vec<&[u8]> {
        AnnexB::new(bytes).collect()
    }

    #[test]
    fn start_codes_of_three_and_four_bytes_part_units() {
        let bytes = [9, 0, 0, 0, 1, 0x67, 5, 0, 0, 1, 0x68, 0, 0, 0, 0, 1, 0x65];
        assert_eq!(annex_b(&bytes), [&[0x67, 5][..], &[0x68], &[0x65]]);
        assert_eq!(annex_b(&[0, 0, 1]), [&[0; 0]]);
        assert_eq!(annex_b(&[1, 0, 1, 0, 0]), [[0; 0]; 0]);
        assert_eq!(annex_b(&[0, 0, 1, 0, 0, 1, 0, 0, 2, 0]), [&[][..], &[0, 0, 2]]);
    }

    #[test]
    fn lengths_part_units_and_never_lead_out() {
        let units: Vec<_> = LengthPrefixed::new(&[0, 2, 7, 8, 0, 0, 0, 9, 5], 2).collect();
        assert_eq!(units, [&[7, 8][..], &[], &[5]]);
        assert_eq!(LengthPrefixed::new(&[1, 2, 3], 0).count(), 0);
        assert_eq!(LengthPrefixed::new(&[0xff; 9], 4).count(), 1);
        assert_eq!(LengthPrefixed::new(&[0; 8], 4).count(), 1);
    }
}
