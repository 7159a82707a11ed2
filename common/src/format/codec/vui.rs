//! What the sequence parameter sets of H.264 and HEVC have in common: the window that is shown, and the
//! beginning of the usability information (Annex E of both).

use crate::format::bits::Bits;
use crate::format::hls::Resolution;

/// The length of a tick, as the stream states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// `num_units_in_tick`.
    pub units: u32,
    /// `time_scale`: units in a second.
    pub scale: u32,
}

impl Timing {
    /// Reads a flag and, behind it, the two numbers; `None` where they are no rate.
    pub(super) fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let stated = bits.flag()?;
        let (units, scale) = (bits.number(32)?, bits.number(32)?);
        (stated && units > 0 && scale > 0).then_some(Self { units, scale })
    }

    /// Ticks in a second.
    pub fn rate(self) -> f64 {
        f64::from(self.scale) / f64::from(self.units)
    }
}

/// A flag, and behind it what is cut off on the left, right, top and bottom, in units of [`crop_units`].
pub(super) fn read_window(bits: &mut Bits<'_>) -> Option<[u32; 4]> {
    let mut window = [0; 4];
    if bits.flag()? {
        for side in &mut window {
            *side = bits.unsigned()?;
        }
    }
    Some(window)
}

/// Columns and rows in a unit of cropping, by `ChromaArrayType` (H.264 §7.4.2.1.1, H.265 §6.2).
pub(super) const fn crop_units(chroma: u32, fields: u32) -> (u32, u32) {
    match chroma {
        1 => (2, 2 * fields),
        2 => (2, fields),
        _ => (1, fields),
    }
}

/// What is left of columns and rows; `None` if that is nothing.
pub(super) fn crop(size: (u32, u32), units: (u32, u32), window: [u32; 4]) -> Option<Resolution> {
    let [left, right, top, bottom] = window;
    let width = size.0.checked_sub(left.checked_add(right)?.checked_mul(units.0)?)?;
    let height = size.1.checked_sub(top.checked_add(bottom)?.checked_mul(units.1)?)?;
    (width > 0 && height > 0).then_some(Resolution { width, height })
}

/// Passes over `aspect_ratio_info`, `overscan_info`, `video_signal_type` and `chroma_loc_info`.
pub(super) fn skip_appearance(bits: &mut Bits<'_>) -> Option<()> {
    const EXTENDED_SAR: u32 = 255;
    if bits.flag()? && bits.number(8)? == EXTENDED_SAR {
        bits.skip(32)?;
    }
    if bits.flag()? {
        bits.skip(1)?;
    }
    if bits.flag()? {
        bits.skip(4)?;
        if bits.flag()? {
            bits.skip(24)?;
        }
    }
    if bits.flag()? {
        bits.unsigned()?;
        bits.unsigned()?;
    }
    Some(())
}
