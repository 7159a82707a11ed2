//! What the first bytes of a segment tell.

/// Which container a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// An MPEG transport stream.
    MpegTs,
    /// Fragmented MP4, with this many bytes of initialization section in front.
    Fmp4 {
        /// How many.
        init_bytes: u32,
    },
    /// Neither, or too short to tell.
    Unknown,
}

/// What the first bytes of a segment tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The container.
    pub container: Container,
    /// Whether it is certain that it begins with a picture that needs no other.
    pub independent: bool,
    /// A fingerprint of everything whose change demands a discontinuity.
    pub format: Option<u64>,
}

/// What came of looking at some first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadOutcome {
    /// It is told.
    Known(Head),
    /// This many first bytes are needed.
    NeedMore {
        /// More than there were.
        bytes: usize,
    },
}

/// Looks at the first bytes of a file.
pub fn head(first_bytes: &[u8], _file_size: u64) -> HeadOutcome {
    let container =
        if first_bytes.first() == Some(&0x47) { Container::MpegTs } else { Container::Unknown };
    HeadOutcome::Known(Head { container, independent: false, format: None })
}
