//! The bytes of segments.

use common::format::media::{Container, HeadOutcome, MOST_HEAD_BYTES, head, stream_info};

/// Whatever a file's bytes are, asking for its head comes to an end, never asks for more than the file
/// has, and tells of nothing outside it. So does looking at all of it.
pub fn segment_head(bytes: &[u8]) {
    let mut given = bytes.len().min(FEW_BYTES);
    loop {
        match head(&bytes[..given], bytes.len() as u64) {
            HeadOutcome::NeedMore { bytes: wanted } => {
                assert!(wanted > given && wanted <= bytes.len().min(MOST_HEAD_BYTES), "{wanted}");
                given = wanted;
            }
            HeadOutcome::Known(head) => {
                let told = match head.container {
                    Container::Fmp4 { init_bytes } => init_bytes,
                    Container::MpegTs { tables } => tables.start + tables.bytes,
                    Container::Unknown => 0,
                };
                assert!(told as usize <= bytes.len(), "{:?}", head.container);
                break;
            }
        }
    }
    let _ = stream_info(bytes);
}

/// So few that what is asked for next is among what a fuzzer makes up.
const FEW_BYTES: usize = 512;
