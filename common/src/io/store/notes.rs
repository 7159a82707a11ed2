//! Capture notes.
