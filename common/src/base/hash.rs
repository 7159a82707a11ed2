//! The hash that identifies a segment's bytes, and its text form in file names.

use std::fmt;
use std::str::FromStr;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// SHA-256 of a file's bytes; prints as url-safe base64 without padding, 43 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// How long the text form is.
    pub const TEXT_LENGTH: usize = 43;

    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Appends the text form.
    pub fn push_to(&self, out: &mut String) {
        let mut text = [0; Self::TEXT_LENGTH];
        out.push_str(URL_SAFE_NO_PAD.encode_as_str(&self.0, text.as_mut_slice().as_out()));
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(Self::TEXT_LENGTH);
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not the canonical base64 of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the url-safe base64 of 32 bytes")]
pub struct ParseHashError;

impl FromStr for ContentHash {
    type Err = ParseHashError;

    /// # Errors
    ///
    /// When `text` is not what [`ContentHash`] prints, down to the unused bits of its last letter.
    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        if text.len() != Self::TEXT_LENGTH {
            return Err(ParseHashError);
        }
        let mut bytes = [0; 32];
        let decoded = URL_SAFE_NO_PAD.decode(text.as_bytes(), bytes.as_mut_slice().as_out());
        decoded.map_err(|_| ParseHashError)?;
        Ok(Self(bytes))
    }
}

/// Hashes bytes as they come by.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all bytes taken in.
    pub fn finish(self) -> ContentHash {
        ContentHash(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_input_has_its_known_hash() {
        let text = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
        assert_eq!(ContentHash::of(b"").to_string(), text);
        assert_eq!(text.parse(), Ok(ContentHash::of(b"")));
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut hasher = Hasher::default();
        hasher.update(b"ab");
        hasher.update(b"c");
        assert_eq!(hasher.finish(), ContentHash::of(b"abc"));
    }

    #[test]
    fn only_the_canonical_text_is_read() {
        let good = ContentHash::of(b"").to_string();
        // the last letter carries two unused bits, which must be zero
        let unused_bits_set = good.replace("SuFU", "SuFV");
        let padded = format!("{good}=");
        let other_alphabet = good.replace('_', "/");
        let short = &good[..42];
        for bad in [&unused_bits_set, &padded, &other_alphabet, short, ""] {
            assert_eq!(bad.parse::<ContentHash>(), Err(ParseHashError), "{bad}");
        }
    }
}
