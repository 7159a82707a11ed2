//! Decrypting segments (RFC 8216 §4.3.2.4, §5.2): METHOD=AES-128, which is AES in CBC mode with
//! PKCS#7 padding, each segment by itself.

use std::fmt;

use aws_lc_rs::cipher::{AES_128, DecryptionContext, StreamingDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use bytes::Bytes;
use common::format::hls::{Key, KeyMethod};

/// Bytes of a block, of a key and of an initialization vector.
pub(super) const BLOCK: usize = 16;

/// Why what is encrypted like that cannot be decrypted here, if it cannot.
pub(crate) fn undecipherable(key: &Key) -> Option<String> {
    if key.method != KeyMethod::Aes128 {
        return Some(format!("encrypted with {}, which is not supported", key.method));
    }
    if !key.is_identity() {
        let format = key.key_format.as_deref().unwrap_or_default();
        return Some(format!("encrypted, and its key is only given as {format}, for players"));
    }
    if key.uri.is_none() {
        return Some("encrypted, and the list does not say where its key is".to_owned());
    }
    let iv = key.iv.as_deref().filter(|iv| parse_iv(iv).is_none())?;
    Some(format!("encrypted, and its initialization vector {iv:?} is no number of 128 bits"))
}

/// The initialization vector that the list gives, if it gives one.
pub(super) fn stated_iv(key: &Key) -> Option<[u8; BLOCK]> {
    key.iv.as_deref().and_then(parse_iv)
}

/// The initialization vector of a segment whose list gives none: its media sequence number (§5.2).
pub(super) fn numbered_iv(number: u64) -> [u8; BLOCK] {
    u128::from(number).to_be_bytes()
}

fn parse_iv(text: &str) -> Option<[u8; BLOCK]> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = are_digits.then(|| u128::from_str_radix(digits, 16).ok()).flatten()?;
    Some(number.to_be_bytes())
}

/// Decrypts a segment as it comes.
pub(super) struct Decryptor(StreamingDecryptingKey);

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decryptor")
    }
}

/// The end of what was decrypted is no padding: it is cut off, or the key is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrongPadding;

impl Decryptor {
    pub(super) fn new(key: &[u8; BLOCK], iv: [u8; BLOCK]) -> Self {
        let key = UnboundCipherKey::new(&AES_128, key).expect("a key of its size");
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        Self(StreamingDecryptingKey::cbc_pkcs7(key, context).expect("AES-128 has this mode"))
    }

    /// The clear text of the next bytes; the last block is held back, for it may be padding.
    pub(super) fn update(&mut self, pieces: &[Bytes]) -> Bytes {
        let length: usize = pieces.iter().map(Bytes::len).sum();
        // a block that was held back may come first, and each call wants a block to spare
        let mut clear = vec![0; length + 2 * BLOCK];
        let mut filled = 0;
        for piece in pieces {
            let output = &mut clear[filled..];
            let update = self.0.less_safe_update(piece, output).expect("there is a block to spare");
            filled += update.written().len();
        }
        clear.truncate(filled);
        clear.into()
    }

    /// What was held back, without the padding.
    ///
    /// # Errors
    ///
    /// When it does not end in padding.
    pub(super) fn finish(self) -> Result<Bytes, WrongPadding> {
        let mut last = [0; BLOCK];
        let end = self.0.finish(&mut last).map_err(|_| WrongPadding)?;
        Ok(Bytes::copy_from_slice(end.written()))
    }
}

#[cfg(test)]
mod tests;
