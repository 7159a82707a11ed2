//! Bits of parameter sets and headers, most significant first.
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

#[cfg(test)]
mod tests {
    use super::*;

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
