//! AAC: the header of ADTS frames (ISO/IEC 14496-3 §1.A.2.2).

use crate::format::bits::Bits;

/// Whether an ADTS frame begins `bytes`.
pub fn is_adts(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, second, ..] if second & 0xf6 == 0xf0)
}

/// The bytes of an ADTS header that are the same in every frame, or `None` where no frame begins: what
/// follows them is about the frame alone.
pub fn adts_fixed_header(bytes: &[u8]) -> Option<[u8; 4]> {
    let [a, b, c, d, ..] = *bytes else { return None };
    is_adts(bytes).then_some([a, b, c, d & 0xf0])
}

/// The audio object type of an ADTS frame: what follows `mp4a.40.`.
pub fn adts_object_type(bytes: &[u8]) -> Option<u8> {
    adts_fixed_header(bytes).map(|header| (header[2] >> 6) + 1)
}

/// The audio object type that an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) begins with.
pub fn config_object_type(config: &[u8]) -> Option<u8> {
    const ESCAPE: u8 = 31;
    let mut bits = Bits::plain(config);
    match bits.small(5)? {
        ESCAPE => Some(32 + bits.small(6)?),
        object_type => Some(object_type),
    }
}
