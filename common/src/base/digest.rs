//! Mixing numbers into one that tells their sequences apart: for caches, never against malice.

/// A number of everything mixed in so far; the same in every process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

/// An odd number without a pattern: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Default for Digest {
    fn default() -> Self {
        Self(SPREAD)
    }
}

impl Digest {
    /// Mixes in `value`.
    pub const fn mix(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(SPREAD);
    }

    /// Mixes in `text` and where it ends.
    pub fn mix_text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.mix(u64::from(byte)));
        self.mix(text.len() as u64);
    }

    /// The number, every bit of which depends on everything.
    pub const fn finish(self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(SPREAD);
        mixed ^ (mixed >> 29)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(values: &[u64]) -> u64 {
        let mut digest = Digest::default();
        for value in values {
            digest.mix(*value);
        }
        digest.finish()
    }

    #[test]
    fn sequences_are_told_apart() {
        let all = [&[][..], &[0], &[0, 0], &[1], &[1, 0], &[0, 1], &[1 << 63], &[1 << 63, 0]];
        let digests: std::collections::HashSet<u64> = all.iter().map(|v| digest(v)).collect();
        assert_eq!(digests.len(), all.len());
    }
}
