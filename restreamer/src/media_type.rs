//! Which media type a file is.

use common::format::mpegts::PACKET_BYTES;

/// What is not known to be anything else.
pub(crate) const UNKNOWN: &str = "application/octet-stream";
pub(crate) const MPEG_TS: &str = "video/mp2t";
pub(crate) const MP4: &str = "video/mp4";
const WEBM: &str = "video/webm";

/// How many of a file's first bytes tell its container: two packets of MPEG-TS.
pub(crate) const TELLING_BYTES: usize = 2 * PACKET_BYTES;

/// The media type of a file by its name, where that tells. What a browser would run is left out:
/// extras come from other nodes.
pub(crate) fn of_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "json" => "application/json",
        "jsonl" => "application/jsonl",
        "txt" | "log" | "csv" | "md" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "mp4" | "m4s" => MP4,
        "mkv" => "video/x-matroska",
        "webm" => WEBM,
        "mp3" => "audio/mpeg",
        _ => return None,
    })
}

/// The container that `bytes`, the first of a video, are the beginning of: a segment's name tells
/// nothing about it.
pub(crate) fn of_video(bytes: &[u8]) -> &'static str {
    /// The boxes that an MP4 file or segment may begin with (ISO/IEC 14496-12 and -DASH).
    const FIRST_BOXES: [&[u8]; 6] = [b"ftyp", b"styp", b"sidx", b"moov", b"moof", b"emsg"];
    /// The byte that every packet begins with (ISO/IEC 13818-1 §2.4.3.2).
    const SYNC: u8 = 0x47;
    /// What WebM begins with (RFC 8794 §11.2.1).
    const EBML: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];
    if bytes.starts_with(EBML) {
        return WEBM;
    }
    let starts_packet = |at: usize| bytes.get(at).is_none_or(|byte| *byte == SYNC);
    if bytes.get(4..8).is_some_and(|kind| FIRST_BOXES.contains(&kind)) {
        MP4
    } else if !bytes.is_empty() && starts_packet(0) && starts_packet(PACKET_BYTES) {
        MPEG_TS
    } else {
        UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_is_what_the_bytes_are() {
        let mut packets = [0; TELLING_BYTES];
        packets[0] = 0x47;
        assert_eq!(of_video(&packets), UNKNOWN, "text may begin with a G");
        packets[188] = 0x47;
        assert_eq!(of_video(&packets), MPEG_TS);
        assert_eq!(of_video(&packets[..100]), MPEG_TS, "a partial segment may be this short");
        assert_eq!(of_video(b"\0\0\0\x18ftypiso5"), MP4);
        assert_eq!(of_video(b"\0\0\0\x18moofmfhd"), MP4);
        assert_eq!(of_video(b"<html>"), UNKNOWN);
        assert_eq!(of_video(b""), UNKNOWN);
    }

    #[test]
    fn nothing_that_a_browser_would_run_has_a_type() {
        for name in ["a.html", "a.svg", "a.js", "a.xml", "a", "html"] {
            assert_eq!(of_name(name), None, "{name}");
        }
        assert_eq!(of_name("a.b.PNG"), Some("image/png"));
    }
}
