//! What goes over the wire for one request: bytes, pauses, and how it ends. Pure.

use std::time::Duration;

use bytes::Bytes;

use super::faults::SegmentFault;

/// A step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// These bytes.
    Send(Bytes),
    /// Nothing for a while.
    Wait(Duration),
    /// Nothing any more, until the client goes away.
    Stall,
    /// These bytes so many times, so often; `None` for ever.
    Repeat(Bytes, Duration, Option<u32>),
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The connection stays.
    KeepAlive,
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// In order.
    pub(super) steps: Vec<Step>,
    /// What comes after them.
    pub(super) end: End,
    /// Whether a client that takes all of it has what it asked for, and can know that.
    pub(super) is_whole: bool,
    /// For people.
    pub(super) what: String,
}

impl Answer {
    /// A proper answer with that status.
    pub(super) fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let length = body.len().to_string();
        let headers = [headers, &[("Content-Length", length.as_str())]].concat();
        Self {
            steps: vec![Step::Send([&head(status, &headers)[..], body].concat().into())],
            end: End::KeepAlive,
            is_whole: matches!(status, 200 | 206),
            what: status.to_string(),
        }
    }

    /// Only a status.
    pub(super) fn status(status: u16) -> Self {
        Self::new(status, &[], b"")
    }

    /// A channel that is not live, in the form of Twitch: it has no other 404 that says so.
    pub(super) fn offline() -> Self {
        let said = br#"[{"error":"Can not find channel","error_code":"transcode_does_not_exist"}]"#;
        Self::new(404, &[], said)
    }

    /// A redirect to `target`.
    pub(super) fn redirect(target: &str) -> Self {
        Self::new(302, &[("Location", target)], b"")
    }

    /// Nothing, while the connection stays.
    pub(super) fn silence() -> Self {
        Self::lie(vec![Step::Stall], End::Close, "silence")
    }

    /// A page with status 200.
    pub(super) fn page() -> Self {
        let page = b"<!DOCTYPE html><html><body>Service is being maintained</body></html>";
        Self { is_whole: false, what: "a page".to_owned(), ..Self::new(200, &HTML, page) }
    }

    /// An object of JSON with status 200, which says what nobody asked for.
    pub(super) fn json() -> Self {
        let said = br#"{"data":{"playbackAccess":{"token":"t","sig":"s"}},"extensions":{}}"#;
        let json = [("Content-Type", "application/json")];
        Self { is_whole: false, what: "JSON".to_owned(), ..Self::new(200, &json, said) }
    }

    /// Bytes that mean nothing with status 200.
    pub(super) fn garbage() -> Self {
        let garbage: Vec<u8> = (0..2000_u32).map(|at| (at * 151 % 251).to_le_bytes()[0]).collect();
        Self { is_whole: false, what: "garbage".to_owned(), ..Self::new(200, &[], &garbage) }
    }

    /// A list of 50 MB that begins well.
    pub(super) fn huge(list: &str) -> Self {
        const LINES: usize = 1 << 16;
        const TIMES: u32 = 800;
        let line = format!("#{}\n", "x".repeat(62));
        let lines = Bytes::from(line.repeat(LINES / line.len()));
        let length = list.len() + lines.len() * TIMES as usize;
        let head = head(200, &[("Content-Length", &length.to_string())]);
        let begins = [&head[..], list.as_bytes()].concat().into();
        let steps = vec![Step::Send(begins), Step::Repeat(lines, Duration::ZERO, Some(TIMES))];
        Self::lie(steps, End::KeepAlive, "50 MB")
    }

    /// A list that never ends.
    pub(super) fn endless(list: &str) -> Self {
        let begins = [&head(200, &[])[..], list.as_bytes()].concat().into();
        let line = Bytes::from_static(b"# more to come\n");
        let steps = vec![Step::Send(begins), Step::Repeat(line, Duration::from_millis(200), None)];
        Self::lie(steps, End::Close, "a list without an end")
    }

    /// What a request for a segment of these bytes is answered with; `fault` that is a redirect is
    /// answered elsewhere.
    pub(super) fn segment(body: &[u8], fault: SegmentFault, is_fmp4: bool) -> Self {
        use SegmentFault as F;
        let half = body.len() / 2;
        let promise = |length: usize, body: &[u8]| {
            let head = head(200, &[("Content-Length", &length.to_string())]);
            Step::Send([&head[..], body].concat().into())
        };
        let unpromised = |body: &[u8]| {
            Step::Send([&head(200, &[("Connection", "close")])[..], body].concat().into())
        };
        let what = format!("{fault:?}");
        let (steps, end) = match fault {
            F::Silence => return Self { what, ..Self::silence() },
            F::Html => return Self { what, ..Self::page() },
            F::Status(status) => return Self { what, ..Self::status(status) },
            F::Empty => return Self { what, is_whole: false, ..Self::new(200, &[], b"") },
            F::Redirect | F::RedirectLoop => return Self::new(200, &[], body),
            F::StallInBody => (vec![promise(body.len(), &body[..half]), Step::Stall], End::Close),
            F::Drip(seconds) => (drip(body, seconds), End::KeepAlive),
            F::Reset => (vec![promise(body.len(), &body[..half]), SETTLE], End::Reset),
            F::PromisesMore => (vec![promise(body.len() + 1000, body)], End::Close),
            F::PromisesLess => (vec![promise(half, body)], End::Close),
            F::CleanCut => (vec![unpromised(&body[..half + 7])], End::Close),
            F::CleanCutAtPacket => {
                (vec![unpromised(&body[..packet_boundary(body, is_fmp4)])], End::Close)
            }
            F::CutChunks => (vec![Step::Send(chunked(body, false).into())], End::Close),
            F::Chunked => (vec![Step::Send(chunked(body, true).into())], End::KeepAlive),
            F::NoLength => (vec![unpromised(body)], End::Close),
        };
        Self { steps, end, is_whole: fault.is_whole(), what }
    }

    fn lie(steps: Vec<Step>, end: End, what: &str) -> Self {
        Self { steps, end, is_whole: false, what: what.to_owned() }
    }
}

/// So that what was sent before a reset is read.
const SETTLE: Step = Step::Wait(Duration::from_millis(50));
const HTML: [(&str, &str); 1] = [("Content-Type", "text/html")];

/// The head of an answer.
pub(super) fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} status\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    text.into_bytes()
}

fn drip(body: &[u8], seconds: u16) -> Vec<Step> {
    let head = head(200, &[("Content-Length", &body.len().to_string())]);
    let mut steps = vec![Step::Send(head.into())];
    let pieces = usize::from(seconds).max(1) * 2;
    for piece in body.chunks(body.len().div_ceil(pieces).max(1)) {
        steps.push(Step::Send(Bytes::copy_from_slice(piece)));
        steps.push(Step::Wait(Duration::from_millis(500)));
    }
    // the last byte ends it
    steps.pop();
    steps
}

/// Where to cut so that no packet or box is torn: in the middle of the packets, and after the last box
/// that is not the media itself.
fn packet_boundary(body: &[u8], is_fmp4: bool) -> usize {
    const PACKET: usize = 188;
    if !is_fmp4 {
        return body.len() / 2 / PACKET * PACKET;
    }
    let mut at = 0;
    while let Some([a, b, c, d, kind @ ..]) = body.get(at..at + 8) {
        if kind == b"mdat" {
            break;
        }
        at += usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(0).max(8);
    }
    at.min(body.len())
}

fn chunked(body: &[u8], ends: bool) -> Vec<u8> {
    let mut all = head(200, &[("Transfer-Encoding", "chunked")]);
    for piece in body.chunks(4096) {
        all.extend(format!("{:x}\r\n", piece.len()).as_bytes());
        all.extend(piece);
        all.extend(b"\r\n");
    }
    if ends {
        all.extend(b"0\r\n\r\n");
    }
    all
}

/// `bytes` in gzip's format (RFC 1952), not made any smaller: stored blocks (RFC 1951 §3.2.4).
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut all = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut pieces = bytes.chunks(0xffff).peekable();
    while let Some(piece) = pieces.next() {
        let length = u16::try_from(piece.len()).unwrap_or(u16::MAX);
        all.push(u8::from(pieces.peek().is_none()));
        all.extend(length.to_le_bytes());
        all.extend((!length).to_le_bytes());
        all.extend(piece);
    }
    all.extend(crc32(bytes).to_le_bytes());
    all.extend(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
    all
}

/// The check of gzip (RFC 1952 §8).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !bytes.iter().fold(!0, byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_of_gzip_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_cut_at_a_packet_tears_none() {
        assert_eq!(packet_boundary(&[0x47; 188 * 5], false), 188 * 2);
        let boxes = [&[0, 0, 0, 12][..], b"moof1234", &[0, 0, 0, 9], b"mdat!"].concat();
        assert_eq!(packet_boundary(&boxes, true), 12);
    }

    #[test]
    fn a_drip_brings_all_of_it() {
        let body: Vec<u8> = (0..=255).collect();
        let sent: Vec<u8> = drip(&body, 3)
            .iter()
            .flat_map(|step| match step {
                Step::Send(bytes) => bytes.to_vec(),
                _ => Vec::new(),
            })
            .collect();
        assert!(sent.ends_with(&body));
    }
}
