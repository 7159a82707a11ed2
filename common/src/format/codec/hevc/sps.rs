//! Sequence parameter sets of HEVC (ITU-T H.265 §7.3.2.2).

use super::{HEADER_BYTES, ProfileTierLevel};
use crate::format::bits::Bits;
use crate::format::codec::vui::{self, Timing};
use crate::format::hls::Resolution;

/// A sequence parameter set, as far as it is needed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sps {
    /// What the codec's name is made of.
    pub profile: ProfileTierLevel,
    /// What is shown: after cropping, before any stretching.
    pub resolution: Resolution,
    /// What the usability information states.
    pub usability: Usability,
}

/// The part of the usability information (§E.2.1) that is needed here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usability {
    /// Whether every picture is a field.
    pub fields: bool,
    /// Of a tick, which a picture has one of.
    pub timing: Option<Timing>,
}

impl Sps {
    /// Reads a NAL unit of the kind `Kind::Sps`; `None` if it is damaged as far as `resolution`.
    pub fn parse(unit: &[u8]) -> Option<Self> {
        let mut bits = Bits::rbsp(unit.get(HEADER_BYTES..)?);
        let (profile, sub_layers) = read_profile(&mut bits)?;
        bits.unsigned()?; // sps_seq_parameter_set_id
        let chroma = bits.unsigned().filter(|chroma| *chroma <= 3)?;
        let separate_planes = chroma == 3 && bits.flag()?;
        let size = (bits.unsigned()?, bits.unsigned()?);
        let window = vui::read_window(&mut bits)?;
        let units = vui::crop_units(if separate_planes { 0 } else { chroma }, 1);
        Some(Self {
            profile,
            resolution: vui::crop(size, units, window)?,
            usability: read_usability(&mut bits, sub_layers).unwrap_or_default(),
        })
    }
}

/// See [`crate::format::codec::nal::Syntax::sps_id`].
pub(in crate::format::codec) fn sps_id(unit: &[u8]) -> Option<u32> {
    let mut bits = Bits::rbsp(unit.get(HEADER_BYTES..)?);
    read_profile(&mut bits)?;
    bits.unsigned()
}

/// Everything in front of the id; and the number of sub-layers.
fn read_profile(bits: &mut Bits<'_>) -> Option<(ProfileTierLevel, u32)> {
    bits.skip(4)?; // sps_video_parameter_set_id
    let sub_layers = bits.number(3)?;
    bits.skip(1)?; // sps_temporal_id_nesting_flag
    let mut profile = [0; 12];
    for byte in &mut profile {
        *byte = bits.small(8)?;
    }
    skip_sub_layer_levels(bits, sub_layers)?;
    Some((ProfileTierLevel(profile), sub_layers))
}

/// The rest of `profile_tier_level`.
fn skip_sub_layer_levels(bits: &mut Bits<'_>, sub_layers: u32) -> Option<()> {
    let mut length = 0;
    for _ in 0..sub_layers {
        length += if bits.flag()? { 88 } else { 0 };
        length += if bits.flag()? { 8 } else { 0 };
    }
    if sub_layers > 0 {
        bits.skip((8 - sub_layers) * 2)?;
    }
    bits.skip(length)
}

/// Everything from the bit depths on.
fn read_usability(bits: &mut Bits<'_>, sub_layers: u32) -> Option<Usability> {
    bits.unsigned()?; // bit_depth_luma_minus8
    bits.unsigned()?; // bit_depth_chroma_minus8
    let order_bits = bits.unsigned().filter(|bits| *bits <= 12)? + 4;
    let described = if bits.flag()? { sub_layers + 1 } else { 1 };
    // three sizes of buffers each, then six of blocks and of trees of blocks
    for _ in 0..3 * described + 6 {
        bits.unsigned()?;
    }
    if bits.flag()? && bits.flag()? {
        skip_scaling_lists(bits)?;
    }
    bits.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.flag()? {
        bits.skip(8)?; // bit depths of PCM
        bits.unsigned()?;
        bits.unsigned()?;
        bits.skip(1)?;
    }
    skip_reference_sets(bits)?;
    if bits.flag()? {
        for _ in 0..bits.unsigned().filter(|count| *count <= 32)? {
            bits.skip(order_bits + 1)?;
        }
    }
    bits.skip(2)?; // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    if !bits.flag()? {
        return None;
    }
    vui::skip_appearance(bits)?;
    bits.skip(1)?; // neutral_chroma_indication_flag
    let fields = bits.flag()?;
    bits.skip(1)?; // frame_field_info_present_flag
    vui::read_window(bits)?; // default display window: may be ignored, and nearly everybody does
    Some(Usability { fields, timing: Timing::read(bits) })
}

/// `scaling_list_data` (§7.3.4).
fn skip_scaling_lists(bits: &mut Bits<'_>) -> Option<()> {
    for size in 0..4_u32 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !bits.flag()? {
                bits.unsigned()?;
                continue;
            }
            if size > 1 {
                bits.signed()?;
            }
            for _ in 0..64.min(16 << (2 * size)) {
                bits.signed()?;
            }
        }
    }
    Some(())
}

/// Every `st_ref_pic_set` (§7.3.7), whose lengths depend on one another.
fn skip_reference_sets(bits: &mut Bits<'_>) -> Option<()> {
    /// More pictures than that cannot be referred to.
    const MOST_PICTURES: u32 = 16;
    let mut pictures = 0;
    for index in 0..bits.unsigned().filter(|count| *count <= 64)? {
        if index > 0 && bits.flag()? {
            bits.skip(1)?; // delta_rps_sign
            bits.unsigned()?;
            let mut kept = 0;
            for _ in 0..=pictures {
                // used_by_curr_pic_flag, or else use_delta_flag
                kept += u32::from(bits.flag()? || bits.flag()?);
            }
            pictures = kept;
        } else {
            pictures = bits.unsigned()?.checked_add(bits.unsigned()?)?;
            for _ in 0..pictures.min(MOST_PICTURES) {
                bits.unsigned()?;
                bits.skip(1)?;
            }
        }
        if pictures > MOST_PICTURES {
            return None;
        }
    }
    Some(())
}
