//! Bytes that came and are to go to the disk together, since each way there costs a change of threads:
//! whole segments while few are fetched at a time, pieces of them while many are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// What one fetch gathers at most, in bytes: a whole segment of 8 Mbit/s and 2 s.
const MOST: usize = 2 << 20;
/// What all fetches have in memory before each is content with [`LEAST`], in bytes: what they gather, and what
/// the disk was given and has not confirmed.
const MOST_OF_ALL: usize = 4 << 20;
/// What one fetch gathers however much the others do, in bytes: small enough for a hundred at a time.
const LEAST: usize = 64 << 10;
/// How many pieces are gathered at most, since each of them costs memory of its own.
const MOST_PIECES: usize = 512;

/// How much is gathered by all fetches of the process; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathering {
    bytes: Arc<AtomicUsize>,
    /// Overrides [`LEAST`] and [`MOST`].
    #[cfg(test)]
    pub(super) most: Option<usize>,
}

/// What came for one fetch and was not taken in yet, as it came.
#[derive(Debug)]
pub(super) struct Gathered {
    pieces: Vec<Bytes>,
    bytes: usize,
    all: Gathering,
}

impl Gathered {
    pub(super) fn new(all: &Gathering) -> Self {
        Self { pieces: Vec::new(), bytes: 0, all: all.clone() }
    }

    pub(super) fn add(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        self.bytes += piece.len();
        self.all.bytes.fetch_add(piece.len(), Ordering::Relaxed);
        self.pieces.push(piece);
    }

    /// Whether it is time to take it in, where so many bytes are `unconfirmed`.
    pub(super) fn is_much(&self, unconfirmed: usize) -> bool {
        let is_crowded = self.all.bytes.load(Ordering::Relaxed) + unconfirmed > MOST_OF_ALL;
        let limit = if is_crowded { LEAST } else { MOST };
        #[cfg(test)]
        let limit = self.all.most.unwrap_or(limit);
        self.bytes >= limit || self.pieces.len() >= MOST_PIECES
    }

    pub(super) fn take(&mut self) -> Vec<Bytes> {
        self.all.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = 0;
        std::mem::take(&mut self.pieces)
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gathers_less_while_all_gather_much() {
        let all = Gathering::default();
        let some = || Bytes::from(vec![0; LEAST]);
        let mut alone = Gathered::new(&all);
        alone.add(some());
        assert!(!alone.is_much(0));
        assert!(alone.is_much(MOST_OF_ALL), "what the disk has not confirmed is in memory as well");
        let mut others = Vec::new();
        while !alone.is_much(0) {
            let mut other = Gathered::new(&all);
            other.add(some());
            others.push(other);
        }
        assert_eq!(others.len(), MOST_OF_ALL / LEAST);
        drop(others.pop());
        assert!(!alone.is_much(0), "one that is over leaves room");
        for _ in 1..MOST / LEAST {
            alone.add(some());
        }
        assert!(alone.is_much(0));
        assert_eq!(alone.take().len(), MOST / LEAST);
        drop(others);
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
    }
}
