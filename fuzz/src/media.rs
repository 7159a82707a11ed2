//! The bytes of segments.

use common::format::media::{Container, HeadOutcome, MOST_HEAD_BYTES, head, stream_info};

/// Whatever a file's bytes are, asking for its head comes to an end soon, never asks for more than the
/// file has, and tells of nothing outside it. So does looking at all of it.
pub fn segment_head(bytes: &[u8]) {
    let mut given = bytes.len().min(FEW_BYTES);
    loop {
        match head(&bytes[..given], bytes.len() as u64) {
            HeadOutcome::NeedMore { bytes: wanted } => {
                let most = bytes.len().min(MOST_HEAD_BYTES);
                assert!(wanted > given && wanted <= most, "{wanted}");
                // inputs are small, but what doubles is quick in large files, too
                assert!(wanted >= most.min(2 * given), "{wanted} after {given}");
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

/// So few that what is asked for next, and again after that, is among what a fuzzer makes up; and just
/// enough that a reader looks at them: with fewer it asks at once for as much as a fuzzer's longest input.
const FEW_BYTES: usize = 1600;
