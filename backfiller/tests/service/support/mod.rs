//! What the tests share: nodes to copy from, truthful or not, and a place to copy to.

pub(crate) mod here;
pub(crate) mod peer;

use common::base::hash::ContentHash;

/// The hour that most tests are about.
pub(crate) const HOUR: &str = "2026-11-20T10";

/// The name of a full segment of 2 s with `content`, starting at `start` (`MM:SS.ffffff`).
pub(crate) fn segment(start: &str, content: &str) -> String {
    format!("{start}-2.0-full-{}.ts", ContentHash::of(content.as_bytes()))
}

/// The name of the tombstone for `segment`.
pub(crate) fn tombstone(segment: &str) -> String {
    segment.replace(".ts", ".tombstone")
}

/// The path of a full segment with `content` in the channel `chan`.
pub(crate) fn path(hour: &str, start: &str, content: &str) -> String {
    format!("chan/source/{hour}/{}", segment(start, content))
}
