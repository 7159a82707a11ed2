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
