//! The segment store.
