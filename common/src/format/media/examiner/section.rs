//! Whether bytes are an initialization section.

use super::{Content, Examiner, Finding};

/// Checks that `section` is a whole initialization section (EXT-X-MAP), one that tells what is in the
/// segments after it: a `moov` box with a track that can be read, of whatever codec (RFC 8216 §3.3), the
/// tables of a transport stream (§3.2) or the header of WebVTT (§3.5). Packed audio has none (§3.4).
///
/// # Errors
///
/// What is wrong with it.
pub fn check_section(section: &[u8]) -> Result<(), &'static str> {
    let mut examiner = Examiner::default();
    examiner.feed(section);
    examiner.decide();
    let (finding, describes) = match examiner.content {
        Some(Content::Ts(transport)) => (transport.finding(), transport.has_tables()),
        Some(Content::Mp4(walk, mut fragments)) => {
            (walk.finish(&mut fragments), fragments.is_described())
        }
        Some(Content::Audio(_)) => (Finding::Sound, false),
        Some(Content::WebVtt) => (Finding::Sound, true),
        Some(Content::Text) => return Err("a text came instead of it"),
        Some(Content::Unknown) => return Err("nothing that is known as one"),
        Some(Content::Nothing) | None => return Err("empty"),
    };
    match finding {
        Finding::Sound if describes => Ok(()),
        Finding::Sound => Err("it tells nothing of any track"),
        Finding::Torn => Err("ends within a packet or box"),
        _ => Err("its packets or boxes are out of step"),
    }
}
