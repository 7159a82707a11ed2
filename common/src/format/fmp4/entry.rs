//! Sample entries (§8.5.2): how a track is coded.

use super::{Fields, Mp4Box, find};
use crate::format::codec::Codec;

/// How the samples of a track are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleEntry<'a> {
    /// Its type, four letters.
    pub kind: [u8; 4],
    content: &'a [u8],
}

/// Length of the fields of a visual sample entry in front of its boxes (§12.1.3).
const VISUAL_BYTES: usize = 78;

/// Length of the fields of an audio sample entry in front of its boxes (§12.2.3).
const AUDIO_BYTES: usize = 28;

impl<'a> SampleEntry<'a> {
    pub(super) const fn new(entry: Mp4Box<'a>) -> Self {
        Self { kind: entry.kind, content: entry.content }
    }

    /// How the samples are coded.
    pub fn codec(&self) -> Codec {
        match &self.kind {
            b"avc1" | b"avc3" => Codec::H264,
            b"hvc1" | b"hev1" => Codec::Hevc,
            b"av01" => Codec::Av1,
            b"vp09" => Codec::Vp9,
            b"mp4a" => match self.elementary_stream() {
                Some((0x69 | 0x6b, _)) => Codec::Mp3,
                Some((0x40 | 0x66..=0x68, _)) => Codec::Aac,
                Some((0xa5, _)) => Codec::Ac3,
                Some((0xa6, _)) => Codec::Eac3,
                _ => Codec::Unknown,
            },
            b".mp3" => Codec::Mp3,
            b"ac-3" => Codec::Ac3,
            b"ec-3" => Codec::Eac3,
            b"Opus" => Codec::Opus,
            b"fLaC" => Codec::Flac,
            b"wvtt" | b"stpp" | b"tx3g" | b"c608" | b"mett" | b"metx" | b"urim" => Codec::Data,
            _ => Codec::Unknown,
        }
    }

    /// Columns and rows of a visual sample entry, before what the codec itself cuts off.
    pub fn size(&self) -> Option<(u16, u16)> {
        let mut fields = Fields(self.content.get(24..)?);
        Some((fields.u16()?, fields.u16()?))
    }

    /// The content of the box that configures a video decoder, such as `avcC`.
    pub fn video_configuration(&self) -> Option<&'a [u8]> {
        let kind = match self.codec() {
            Codec::H264 => b"avcC",
            Codec::Hevc => b"hvcC",
            Codec::Av1 => b"av1C",
            Codec::Vp9 => b"vpcC",
            _ => return None,
        };
        find(self.content.get(VISUAL_BYTES..)?, kind)
    }

    /// Object type and decoder-specific information of an `esds` box (ISO/IEC 14496-1 §7.2.6.5).
    pub fn elementary_stream(&self) -> Option<(u8, &'a [u8])> {
        let mut fields = Fields(find(self.content.get(AUDIO_BYTES..)?, b"esds")?);
        fields.version_and_flags()?;
        let mut stream = Fields(descriptor(&mut fields, 3)?);
        stream.u16()?; // ES_ID
        let flags = stream.u8()?;
        if flags & 0x80 != 0 {
            stream.u16()?;
        }
        if flags & 0x40 != 0 {
            let length = stream.u8()?;
            stream.bytes(usize::from(length))?;
        }
        if flags & 0x20 != 0 {
            stream.u16()?;
        }
        let mut decoder = Fields(descriptor(&mut stream, 4)?);
        let object_type = decoder.u8()?;
        decoder.bytes(12)?; // kind of stream, buffer size, bit rates
        Some((object_type, descriptor(&mut decoder, 5).unwrap_or_default()))
    }

    /// The parameter sets in an `avcC` or `hvcC` box (ISO/IEC 14496-15 §5.3.3.1, §8.3.3.1), and how many
    /// bytes the length of each NAL unit in a sample has.
    pub fn parameter_sets(&self) -> Option<(Vec<&'a [u8]>, usize)> {
        let mut fields = Fields(self.video_configuration()?);
        let mut sets = Vec::new();
        let length_bytes = match self.codec() {
            Codec::H264 => {
                let [_, _, _, _, lengths] = fields.array()?;
                for mask in [0x1f, 0xff] {
                    let count = fields.u8()? & mask;
                    read_sets(&mut fields, u16::from(count), &mut sets)?;
                }
                lengths
            }
            Codec::Hevc => {
                let lengths = fields.array::<22>()?[21];
                for _ in 0..fields.u8()? {
                    fields.u8()?; // nal_unit_type
                    let count = fields.u16()?;
                    read_sets(&mut fields, count, &mut sets)?;
                }
                lengths
            }
            _ => return None,
        };
        Some((sets, usize::from(length_bytes & 0b11) + 1))
    }
}

fn read_sets<'a>(fields: &mut Fields<'a>, count: u16, sets: &mut Vec<&'a [u8]>) -> Option<()> {
    for _ in 0..count {
        let length = fields.u16()?;
        sets.push(fields.bytes(usize::from(length))?);
    }
    Some(())
}

/// The content of the descriptor that comes next, if it has that tag (ISO/IEC 14496-1 §8.3.3).
fn descriptor<'a>(fields: &mut Fields<'a>, tag: u8) -> Option<&'a [u8]> {
    if fields.u8()? != tag {
        return None;
    }
    let mut length = 0;
    // at most four bytes, each of which says whether another follows
    for _ in 0..4 {
        let byte = fields.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    // one that claims too much has what is there
    fields.bytes(length.min(fields.0.len()))
}
