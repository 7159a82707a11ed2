//! H.264 (ITU-T H.264): kinds of NAL units, sequence and picture parameter sets, how slices begin.

use super::nal::{Kind, RandomAccess, Slice};
use super::vui::{self, Timing};
use crate::format::bits::Bits;
use crate::format::hls::Resolution;

/// The kind of `unit` (table 7-1); `None` if it is empty.
pub(super) fn kind(unit: &[u8]) -> Option<Kind> {
    Some(match unit.first()? & 0x1f {
        1..=4 => Kind::Slice,
        5 => Kind::Clean,
        7 => Kind::Sps,
        8 => Kind::Pps,
        _ => Kind::Other,
    })
}

/// A sequence parameter set (§7.3.2.1.1), as far as it is needed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// Profile, constraint flags and level: what follows `avc1.`.
    pub profile_level: [u8; 3],
    /// What is shown: after cropping, before any stretching.
    pub resolution: Resolution,
    /// Whether all pictures are frames, not fields.
    pub frames_only: bool,
    /// Of a tick, of which a frame has two.
    pub timing: Option<Timing>,
    /// How many bits of a slice's header `frame_num` has.
    frame_number_bits: u32,
    separate_planes: bool,
}

impl Sps {
    /// Reads a NAL unit of the kind [`Kind::Sps`]; `None` if it is damaged.
    pub fn parse(unit: &[u8]) -> Option<Self> {
        let (header, rest) = unit.split_first_chunk::<4>()?;
        let [_, profile_level @ ..] = *header;
        let mut bits = Bits::rbsp(rest);
        bits.unsigned()?; // seq_parameter_set_id
        let (chroma, separate_planes) = read_chroma(&mut bits, profile_level[0])?;
        let frame_number_bits = bits.unsigned().filter(|bits| *bits <= 12)? + 4;
        skip_picture_order(&mut bits)?;
        bits.unsigned()?; // max_num_ref_frames
        bits.skip(1)?; // gaps_in_frame_num_value_allowed_flag
        let (columns, rows) = (bits.unsigned()?, bits.unsigned()?);
        let frames_only = bits.flag()?;
        // mb_adaptive_frame_field_flag, direct_8x8_inference_flag
        bits.skip(if frames_only { 1 } else { 2 })?;
        let cropped = vui::read_window(&mut bits)?;
        let fields = if frames_only { 1 } else { 2 };
        let resolution = vui::crop(
            (
                columns.checked_add(1)?.checked_mul(16)?,
                rows.checked_add(1)?.checked_mul(16 * fields)?,
            ),
            vui::crop_units(if separate_planes { 0 } else { chroma }, fields),
            cropped,
        )?;
        let timing = read_timing(&mut bits);
        Some(Self {
            profile_level,
            resolution,
            frames_only,
            timing,
            frame_number_bits,
            separate_planes,
        })
    }
}

/// `chroma_format_idc` and whether the colours are coded as three pictures, which only some profiles
/// state; otherwise 4:2:0.
fn read_chroma(bits: &mut Bits<'_>, profile: u8) -> Option<(u32, bool)> {
    if !matches!(profile, 44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 244)
    {
        return Some((1, false));
    }
    let chroma = bits.unsigned().filter(|chroma| *chroma <= 3)?;
    let separate_planes = chroma == 3 && bits.flag()?;
    bits.unsigned()?; // bit_depth_luma_minus8
    bits.unsigned()?; // bit_depth_chroma_minus8
    bits.skip(1)?; // qpprime_y_zero_transform_bypass_flag
    if bits.flag()? {
        for list in 0..if chroma == 3 { 12 } else { 8 } {
            if bits.flag()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Some((chroma, separate_planes))
}

/// A list ends where its next value would be zero (§7.3.2.1.1.1).
fn skip_scaling_list(bits: &mut Bits<'_>, size: u32) -> Option<()> {
    let mut scale: i64 = 8;
    for _ in 0..size {
        scale = (scale + bits.signed()?).rem_euclid(256);
        if scale == 0 {
            break;
        }
    }
    Some(())
}

fn skip_picture_order(bits: &mut Bits<'_>) -> Option<()> {
    match bits.unsigned()? {
        0 => drop(bits.unsigned()?),
        1 => {
            bits.skip(1)?;
            bits.signed()?;
            bits.signed()?;
            for _ in 0..bits.unsigned().filter(|count| *count <= 255)? {
                bits.signed()?;
            }
        }
        2 => {}
        _ => return None,
    }
    Some(())
}

/// The timing in the usability information (§E.1.1), if that is there.
fn read_timing(bits: &mut Bits<'_>) -> Option<Timing> {
    if !bits.flag()? {
        return None;
    }
    vui::skip_appearance(bits)?;
    Timing::read(bits)
}

/// See [`super::nal::Syntax::random_access`].
pub(super) fn random_access(unit: &[u8]) -> Option<RandomAccess> {
    match unit.first()? & 0x1f {
        5 => Some(RandomAccess::Closed),
        6 => is_recovery_point(unit.get(1..)?).then_some(RandomAccess::Open),
        _ => None,
    }
}

/// Whether one of these messages (§7.3.2.3.1) says that decoding can begin with the picture behind them, and that
/// this is exactly what it would be otherwise (§D.2.8).
fn is_recovery_point(messages: &[u8]) -> bool {
    recovery_point(messages).is_some_and(|(frames, exact)| frames == 0 && exact)
}

/// `recovery_frame_cnt` and `exact_match_flag` of the first recovery point among messages.
fn recovery_point(messages: &[u8]) -> Option<(u32, bool)> {
    /// Its `payloadType` (§D.1.1).
    const RECOVERY_POINT: u32 = 6;
    let mut bits = Bits::rbsp(messages);
    loop {
        let (kind, bytes) = (read_long(&mut bits)?, read_long(&mut bits)?);
        if kind == RECOVERY_POINT {
            return Some((bits.unsigned()?, bits.flag()?));
        }
        bits.skip(bytes.checked_mul(8)?)?;
    }
}

/// A number of which 255 stands for itself and more to come.
fn read_long(bits: &mut Bits<'_>) -> Option<u32> {
    let mut all: u32 = 0;
    loop {
        let byte = bits.small(8)?;
        all = all.checked_add(u32::from(byte))?;
        if byte != 0xff {
            return Some(all);
        }
    }
}

/// See [`super::nal::Syntax::pps_ids`] (§7.3.2.2).
pub(super) fn pps_ids(unit: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::rbsp(unit.get(1..)?);
    Some((bits.unsigned()?, bits.unsigned()?))
}

/// See [`super::nal::Syntax::sps_id`].
pub(super) fn sps_id(unit: &[u8]) -> Option<u32> {
    Bits::rbsp(unit.get(4..)?).unsigned()
}

/// See [`super::nal::Syntax::slice`] (§7.3.3).
pub(super) fn slice(unit: &[u8]) -> Option<Slice> {
    let mut bits = Bits::rbsp(unit.get(1..)?);
    let first = bits.unsigned()? == 0;
    bits.unsigned()?; // slice_type
    Some(Slice { first, pps_id: bits.unsigned()? })
}

/// Whether a slice belongs to a field, not to a frame, given its sequence parameter set.
pub fn is_field(slice: &[u8], sps: &Sps) -> Option<bool> {
    let mut bits = Bits::rbsp(slice.get(1..)?);
    for _ in 0..3 {
        bits.unsigned()?;
    }
    bits.skip(if sps.separate_planes { 2 } else { 0 } + sps.frame_number_bits)?;
    Some(!sps.frames_only && bits.flag()?)
}

#[cfg(test)]
mod tests;
