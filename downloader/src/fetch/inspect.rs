//! Whether bytes look like the whole segment that they should be. Pure, and cheap: packets and boxes
//! are counted off, nothing in them is read.

/// Bytes of an MPEG-TS packet, each of which begins with [`SYNC`].
const PACKET: u64 = 188;
const SYNC: u8 = 0x47;
/// How much of the beginning decides what it is.
const HEAD: usize = 12;

/// What was found when the bytes had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Whole packets or boxes, or a form of media that is known but not looked into.
    Sound,
    /// Nothing that is known: it may be media, and it may be anything else.
    Unknown,
    /// Sound up to the last packet or box, which is cut off.
    Torn,
    /// Out of step at that byte.
    Broken {
        /// How many bytes were in step.
        at: u64,
    },
    /// A page, a playlist or the like, and no media at all.
    Text,
}

/// Looks at bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Inspector {
    head: Vec<u8>,
    container: Option<Container>,
    broken_at: Option<u64>,
}

#[derive(Debug)]
enum Container {
    Ts {
        seen: u64,
        next_sync: u64,
    },
    Mp4(Boxes),
    Text,
    /// Packed audio or subtitles (RFC 8216 §3.4, §3.5).
    Other,
    Unknown,
}

impl Inspector {
    /// Looks at the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.container.is_some() {
            self.walk(bytes);
            return;
        }
        let missing = HEAD - self.head.len();
        let (head, rest) = bytes.split_at(missing.min(bytes.len()));
        self.head.extend_from_slice(head);
        if self.head.len() == HEAD {
            self.decide();
            self.walk(rest);
        }
    }

    /// What was found, once there are no more bytes.
    pub(super) fn finish(mut self) -> Finding {
        if self.container.is_none() {
            self.decide();
        }
        if let Some(at) = self.broken_at {
            return Finding::Broken { at };
        }
        let torn = match &self.container {
            Some(Container::Text) => return Finding::Text,
            Some(Container::Ts { seen, .. }) => seen % PACKET != 0,
            Some(Container::Mp4(boxes)) => boxes.is_inside(),
            Some(Container::Unknown) => return Finding::Unknown,
            Some(Container::Other) | None => false,
        };
        if torn { Finding::Torn } else { Finding::Sound }
    }

    fn decide(&mut self) {
        let head = std::mem::take(&mut self.head);
        self.container = Some(container_of(&head));
        self.walk(&head);
    }

    fn walk(&mut self, bytes: &[u8]) {
        if self.broken_at.is_some() {
            return;
        }
        match &mut self.container {
            Some(Container::Ts { seen, next_sync }) => {
                while let Some(byte) = offset(*next_sync - *seen).and_then(|at| bytes.get(at)) {
                    if *byte != SYNC {
                        self.broken_at = Some(*next_sync);
                        return;
                    }
                    *next_sync += PACKET;
                }
                *seen += bytes.len() as u64;
            }
            Some(Container::Mp4(boxes)) => self.broken_at = boxes.walk(bytes).err(),
            Some(Container::Text | Container::Other | Container::Unknown) | None => {}
        }
    }
}

fn offset(distance: u64) -> Option<usize> {
    usize::try_from(distance).ok()
}

fn container_of(head: &[u8]) -> Container {
    const FIRST_BOXES: [&[u8]; 8] =
        [b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft", b"free"];
    let text = head.trim_ascii_start();
    let texts: [&[u8]; 7] = [b"<!", b"<?", b"<h", b"<H", b"#EXTM3U", b"{\"", b"[{\""];
    if head.first() == Some(&SYNC) {
        Container::Ts { seen: 0, next_sync: 0 }
    } else if head.get(4..8).is_some_and(|kind| FIRST_BOXES.contains(&kind)) {
        Container::Mp4(Boxes::default())
    } else if texts.iter().any(|start| text.starts_with(start)) {
        Container::Text
    } else if head.is_empty() || is_other_media(head) {
        Container::Other
    } else {
        Container::Unknown
    }
}

/// Whether `head` begins packed audio (with its ID3 tag, an ADTS, MPEG or AC-3 frame) or WebVTT.
fn is_other_media(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let frame = matches!(head, [0xff, second, ..] if second & 0xe0 == 0xe0);
    frame || [&b"ID3"[..], b"WEBVTT", b"\x0b\x77"].iter().any(|start| head.starts_with(start))
}

/// Counts off the top-level boxes of an ISO base media file (ISO/IEC 14496-12 §4.2).
#[derive(Debug, Default)]
struct Boxes {
    /// The header that is being read: size, type, and the large size if there is one.
    header: Vec<u8>,
    /// Bytes of the box that are to come; `None` when it goes on to the end.
    rest: Option<u64>,
    open_ended: bool,
    seen: u64,
}

impl Boxes {
    fn is_inside(&self) -> bool {
        !self.open_ended && (!self.header.is_empty() || self.rest.is_some_and(|rest| rest > 0))
    }

    /// # Errors
    ///
    /// How many bytes came before the box that cannot be one.
    fn walk(&mut self, mut bytes: &[u8]) -> Result<(), u64> {
        while !bytes.is_empty() && !self.open_ended {
            let rest = self.rest.unwrap_or(0);
            if rest > 0 {
                let skipped = rest.min(bytes.len() as u64);
                self.rest = Some(rest - skipped);
                self.seen += skipped;
                bytes = offset(skipped).and_then(|at| bytes.get(at..)).unwrap_or_default();
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            self.header()?;
        }
        Ok(())
    }

    /// Takes up the box whose header is complete, if it is.
    fn header(&mut self) -> Result<(), u64> {
        let Some((size, kind)) = self.header.split_first_chunk::<4>() else { return Ok(()) };
        let size = u64::from(u32::from_be_bytes(*size));
        let (size, header_size) = match (size, self.header.len()) {
            (1, 16) => {
                let large =
                    self.header.last_chunk::<8>().map_or(0, |size| u64::from_be_bytes(*size));
                (large, 16)
            }
            (1, _) | (_, ..8) => return Ok(()),
            (0, _) => {
                self.open_ended = true;
                return Ok(());
            }
            (size, _) => (size, 8),
        };
        let is_kind = kind[..4].iter().all(|byte| matches!(byte, b' '..=b'~' | 0xa9));
        let Some(rest) = size.checked_sub(header_size).filter(|_| is_kind) else {
            return Err(self.seen);
        };
        self.seen += header_size;
        self.header.clear();
        self.rest = Some(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(bytes: &[u8], split: usize) -> Finding {
        let mut inspector = Inspector::default();
        inspector.feed(&bytes[..split]);
        inspector.feed(&bytes[split..]);
        inspector.finish()
    }

    /// What is found, which must not depend on how the bytes are split.
    fn finding(bytes: &[u8]) -> Finding {
        let whole = find(bytes, 0);
        for split in (0..=bytes.len()).step_by(if bytes.len() > 600 { 7 } else { 1 }) {
            assert_eq!(find(bytes, split), whole, "split at {split}");
        }
        whole
    }

    fn packets(count: usize) -> Vec<u8> {
        let mut packet = [0xff; 188];
        packet[0] = SYNC;
        packet.repeat(count)
    }

    fn mp4_box(kind: [u8; 4], payload: usize) -> Vec<u8> {
        let size = u32::try_from(payload + 8).unwrap().to_be_bytes();
        [&size[..], &kind, &vec![0; payload]].concat()
    }

    #[test]
    fn transport_streams_are_whole_packets() {
        assert_eq!(finding(&packets(3)), Finding::Sound);
        assert_eq!(finding(&packets(3)[..563]), Finding::Torn);
        assert_eq!(finding(&packets(1)[..5]), Finding::Torn);
        let mut slipped = packets(3);
        slipped.remove(100);
        assert_eq!(finding(&slipped), Finding::Broken { at: 188 });
    }

    #[test]
    fn fragmented_mp4_is_whole_boxes() {
        let whole = [mp4_box(*b"moof", 40), mp4_box(*b"mdat", 300), mp4_box(*b"free", 0)].concat();
        assert_eq!(finding(&whole), Finding::Sound);
        assert_eq!(finding(&whole[..100]), Finding::Torn);
        assert_eq!(finding(&whole[..whole.len() - 3]), Finding::Torn, "within a header");
        let garbage = [mp4_box(*b"moof", 40), vec![0, 0, 0, 9, 1, 2, 3, 4, 5]].concat();
        assert_eq!(finding(&garbage), Finding::Broken { at: 48 });
        let too_small = [mp4_box(*b"moof", 40), vec![0, 0, 0, 7, b'm', b'd', b'a', b't']].concat();
        assert_eq!(finding(&too_small), Finding::Broken { at: 48 });
    }

    #[test]
    fn large_and_open_boxes_are_known() {
        let mut large = mp4_box(*b"styp", 4);
        large.extend([0, 0, 0, 1, b'm', b'd', b'a', b't', 0, 0, 0, 0, 0, 0, 0, 20, 1, 2, 3, 4]);
        assert_eq!(finding(&large), Finding::Sound);
        assert_eq!(finding(&large[..large.len() - 1]), Finding::Torn);
        let mut open = mp4_box(*b"styp", 4);
        open.extend([0, 0, 0, 0, b'm', b'd', b'a', b't', 1, 2, 3]);
        assert_eq!(finding(&open), Finding::Sound);
    }

    #[test]
    fn pages_and_playlists_are_no_media() {
        assert_eq!(finding(b"  <!DOCTYPE html><html>"), Finding::Text);
        assert_eq!(finding(b"#EXTM3U\n#EXT-X-VERSION:3\n"), Finding::Text);
        assert_eq!(finding(b"{\"error\":\"gone\"}"), Finding::Text);
        assert_eq!(finding(b"<html"), Finding::Text, "shorter than a head");
    }

    #[test]
    fn packed_audio_and_subtitles_are_known_by_how_they_begin() {
        assert_eq!(finding(b""), Finding::Sound);
        assert_eq!(finding(b"ID3\x04 packed audio, say"), Finding::Sound);
        assert_eq!(finding(b"\xff\xf1\x50\x80 an ADTS frame"), Finding::Sound);
        assert_eq!(finding(b"WEBVTT\n\n00:00.000"), Finding::Sound);
    }

    #[test]
    fn anything_else_is_not_taken_for_media() {
        assert_eq!(finding(b"Service Unavailable, edge overloaded"), Finding::Unknown);
        assert_eq!(finding(&[0; 1000]), Finding::Unknown);
    }
}
