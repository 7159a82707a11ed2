//! MPEG-1 and MPEG-2 audio (ISO/IEC 11172-3, 13818-3): the header of a frame.

/// The layer of the frame that `bytes` begin with.
pub fn layer(bytes: &[u8]) -> Option<u8> {
    let [0xff, second, third, ..] = *bytes else { return None };
    let reserved = second & 0xe0 != 0xe0
        || second & 0x18 == 0x08
        || third & 0xf0 == 0xf0
        || third & 0x0c == 0x0c;
    let layer = 4 - (second >> 1 & 0b11);
    (!reserved && layer < 4).then_some(layer)
}

/// The number of a layer among the audio object types of MPEG-4: what follows `mp4a.40.`.
pub const fn object_type(layer: u8) -> u8 {
    31 + layer
}

/// Whether the frame that `bytes` begin with takes no bits from those before it, which only layer III
/// does (`main_data_begin`, ISO/IEC 11172-3 §2.4.1.7).
pub fn is_self_contained(bytes: &[u8]) -> bool {
    let Some(layer) = layer(bytes) else { return false };
    let (mpeg1, checksum) = (bytes[1] & 0x08 != 0, bytes[1] & 1 == 0);
    let side = bytes.get(if checksum { 6 } else { 4 }..).unwrap_or_default();
    match (layer, side) {
        (3, [first, second, ..]) => *first == 0 && (!mpeg1 || second & 0x80 == 0),
        (3, _) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_iii_says_how_many_bits_it_takes_from_before() {
        let frame = |second: u8, side: [u8; 4]| {
            is_self_contained(&[&[0xff, second, 0x90, 0], &side[..]].concat())
        };
        // nine bits in MPEG-1, eight in MPEG-2
        assert!(frame(0xfb, [0, 0x7f, 9, 9]) && frame(0xf3, [0, 0xff, 9, 9]));
        assert!(!frame(0xfb, [0, 0x80, 0, 0]) && !frame(0xfb, [1, 0, 0, 0]));
        assert!(!frame(0xf3, [1, 0, 0, 0]));
        // behind a checksum of two bytes
        assert!(frame(0xfa, [9, 9, 0, 0x7f]) && frame(0xf2, [9, 9, 0, 0xff]));
        assert!(!frame(0xfa, [0, 0, 0, 0x80]) && !frame(0xf2, [0, 0, 1, 0]));
        // layer II takes none
        assert!(frame(0xfd, [9; 4]));
    }
}
