//! HEVC (ITU-T H.265): kinds of NAL units, parameter sets, how slices begin, the codec's name.

use std::fmt;

use super::nal::{Kind, RandomAccess, Slice};
use crate::format::bits::Bits;

mod ids;
mod sps;

pub use ids::Ids;
pub(super) use sps::sps_id;
pub use sps::{Sps, Usability};

/// The bytes in front of a NAL unit's payload (§7.3.1.2).
const HEADER_BYTES: usize = 2;

/// The `nal_unit_type` in a header.
const fn unit_type(header: u8) -> u8 {
    header >> 1 & 0x3f
}

/// The kind of `unit` (table 7-1); `None` if it has no header.
pub(super) fn kind(unit: &[u8]) -> Option<Kind> {
    let (header, _) = unit.split_first_chunk::<HEADER_BYTES>()?;
    Some(match unit_type(header[0]) {
        17..=20 => Kind::Clean,
        // the highest are reserved, for slices
        0..=31 => Kind::Slice,
        32 => Kind::Vps,
        33 => Kind::Sps,
        34 => Kind::Pps,
        _ => Kind::Other,
    })
}

/// See [`super::nal::Syntax::random_access`] (table 7-1).
pub(super) fn random_access(unit: &[u8]) -> Option<RandomAccess> {
    match unit_type(*unit.first()?) {
        // BLA that may have leading pictures which are skipped, CRA
        16 | 21 => Some(RandomAccess::Open),
        17..=20 => Some(RandomAccess::Closed),
        _ => None,
    }
}

/// Makes a picture after which others come that lead it one that has none, where those are left out: CRA becomes
/// BLA_N_LP (table 7-1, §7.4.2.2), whose slices are alike. `unit` is one of its NAL units.
pub fn without_leading(unit: &mut [u8]) {
    const CRA: u8 = 21;
    const BLA_N_LP: u8 = 18;
    if let Some(header) = unit.first_mut().filter(|header| unit_type(**header) == CRA) {
        *header = *header & 0x81 | BLA_N_LP << 1;
    }
}

/// See [`super::nal::Syntax::pps_ids`] (§7.3.2.3.1).
pub(super) fn pps_ids(unit: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::rbsp(unit.get(HEADER_BYTES..)?);
    Some((bits.unsigned()?, bits.unsigned()?))
}

/// See [`super::nal::Syntax::slice`] (§7.3.6.1).
pub(super) fn slice(unit: &[u8]) -> Option<Slice> {
    let mut bits = Bits::rbsp(unit.get(HEADER_BYTES..)?);
    let first = bits.flag()?;
    // where decoding may begin, no_output_of_prior_pics_flag comes first
    bits.skip(u32::from(matches!(unit_type(unit[0]), 16..=23)))?;
    Some(Slice { first, pps_id: bits.unsigned()? })
}

/// `profile_tier_level` (§7.3.3) without sub-layers, as bytes: they are the same ones in a sequence
/// parameter set and in an MP4 file's configuration.
///
/// Prints as what follows `hvc1.` (ISO/IEC 14496-15 §E.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileTierLevel(pub [u8; 12]);

impl fmt::Display for ProfileTierLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [profile, c0, c1, c2, c3, constraints @ .., level] = self.0;
        let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
        let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
        // the first flag is the last bit
        let compatibility = u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits();
        write!(f, "{space}{}.{compatibility:X}.{tier}{level}", profile & 0x1f)?;
        let zeros = constraints.iter().rev().take_while(|byte| **byte == 0).count();
        constraints[..constraints.len() - zeros].iter().try_for_each(|byte| write!(f, ".{byte:X}"))
    }
}

#[cfg(test)]
mod tests;
