//! What the first bytes of an hour's segments told, as far as they were read.
//!
//! Names do not say what a file is, and a playlist must. A file never changes, so each is looked at
//! once; here is room for the answers, two bytes a segment and four more where fragmented MP4 is met.
//! What cannot be read has told nothing: that is no answer, and it is tried again, though not at once.

use std::mem::discriminant;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::format::media::{Container, Head};

/// How many different formats of one hour are told apart; those beyond count as unknown.
const MAX_FORMATS: usize = 1 << 10;

/// For how long what cannot be read is left alone: a disk that is about to die must not be asked again
/// by each reader.
pub const PAUSE: Duration = Duration::from_secs(5);

/// What stands for a segment that nobody tried to read.
const UNTRIED: u16 = 0;
/// What stands for a segment that could not be read.
const PUT_OFF: u16 = 1;

/// The answers for the segments of one listing, by their numbers.
#[derive(Debug, Default)]
pub struct Heads {
    /// [`UNTRIED`] or [`PUT_OFF`] where nothing was read; otherwise one more than the number of the
    /// format, and the lowest bit set where the segment is independent.
    tags: Box<[AtomicU16]>,
    /// The sizes of the files, where a segment is fragmented MP4.
    sizes: OnceLock<Box<[AtomicU32]>>,
    formats: Mutex<Vec<Format>>,
    /// When a segment that could not be read was last tried.
    put_off: Mutex<Option<Instant>>,
}

/// What segments have in common that can be played on from one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The container.
    pub container: Container,
    /// Another number means another format; see [`Head::format`].
    pub fingerprint: Option<u64>,
}

impl Format {
    /// What is known of a segment that cannot be read.
    const UNKNOWN: Self = Self { container: Container::Unknown, fingerprint: None };

    /// Whether a player must be told that segments of this format follow those of `before`
    /// (RFC 8216 §4.3.2.3).
    pub fn breaks_with(self, before: Self) -> bool {
        let changed = self.fingerprint.zip(before.fingerprint).is_some_and(|(a, b)| a != b);
        changed || discriminant(&self.container) != discriminant(&before.container)
    }
}

/// What is known of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownHead {
    /// What it is.
    pub format: Format,
    /// Whether it can be played without those before it.
    pub independent: bool,
    /// The size of its file in bytes, known for fragmented MP4 only.
    pub size: u32,
}

impl KnownHead {
    /// What is known of a segment that cannot be read.
    pub const UNKNOWN: Self = Self { format: Format::UNKNOWN, independent: false, size: 0 };
}

impl Heads {
    pub(super) fn of(segments: usize) -> Self {
        let tags = std::iter::repeat_with(AtomicU16::default).take(segments).collect();
        Self { tags, ..Self::default() }
    }

    /// Notes what the first bytes of segment `index` told, whose file has `size` bytes.
    pub fn put(&self, index: u32, head: &Head, size: u64) {
        let size = u32::try_from(size).ok();
        let format = match head.container {
            // what does not fit cannot be addressed, and is nothing that anybody publishes
            Container::Fmp4 { .. } if size.is_none() => Format::UNKNOWN,
            container => Format { container, fingerprint: head.format },
        };
        if let Container::Fmp4 { .. } = format.container {
            let sizes = self.sizes.get_or_init(|| {
                std::iter::repeat_with(AtomicU32::default).take(self.tags.len()).collect()
            });
            sizes[index as usize].store(size.unwrap_or(0), Ordering::Relaxed);
        }
        let tag = (self.number_of(format) + 1) << 1 | u16::from(head.independent);
        // after the size and the format that it leads to
        self.tags[index as usize].store(tag, Ordering::Release);
    }

    fn number_of(&self, format: Format) -> u16 {
        let mut formats = self.lock();
        let position = |formats: &[Format], format| formats.iter().rposition(|f| *f == format);
        let mut number = position(&formats, format);
        if number.is_none() {
            let format = if formats.len() < MAX_FORMATS { format } else { Format::UNKNOWN };
            number = position(&formats, format);
            if number.is_none() {
                formats.push(format);
            }
        }
        u16::try_from(number.unwrap_or(formats.len() - 1)).expect("the bound fits")
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Format>> {
        self.formats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that segment `index` could not be read at `now`.
    pub fn put_off(&self, index: u32, now: Instant) {
        *self.last_put_off() = Some(now);
        let tag = &self.tags[index as usize];
        // unless another reader could meanwhile
        let _ = tag.compare_exchange(UNTRIED, PUT_OFF, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Which of the segments `picks` are to be read: those that nobody tried, and if the [`PAUSE`] is
    /// over at `now`, which then begins anew, also those that could not be.
    pub fn to_read(&self, picks: &[u32], now: Instant) -> Vec<u32> {
        let tag = |pick: u32| self.tags[pick as usize].load(Ordering::Relaxed);
        let is_unread = |pick: &u32| matches!(tag(*pick), UNTRIED | PUT_OFF);
        let mut unread: Vec<u32> = picks.iter().copied().filter(is_unread).collect();
        if unread.iter().any(|pick| tag(*pick) == PUT_OFF) && !self.is_pause_over(now) {
            unread.retain(|pick| tag(*pick) == UNTRIED);
        }
        unread
    }

    fn is_pause_over(&self, now: Instant) -> bool {
        let mut last = self.last_put_off();
        let is_over = last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE);
        if is_over {
            *last = Some(now);
        }
        is_over
    }

    fn last_put_off(&self) -> MutexGuard<'_, Option<Instant>> {
        self.put_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is known now, quickly for many segments.
    pub fn view(&self) -> HeadsView<'_> {
        HeadsView { heads: self, formats: self.lock().clone() }
    }

    /// Takes over what `before` knows of its segment `from` for segment `to`.
    pub(super) fn inherit(&self, to: u32, before: &HeadsView<'_>, from: u32) {
        if let Some(KnownHead { format, independent, size }) = before.get(from) {
            let Format { container, fingerprint } = format;
            let head = Head { container, independent, format: fingerprint, decode_time: None };
            self.put(to, &head, u64::from(size));
        }
    }

    /// About how many bytes of memory they will take: it is asked before anything was read. There are few
    /// formats.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.tags) + self.tags.len() * size_of::<AtomicU32>()
    }
}

/// What was known of an hour's segments at some moment, and what was learned since of formats known
/// then.
#[derive(Debug)]
pub struct HeadsView<'a> {
    heads: &'a Heads,
    formats: Vec<Format>,
}

impl HeadsView<'_> {
    /// The different formats of the segments that were read.
    pub fn formats(&self) -> &[Format] {
        &self.formats
    }

    /// What is known of segment `index`, `None` when it was not read.
    pub fn get(&self, index: u32) -> Option<KnownHead> {
        let index = index as usize;
        let tag = self.heads.tags[index].load(Ordering::Acquire);
        let number = usize::from(tag >> 1).checked_sub(1)?;
        let format = *self.formats.get(number)?;
        let size = self.heads.sizes.get().map_or(0, |sizes| sizes[index].load(Ordering::Relaxed));
        Some(KnownHead { format, independent: tag & 1 == 1, size })
    }
}
