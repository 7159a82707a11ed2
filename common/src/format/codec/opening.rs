//! Whether decoding can begin with a picture.

use super::nal::{Kind, Syntax};

/// Collects the parameter sets up to the first slice.
#[derive(Clone, Debug)]
pub struct Opening {
    syntax: Syntax,
    /// By id; no codec has more than 32.
    sps: u32,
    /// The id of each picture parameter set, and that of the sequence parameter set it builds upon.
    pps: Vec<(u32, u32)>,
}

impl Opening {
    /// No parameter set is known yet.
    pub const fn new(syntax: Syntax) -> Self {
        Self { syntax, sps: 0, pps: Vec::new() }
    }

    /// Takes in the next NAL unit and says what it is.
    pub fn take(&mut self, unit: &[u8]) -> Option<Kind> {
        let kind = self.syntax.kind(unit)?;
        match kind {
            Kind::Sps => {
                let id = self.syntax.sps_id(unit).and_then(|id| 1_u32.checked_shl(id));
                self.sps |= id.unwrap_or(0);
            }
            Kind::Pps => self.pps.extend(self.syntax.pps_ids(unit)),
            _ => {}
        }
        Some(kind)
    }

    /// Whether a sequence parameter set was among them.
    pub const fn has_sps(&self) -> bool {
        self.sps != 0
    }

    /// Whether `slice` begins a picture that can be decoded, as can all after it, from what was taken in;
    /// `None` if there is not enough of it to tell.
    pub fn is_clean(&self, slice: &[u8]) -> Option<bool> {
        let begin = self.syntax.slice(slice)?;
        let used = self.pps.iter().rev().find(|(id, _)| *id == begin.pps_id);
        let sps = used.and_then(|(_, sps)| 1_u32.checked_shl(*sps));
        let known = sps.is_some_and(|sps| self.sps & sps != 0);
        Some(known && begin.first && self.syntax.kind(slice) == Some(Kind::Clean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sequence parameter set 0.
    const SPS: &[u8] = &[0x67, 0x64, 0, 13, 0b1000_0000];
    /// Picture parameter set 0, upon sequence parameter set 0 and upon 1.
    const PPS: &[u8] = &[0x68, 0b1100_0000];
    const PPS_UPON_1: &[u8] = &[0x68, 0b1010_0000];
    /// IDR slices with picture parameter set 0, from the first macroblock on and from the second.
    const SLICE: &[u8] = &[0x65, 0b1000_1000, 0b1000_0000];
    const SECOND_SLICE: &[u8] = &[0x65, 0b0100_0010, 0b0010_0000];

    fn is_clean(sets: &[&[u8]], slice: &[u8]) -> Option<bool> {
        let mut opening = Opening::new(Syntax::H264);
        for set in sets {
            assert!(matches!(opening.take(set), Some(Kind::Sps | Kind::Pps)));
        }
        opening.is_clean(slice)
    }

    #[test]
    fn a_picture_begins_with_its_first_slice() {
        assert_eq!(is_clean(&[SPS, PPS], SLICE), Some(true));
        assert_eq!(is_clean(&[SPS, PPS], SECOND_SLICE), Some(false));
        assert_eq!(is_clean(&[SPS, PPS], &SLICE[..2]), None);
    }

    #[test]
    fn of_parameter_sets_with_one_id_the_last_holds() {
        assert_eq!(is_clean(&[SPS, PPS_UPON_1], SLICE), Some(false));
        assert_eq!(is_clean(&[SPS, PPS_UPON_1, PPS], SLICE), Some(true));
        assert_eq!(is_clean(&[SPS, PPS, PPS_UPON_1], SLICE), Some(false));
    }
}
