//! How a part of a file gets from an answer's body to the connection without passing through memory.
//!
//! hyper hands a connection nothing but slices of bytes. So a body that stands for a part of a file
//! yields, in their place, slices of one block of zeros that is never written to a socket: where the
//! connection is asked to write some of that, it sends as many bytes of the file instead.
//!
//! This relies on hyper to pass on the slices that it is given, without copying. Should it ever copy
//! one, the bytes would count as taken before they were sent; that is noticed before anything else is
//! written, and the connection broken off: no client ever gets zeros.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use axum::body::{Body, Bytes};
use bytes::Buf;

/// How much of a file is handed over at a time.
pub(super) const WINDOW_BYTES: usize = 1024 * 1024;

/// What stands for bytes of a file. Never written to, so it takes up no memory.
static STAND_IN: LazyLock<Box<[u8]>> = LazyLock::new(|| vec![0; WINDOW_BYTES].into());

/// Whether `slice` stands for bytes of a file.
pub(super) fn is_stand_in(slice: &[u8]) -> bool {
    STAND_IN.as_ptr_range().contains(&slice.as_ptr())
}

/// What the bodies and the socket of one connection share.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// The one file that is being sent; answers are sent one after the other.
    current: Mutex<Weak<Transfer>>,
    was_copied: AtomicBool,
    /// Whether anything was read since anything was written.
    has_begun_a_request: AtomicBool,
    /// Whether a request was answered without reading all of its body.
    has_left_a_body: AtomicBool,
}

impl Link {
    /// The file that is being sent.
    pub(super) fn current(&self) -> Option<Arc<Transfer>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// To be called when no slice of another file is left to be sent.
    pub(super) fn begin(&self, transfer: &Arc<Transfer>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::downgrade(transfer);
    }

    pub(super) fn note_read(&self) {
        self.has_begun_a_request.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_written(&self) {
        self.has_begun_a_request.store(false, Ordering::Relaxed);
    }

    /// Whether the client has sent something since its last answer.
    pub(super) fn has_begun_a_request(&self) -> bool {
        self.has_begun_a_request.load(Ordering::Relaxed)
    }

    pub(super) fn note_left_body(&self) {
        self.has_left_a_body.store(true, Ordering::Relaxed);
    }

    /// Whether the client may still be sending what nobody reads.
    pub(super) fn has_left_a_body(&self) -> bool {
        self.has_left_a_body.load(Ordering::Relaxed)
    }

    /// Whether a stand-in went elsewhere than to the socket.
    pub(super) fn was_copied(&self) -> bool {
        self.was_copied.load(Ordering::Relaxed)
    }
}

/// A part of a file on its way. The file is open until its last byte was sent, or nobody wants it.
#[derive(Debug)]
pub(super) struct Transfer {
    link: Arc<Link>,
    pub(super) file: Arc<File>,
    /// Where the next byte to be sent lies.
    position: AtomicU64,
    /// How many bytes were sent whose slices were not given back yet.
    sent: AtomicU64,
    /// The body that this one takes the place of: what hangs on it ends with the last byte.
    _instead_of: Mutex<Body>,
}

impl Transfer {
    pub(super) fn new(link: Arc<Link>, file: Arc<File>, start: u64, instead_of: Body) -> Self {
        Self {
            link,
            file,
            position: AtomicU64::new(start),
            sent: AtomicU64::new(0),
            _instead_of: Mutex::new(instead_of),
        }
    }

    pub(super) fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Notes that the next `count` bytes were sent.
    pub(super) fn advance(&self, count: usize) {
        self.position.fetch_add(count as u64, Ordering::Relaxed);
        self.sent.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Notes that slices of `count` bytes are done with.
    fn give_back(&self, count: usize) {
        let less = |sent: u64| sent.checked_sub(count as u64);
        if self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err() {
            self.link.was_copied.store(true, Ordering::Relaxed);
        }
    }
}

/// Some bytes of an answer.
#[derive(Debug)]
pub(super) enum Chunk {
    Bytes(Bytes),
    /// The next `left` bytes of a file.
    OfFile {
        transfer: Arc<Transfer>,
        left: usize,
    },
}

impl Buf for Chunk {
    fn remaining(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.remaining(),
            Self::OfFile { left, .. } => *left,
        }
    }

    fn chunk(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.chunk(),
            Self::OfFile { left, .. } => &STAND_IN[..(*left).min(WINDOW_BYTES)],
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Bytes(bytes) => bytes.advance(count),
            Self::OfFile { transfer, left } => {
                transfer.give_back(count);
                *left -= count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(link: &Arc<Link>) -> (Arc<Transfer>, Chunk) {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let transfer = Arc::new(Transfer::new(Arc::clone(link), file, 7, Body::empty()));
        link.begin(&transfer);
        (Arc::clone(&transfer), Chunk::OfFile { transfer, left: 2 * WINDOW_BYTES })
    }

    #[test]
    fn what_is_sent_is_given_back() {
        let link = Arc::new(Link::default());
        let (transfer, mut chunk) = chunk(&link);
        assert!(is_stand_in(chunk.chunk()) && !is_stand_in(b"text"));
        transfer.advance(100);
        chunk.advance(60);
        chunk.advance(40);
        assert_eq!((chunk.remaining(), transfer.position()), (2 * WINDOW_BYTES - 100, 107));
        assert!(!link.was_copied());
    }

    #[test]
    fn a_copy_is_noticed() {
        let link = Arc::new(Link::default());
        let (transfer, mut chunk) = chunk(&link);
        transfer.advance(5);
        chunk.copy_to_bytes(6);
        assert!(link.was_copied());
    }
}
