//! Bits of parameter sets and headers, most significant first: read, and written anew.
//!
//! Reads past the end answer `None`, so that a reader of any structure ends where its bytes end.

/// A place within bytes, counted in bits.
#[derive(Clone, Debug)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    /// The next bit of the first byte, from the left.
    next: u8,
    /// How many zero bytes stand before the first one; `None` where they mean nothing.
    zeros: Option<u8>,
}

impl<'a> Bits<'a> {
    /// Reads `bytes` as they are.
    pub const fn plain(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0, zeros: None }
    }

    /// Reads a NAL unit's payload without the emulation prevention bytes in it: a 3 after two zero
    /// bytes (H.264 §7.4.1, H.265 §7.4.2).
    pub const fn rbsp(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0, zeros: Some(0) }
    }

    /// One bit.
    pub fn flag(&mut self) -> Option<bool> {
        if self.next == 0 && self.zeros >= Some(2) && self.bytes.first() == Some(&3) {
            self.bytes = &self.bytes[1..];
            self.zeros = Some(0);
        }
        let byte = *self.bytes.first()?;
        let bit = byte >> (7 - self.next) & 1 == 1;
        self.next = (self.next + 1) % 8;
        if self.next == 0 {
            self.bytes = &self.bytes[1..];
            self.zeros =
                self.zeros.map(|zeros| if byte == 0 { zeros.saturating_add(1) } else { 0 });
        }
        Some(bit)
    }

    /// A number of `count` bits, of which the last 32 are kept.
    pub fn number(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for _ in 0..count {
            number = number << 1 | u32::from(self.flag()?);
        }
        Some(number)
    }

    /// A number of at most eight bits.
    pub fn small(&mut self, count: u32) -> Option<u8> {
        u8::try_from(self.number(count.min(8))?).ok()
    }

    /// Passes over `count` bits.
    pub fn skip(&mut self, count: u32) -> Option<()> {
        self.number(count).map(drop)
    }

    /// An unsigned Exp-Golomb code, `ue(v)` of H.264 §9.1 and H.265 §9.2; at most 2³² - 2.
    pub fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros == 32 {
                return None;
            }
        }
        let rest = self.number(zeros)?;
        Some((1_u32 << zeros) - 1 + rest)
    }

    /// A signed Exp-Golomb code, `se(v)`: 0, 1, -1, 2, -2, and so on.
    pub fn signed(&mut self) -> Option<i64> {
        let code = i64::from(self.unsigned()?);
        Some(if code % 2 == 1 { code / 2 + 1 } else { -(code / 2) })
    }
}

/// Bits that are put one behind the other.
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// How many bits of the last byte are taken, 0 where all are.
    taken: u32,
}

impl BitWriter {
    /// Appends a bit.
    pub fn flag(&mut self, bit: bool) {
        if self.taken == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (7 - self.taken);
        }
        self.taken = (self.taken + 1) % 8;
    }

    /// Appends the last `count` bits of `number`, 32 at most.
    pub fn put(&mut self, number: u32, count: u32) {
        (0..count).rev().for_each(|bit| self.flag(number >> bit & 1 == 1));
    }

    /// Appends an unsigned Exp-Golomb code, see [`Bits::unsigned`]; of numbers up to 2³¹ - 2.
    pub fn put_unsigned(&mut self, number: u32) {
        let code = number + 1;
        let bits = code.ilog2();
        self.put(0, bits);
        self.put(code, bits + 1);
    }

    /// Appends the next `count` of `bits`; `None` where there are not so many.
    pub fn copy(&mut self, bits: &mut Bits<'_>, count: u32) -> Option<()> {
        for _ in 0..count {
            self.flag(bits.flag()?);
        }
        Some(())
    }

    /// The bytes, of which the last is filled up with zeros.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// All that is left of `bits`, which ends with a 1 and zeros up to a byte (H.264 §7.3.2.11, H.265 §7.3.2.11), and then
    /// the bytes.
    pub fn finish_as(mut self, bits: &mut Bits<'_>) -> Vec<u8> {
        while let Some(bit) = bits.flag() {
            self.flag(bit);
        }
        // the zeros may be more or fewer now
        while self.bytes.last() == Some(&0) {
            self.bytes.pop();
        }
        self.bytes
    }
}

/// A NAL unit's bytes without the emulation prevention bytes in them (H.264 §7.4.1, H.265 §7.4.2).
pub fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut zeros = 0;
    let is_content = |byte: &u8| {
        let is_prevention = zeros >= 2 && *byte == 3;
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        !is_prevention
    };
    bytes.iter().copied().filter(is_content).collect()
}

/// `bytes` with emulation prevention bytes wherever they would look like a start code.
pub fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 64);
    let mut zeros = 0;
    for byte in bytes {
        if zeros >= 2 && *byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut out = BitWriter::default();
        out.put(0b101, 3);
        for number in [0, 1, 2, 15, 30, 31, 1_000_000] {
            out.put_unsigned(number);
        }
        let mut source = Bits::plain(&[0b0110_0100]);
        out.copy(&mut source, 4).unwrap();
        // the rest, 0100, ends with what aligns it
        let bytes = out.finish_as(&mut source);
        let mut bits = Bits::plain(&bytes);
        assert_eq!(bits.number(3), Some(0b101));
        let codes: Vec<_> = (0..7).map_while(|_| bits.unsigned()).collect();
        assert_eq!(codes, [0, 1, 2, 15, 30, 31, 1_000_000]);
        assert_eq!(bits.number(6), Some(0b01_1001));
        // nothing but zeros, up to the byte
        assert!(std::iter::from_fn(|| bits.flag()).all(|bit| !bit));
        assert_ne!(bytes.last(), Some(&0));
        assert!(BitWriter::default().copy(&mut Bits::plain(&[]), 1).is_none());
    }

    #[test]
    fn what_looks_like_a_start_code_is_escaped() {
        for content in
            [&[0, 0, 1][..], &[0, 0, 0, 0, 0], &[0, 0, 3, 0, 0, 4], &[1, 0, 0, 2, 0], &[]]
        {
            let escaped = escaped(content);
            assert!(escaped.windows(3).all(|bytes| bytes[..2] != [0, 0] || bytes[2] >= 3));
            assert_eq!(unescaped(&escaped), content, "{content:?}");
        }
        assert_eq!(escaped(&[0, 0, 1, 0, 0, 4]), [0, 0, 3, 1, 0, 0, 4]);
    }

    #[test]
    fn numbers_cross_bytes_and_end_with_them() {
        let mut bits = Bits::plain(&[0b1010_0000, 0b1111_1111]);
        assert_eq!(bits.number(3), Some(0b101));
        assert_eq!(bits.number(6), Some(1));
        assert_eq!(bits.number(7), Some(127));
        assert_eq!(bits.flag(), None);
    }

    #[test]
    fn exp_golomb_codes_are_those_of_the_standard() {
        // 1 010 011 00100 00101, then 0 (unsigned), 1, -1, 2, -2 in the signed reading
        let bytes = [0b1010_0110, 0b0100_0010, 0b1000_0000];
        let mut bits = Bits::plain(&bytes);
        let codes: Vec<_> = (0..5).map_while(|_| bits.unsigned()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4]);
        let mut bits = Bits::plain(&bytes);
        let codes: Vec<_> = (0..5).map_while(|_| bits.signed()).collect();
        assert_eq!(codes, [0, 1, -1, 2, -2]);
        assert_eq!(Bits::plain(&[0; 9]).unsigned(), None);
    }

    #[test]
    fn emulation_prevention_bytes_are_no_bits() {
        let mut bits = Bits::rbsp(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3]);
        let read: Vec<_> = (0..6).map_while(|_| bits.number(8)).collect();
        assert_eq!(read, [0, 0, 1, 0, 0, 0]);
        assert_eq!(bits.number(8), Some(0));
        assert_eq!(bits.number(8), None);
        assert_eq!(Bits::plain(&[0, 0, 3]).number(24), Some(3));
    }
}
