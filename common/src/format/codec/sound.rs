//! The headers of frames of sound: how long each frame is, in bytes and in time. Of ID3 tags as well, which stand between
//! such frames where nothing else packs them (RFC 8216 §3.4).

/// What is coded alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// AAC in ADTS frames.
    Adts,
    /// MPEG-1 and MPEG-2 audio of any layer.
    Mpeg,
    /// AC-3 and E-AC-3, which may extend it.
    Ac3,
}

/// A frame, as its header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// How it is coded.
    pub coding: Coding,
    /// How many bytes it has, the header with them.
    pub bytes: u64,
    /// How many samples it has in each channel; none where it is heard together with the one before it.
    pub samples: u64,
    /// How many samples there are in a second, which is never none.
    pub rate: u32,
}

impl Frame {
    /// How long it is heard, in nanoseconds.
    pub fn nanos(self) -> u64 {
        self.samples * 1_000_000_000 / u64::from(self.rate)
    }
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// Too little of it is there.
    Unfinished,
    /// A frame.
    Frame(Frame),
    /// A tag.
    Tag {
        /// How many bytes it has, the header with them.
        bytes: u64,
    },
    /// None that is known.
    Unknown,
}

/// Reads a header that is complete; `None` where it is none.
type Parse = fn(&[u8]) -> Option<Header>;

/// Reads the header that `bytes` begin with.
pub fn read(bytes: &[u8]) -> Header {
    const MAGIC: [&[u8]; 4] = [b"ID3", b"TAG", b"\x0b\x77", b"\xff"];
    if MAGIC.iter().any(|magic| magic.len() > bytes.len() && magic.starts_with(bytes)) {
        return Header::Unfinished;
    }
    let (needed, parse): (usize, Parse) = match bytes {
        [b'I', b'D', b'3', ..] => (10, id3v2),
        [b'T', b'A', b'G', ..] => (3, |_| Some(Header::Tag { bytes: 128 })),
        [0x0b, 0x77, ..] => (6, ac3),
        [0xff] => return Header::Unfinished,
        [0xff, second, ..] if second & 0xf6 == 0xf0 => (7, adts),
        [0xff, second, ..] if second & 0xe0 == 0xe0 => (4, mpeg),
        _ => return Header::Unknown,
    };
    if bytes.len() < needed {
        return Header::Unfinished;
    }
    // one shorter than its own header is none
    let is_known =
        |header: &Header| !matches!(header, Header::Frame(frame) if frame.bytes < needed as u64);
    parse(bytes).filter(is_known).unwrap_or(Header::Unknown)
}

fn frame(coding: Coding, bytes: u64, samples: u64, rate: u32) -> Option<Header> {
    (rate > 0).then_some(Header::Frame(Frame { coding, bytes, samples, rate }))
}

/// ID3v2.4 §3.1, which is alike from ID3v2.2 on: the size is in bytes of seven bits and counts neither the
/// header nor the footer.
fn id3v2(bytes: &[u8]) -> Option<Header> {
    let [_, _, _, 2..=4, _, flags, size @ ..] = bytes.first_chunk::<10>()? else {
        return None;
    };
    let is_tag = flags << 4 == 0 && size.iter().all(|byte| *byte < 0x80);
    let size = size.iter().fold(0, |size, byte| size << 7 | u64::from(*byte));
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    is_tag.then_some(Header::Tag { bytes: 10 + size + footer })
}

/// ISO/IEC 14496-3 §1.A.2.2: the length counts the header.
fn adts(bytes: &[u8]) -> Option<Header> {
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8000, 7350,
    ];
    let [_, _, third, fourth, fifth, sixth, seventh] = *bytes.first_chunk::<7>()?;
    let rate = *RATES.get(usize::from(third >> 2 & 0b1111))?;
    let length = u64::from(fourth & 0b11) << 11 | u64::from(fifth) << 3 | u64::from(sixth >> 5);
    let blocks = u64::from(seventh & 0b11) + 1;
    frame(Coding::Adts, length, 1024 * blocks, rate)
}

/// ISO/IEC 11172-3 §2.4.1.3, 13818-3 §2.4.1.3, and the extension to a quarter of the rates ("MPEG-2.5").
/// Of a free bit rate the header does not tell the length: such frames are not known here.
fn mpeg(bytes: &[u8]) -> Option<Header> {
    const RATES: [u32; 3] = [44_100, 48_000, 32_000];
    let [_, second, third, _] = *bytes.first_chunk::<4>()?;
    let (divisor, is_mpeg1) = match second >> 3 & 0b11 {
        0b11 => (1, true),
        0b10 => (2, false),
        0b00 => (4, false),
        _ => return None,
    };
    let layer = Some(4 - (second >> 1 & 0b11)).filter(|layer| *layer < 4)?;
    let rate = RATES.get(usize::from(third >> 2 & 0b11))? / divisor;
    let bits = 1000 * u64::from(kilobits(is_mpeg1, layer, third >> 4)?);
    let padding = u64::from(third >> 1 & 1);
    let (samples, bytes) = match layer {
        1 => (384, (12 * bits / u64::from(rate) + padding) * 4),
        3 if !is_mpeg1 => (576, 72 * bits / u64::from(rate) + padding),
        _ => (1152, 144 * bits / u64::from(rate) + padding),
    };
    frame(Coding::Mpeg, bytes, samples, rate)
}

/// Kilobits in a second; `None` for a free rate, and for the reserved one.
fn kilobits(is_mpeg1: bool, layer: u8, index: u8) -> Option<u16> {
    const MPEG1: [[u16; 14]; 3] = [
        [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
        [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    ];
    const MPEG2: [[u16; 14]; 2] = [
        [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
        [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    let of_layer = usize::from(layer).checked_sub(1)?;
    let rates = if is_mpeg1 { MPEG1.get(of_layer)? } else { MPEG2.get(of_layer.min(1))? };
    rates.get(usize::from(index).checked_sub(1)?).copied()
}

/// ETSI TS 102 366 §4.4.1 and, for E-AC-3, §E.1.3.1: which of them it is, is told by `bsid`.
fn ac3(bytes: &[u8]) -> Option<Header> {
    const RATES: [u32; 3] = [48_000, 44_100, 32_000];
    let [_, _, third, fourth, fifth, sixth] = *bytes.first_chunk::<6>()?;
    let version = sixth >> 3;
    if version <= 10 {
        // from 9 on, rates are halved and halved again
        let halved = u32::from(version.saturating_sub(8));
        let rate = usize::from(fifth >> 6);
        let bytes = ac3_bytes(rate, fifth & 0b11_1111)?;
        return frame(Coding::Ac3, bytes, 6 * 256, RATES.get(rate)? >> halved);
    }
    if version > 16 {
        return None;
    }
    let bytes = 2 * ((u64::from(third & 0b111) << 8 | u64::from(fourth)) + 1);
    let (rate, blocks) = match (fifth >> 6, fifth >> 4 & 0b11) {
        (0b11, of_half) => (RATES.get(usize::from(of_half))? / 2, 6),
        (rate, blocks) => (*RATES.get(usize::from(rate))?, [1, 2, 3, 6][usize::from(blocks)]),
    };
    // what depends on another substream, or is beside the first, is heard with it
    let is_first = third >> 6 != 0b01 && third << 2 >> 5 == 0;
    frame(Coding::Ac3, bytes, if is_first { blocks * 256 } else { 0 }, rate)
}

/// ETSI TS 102 366 table 4.13, by which 1536 samples take as many bytes as the bit rate makes of them.
fn ac3_bytes(rate: usize, index: u8) -> Option<u64> {
    const KILOBITS: [u64; 19] =
        [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
    let kilobits = KILOBITS.get(usize::from(index >> 1))?;
    let words = match rate {
        0 => kilobits * 2,
        1 => kilobits * 320 / 147 + u64::from(index & 1),
        2 => kilobits * 3,
        _ => return None,
    };
    Some(words * 2)
}
