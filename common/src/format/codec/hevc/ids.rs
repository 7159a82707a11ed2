//! Other ids for parameter sets, so that those of two encoders can be in force side by side.

use super::unit_type;
use crate::format::bits::{BitWriter, Bits, escaped, unescaped};

/// The ids of the parameter sets of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Of the video parameter set, at most 15.
    video: u8,
    /// Of the sequence parameter set, at most 15.
    sequence: u8,
    /// Of the picture parameter set, of which the code has nine bits.
    picture: u8,
}

impl Ids {
    /// Some that are none of those that are used: of video, sequence and picture parameter sets. `None` where all are.
    pub fn free(used: [&[u32]; 3]) -> Option<Self> {
        let [video, sequence, picture] = used;
        let free = |used: &[u32], mut ids: std::ops::RangeInclusive<u8>| {
            ids.rfind(|id| !used.contains(&u32::from(*id)))
        };
        Some(Self {
            video: free(video, 0..=15)?,
            sequence: free(sequence, 0..=15)?,
            picture: free(picture, 15..=30)?,
        })
    }

    /// `unit` with these ids in place of 0, which is what encoders give to the only sets that there are. `None` where it has
    /// others, or cannot be read.
    pub fn put(self, unit: &[u8]) -> Option<Vec<u8>> {
        let (header, rest) = unit.split_first_chunk::<2>()?;
        let content = unescaped(rest);
        let changed = match unit_type(header[0]) {
            kind @ 0..=31 => self.slice(kind, &content)?,
            32 => self.video(&content)?,
            33 => self.sequence(&content)?,
            34 => self.picture(&content)?,
            _ => content,
        };
        Some([header, escaped(&changed).as_slice()].concat())
    }

    /// §7.3.2.1: four bits of the id come first.
    fn video(self, content: &[u8]) -> Option<Vec<u8>> {
        let mut content = content.to_vec();
        let first = content.first_mut().filter(|first| **first >> 4 == 0)?;
        *first |= self.video << 4;
        Some(content)
    }

    /// §7.3.2.2.1: behind the ids of video parameter set and layers, `profile_tier_level` without sub-layers has 96 bits.
    fn sequence(self, content: &[u8]) -> Option<Vec<u8>> {
        let (mut bits, mut out) = (Bits::plain(content), BitWriter::default());
        let (video, sub_layers) = (bits.number(4)?, bits.number(3)?);
        if (video, sub_layers) != (0, 0) {
            return None;
        }
        out.put(u32::from(self.video), 4);
        out.put(0, 3);
        out.copy(&mut bits, 1 + 96)?;
        if bits.unsigned()? != 0 {
            return None;
        }
        out.put_unsigned(u32::from(self.sequence));
        Some(out.finish_as(&mut bits))
    }

    /// §7.3.2.3.1
    fn picture(self, content: &[u8]) -> Option<Vec<u8>> {
        let (mut bits, mut out) = (Bits::plain(content), BitWriter::default());
        if (bits.unsigned()?, bits.unsigned()?) != (0, 0) {
            return None;
        }
        out.put_unsigned(u32::from(self.picture));
        out.put_unsigned(u32::from(self.sequence));
        Some(out.finish_as(&mut bits))
    }

    /// §7.3.6.1: the id stands behind one flag or two. Its code becomes eight bits longer, so that all behind it, which ends
    /// with what is aligned to bytes, moves by one byte.
    fn slice(self, kind: u8, content: &[u8]) -> Option<Vec<u8>> {
        let flags = if matches!(kind, 16..=23) { 2 } else { 1 };
        let (first, behind) = content.split_first()?;
        // '1' is the code of 0
        if first << flags >> 7 != 1 {
            return None;
        }
        let mut out = BitWriter::default();
        out.put(u32::from(*first >> (8 - flags)), flags);
        out.put_unsigned(u32::from(self.picture));
        out.put(u32::from(*first) & (0x7f >> flags), 7 - flags);
        let mut changed = out.finish();
        changed.extend_from_slice(behind);
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::codec::hevc::{Sps, pps_ids, slice, sps_id};
    use crate::format::codec::nal::{AnnexB, Kind, Syntax};
    use crate::format::mpegts::{Packets, PesPackets};

    fn units() -> Vec<Vec<u8>> {
        let sample = include_bytes!("../../../../testdata/media/hevc-aac.ts");
        let mut parts = PesPackets::new(Packets::new(sample), 0x100, usize::MAX);
        let mut units = Vec::new();
        while let Some(part) = parts.advance() {
            units.extend(AnnexB::new(part.payload).map(<[u8]>::to_vec));
        }
        units
    }

    #[test]
    fn every_unit_names_the_new_sets_and_is_the_same_otherwise() {
        let ids = Ids::free([&[15], &[3], &[30]]).unwrap();
        assert_eq!(ids, Ids { video: 14, sequence: 15, picture: 29 });
        let mut seen = [0; 4];
        for unit in units() {
            let put = ids.put(&unit).unwrap();
            match Syntax::Hevc.kind(&unit).unwrap() {
                Kind::Vps => {
                    seen[0] += 1;
                    assert_eq!(put[2] >> 4, 14);
                }
                Kind::Sps => {
                    seen[1] += 1;
                    assert_eq!(sps_id(&put), Some(15));
                    assert_eq!(Sps::parse(&put), Sps::parse(&unit));
                    assert_eq!(put[2] >> 4, 14);
                }
                Kind::Pps => {
                    seen[2] += 1;
                    assert_eq!(pps_ids(&put), Some((29, 15)));
                }
                Kind::Slice | Kind::Clean => {
                    seen[3] += 1;
                    let (before, after) = (slice(&unit).unwrap(), slice(&put).unwrap());
                    assert_eq!((after.first, after.pps_id), (before.first, 29));
                    // one byte more, and the end as it was
                    let (before, after) = (unescaped(&unit), unescaped(&put));
                    assert_eq!(after.len(), before.len() + 1);
                    assert_eq!(after[4..], before[3..]);
                }
                Kind::Other => assert_eq!(put, unit),
            }
            // it has other ids now
            let is_other = Syntax::Hevc.kind(&unit) == Some(Kind::Other);
            assert_eq!(ids.put(&put).is_some(), is_other);
        }
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }

    #[test]
    fn ids_run_out() {
        let all: Vec<u32> = (0..64).collect();
        assert_eq!(Ids::free([&all, &[], &[]]), None);
        assert_eq!(Ids::free([&[], &[], &all]), None);
    }
}
