//! The size of a video stream's pictures, looked for where each picture begins until it is found.

use crate::format::codec::nal::{AnnexB, Kind, Sps, Syntax};
use crate::format::hls::Resolution;
use crate::format::mpegts::{Packet, PesHeader};

/// Parameter sets are in front of a picture's slices, among its first bytes.
const MOST_BYTES: usize = 4096;

/// Looks for the first sequence parameter set.
#[derive(Debug)]
pub(super) struct PictureSearch {
    pub(super) pid: u16,
    syntax: Syntax,
    /// The beginning of the PES packet that is being read; empty while there is nothing to look for.
    begun: Vec<u8>,
    pub(super) size: Option<Resolution>,
}

impl PictureSearch {
    pub(super) const fn new(pid: u16, syntax: Syntax) -> Self {
        Self { pid, syntax, begun: Vec::new(), size: None }
    }

    /// Takes the next packet of the stream.
    pub(super) fn take(&mut self, packet: Packet<'_>) {
        if packet.starts_unit() {
            self.begun.clear();
        } else if self.begun.is_empty() {
            return;
        }
        self.begun.extend_from_slice(packet.payload());
        if packet.unusable() || self.begun.len() > MOST_BYTES || self.look() {
            self.begun.clear();
        }
    }

    /// Whether more bytes of the picture are of no use.
    fn look(&mut self) -> bool {
        let Some(header) = PesHeader::parse(&self.begun) else { return false };
        for unit in AnnexB::new(&self.begun[header.bytes..]) {
            match self.syntax.kind(unit) {
                // one that is cut off is read again when there is more of it
                Some(Kind::Sps) if self.size.is_none() => {
                    self.size = Sps::parse(self.syntax, unit).map(Sps::resolution);
                }
                Some(Kind::Slice | Kind::Clean) => return true,
                _ => {}
            }
        }
        self.size.is_some()
    }
}
