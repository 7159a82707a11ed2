//! What can go wrong with an answer, and what a recorder may say of it afterwards. Pure.

use std::ops::Range;

use common::io::store::notes::Why;

/// How an answer to a request for a segment goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentFault {
    /// No answer at all, while the connection stays.
    Silence,
    /// Half of the body, and then nothing, while the connection stays.
    StallInBody,
    /// The whole body, piece by piece, within that many seconds: slow, and in the end right.
    Drip(u16),
    /// The connection is reset in the middle of the body.
    Reset,
    /// `Content-Length` promises more than comes before the connection ends.
    PromisesMore,
    /// `Content-Length` promises half of the body; the rest follows, where nobody reads it.
    PromisesLess,
    /// Half of the body without any promise of its length, and a proper end of the connection.
    CleanCut,
    /// As [`Self::CleanCut`], between two packets of MPEG-TS, or two boxes of MP4.
    CleanCutAtPacket,
    /// Chunks without the last one.
    CutChunks,
    /// Status 200 and no bytes.
    Empty,
    /// Status 200 and a page.
    Html,
    /// That status and nothing else.
    Status(u16),
    /// A redirect to another address, which answers well.
    Redirect,
    /// A redirect to the same address.
    RedirectLoop,
    /// A good answer, but without a length: it ends when the connection does.
    NoLength,
    /// A good answer in chunks.
    Chunked,
}

/// When a recorder has to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    /// At each reload of the list, as long as it names the segment.
    WhileListed,
    /// After a while, for 20 minutes.
    Always,
    /// At the soft time-out, beside the first attempt.
    Beside,
}

impl SegmentFault {
    /// Whether the answer is right in the end.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Drip(_) | Self::Redirect | Self::NoLength | Self::Chunked)
    }

    /// When it has to be asked for again.
    pub const fn retried(self) -> Retried {
        match self {
            Self::Silence | Self::StallInBody | Self::Drip(_) => Retried::Beside,
            Self::Status(408 | 425 | 429 | 500..) => Retried::Always,
            // which kind of failure this is, nobody says
            Self::Status(_) | Self::RedirectLoop => Retried::WhileListed,
            _ => Retried::Always,
        }
    }

    /// What may be the reason in the capture notes if it never goes better.
    pub const fn reasons(self) -> &'static [Why] {
        match self {
            Self::Silence => &[Why::TimeOut],
            Self::StallInBody | Self::Drip(_) => &[Why::TimeOut, Why::Truncated],
            Self::Reset | Self::PromisesMore | Self::CutChunks => &[Why::Truncated],
            Self::CleanCut | Self::CleanCutAtPacket | Self::PromisesLess | Self::Empty => {
                &[Why::Truncated, Why::Damaged]
            }
            Self::Html => &[Why::Damaged],
            Self::Status(401 | 403 | 451) => &[Why::Refused],
            Self::Status(500..) => &[Why::Expired, Why::TimeOut],
            Self::RedirectLoop => &[Why::Expired, Why::Damaged, Why::Refused],
            Self::Status(_) | Self::Redirect | Self::NoLength | Self::Chunked => &[Why::Expired],
        }
    }
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// For that many requests.
    Attempts(u32),
    /// For that many milliseconds after the segment was published.
    Millis(u32),
    /// For good.
    Ever,
}

/// A fault of some segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentTrouble {
    /// Which segments, by their index.
    pub segments: Range<i32>,
    /// What goes wrong.
    pub fault: SegmentFault,
    /// For how long.
    pub until: Until,
}

impl SegmentTrouble {
    /// Whether it still goes wrong at the request after `before` others, `age` milliseconds after the
    /// segment was published.
    pub fn is_met(&self, before: u32, age: i64) -> bool {
        match self.until {
            Until::Attempts(attempts) => before < attempts,
            Until::Millis(millis) => age < i64::from(millis),
            Until::Ever => true,
        }
    }
}

/// How an answer to a request for a media playlist goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFault {
    /// That status and nothing else.
    Status(u16),
    /// No answer at all, while the connection stays.
    Silence,
    /// A list that never ends: a line every now and then.
    Endless,
    /// 50 MB.
    Huge,
    /// A page with status 200.
    Html,
    /// Bytes that mean nothing, with status 200.
    Garbage,
    /// The list as it was when this began.
    Frozen,
    /// Every second time, the list as it was that many segments ago.
    Lagging(u32),
    /// A redirect to another address, which answers well.
    Redirect,
    /// A redirect to the same address.
    RedirectLoop,
    /// An object of JSON that nobody knows, with status 200.
    Json,
}

impl ListFault {
    /// Whether the list comes all the same.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Lagging(_) | Self::Redirect)
    }

    /// What may be the reason in the capture notes for what was listed meanwhile.
    pub const fn reasons(self) -> &'static [Why] {
        match self {
            Self::Status(401 | 403 | 451) => &[Why::Refused, Why::Expired],
            Self::Status(404 | 410) => &[Why::Offline, Why::Expired],
            Self::Silence | Self::Endless | Self::Huge => &[Why::TimeOut, Why::Expired],
            Self::Html | Self::Garbage | Self::Json => &[Why::Damaged, Why::Expired],
            _ => &[Why::Expired],
        }
    }

    /// How many milliseconds a recorder may take to see that it needs another address: three target
    /// durations for a list without news, the soft time-out of 5 s for a slow one.
    pub const fn noticed_after(self) -> i64 {
        match self {
            Self::Frozen => 4_000,
            Self::Silence | Self::Endless | Self::Huge => 6_000,
            _ => 3_000,
        }
    }
}

/// Whom a fault of the playlists meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Addresses that were handed out before it began; fresh ones are well.
    OldAddresses,
    /// The media playlist at every address.
    MediaPlaylists,
    /// The multivariant playlist, too.
    Channel,
    /// The multivariant playlist alone.
    Multivariant,
    /// What is asked for a token before it.
    Token,
}

impl Scope {
    /// Whether it keeps those who have an address from nothing.
    pub const fn is_of_looks(self) -> bool {
        matches!(self, Self::Multivariant | Self::Token)
    }
}

/// A fault of the playlists during some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTrouble {
    /// When, in milliseconds since the origin began.
    pub during: Range<i64>,
    /// What goes wrong.
    pub fault: ListFault,
    /// For whom.
    pub scope: Scope,
}
