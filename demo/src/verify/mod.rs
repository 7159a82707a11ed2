//! Compares two stores with each other and with what was published, name by name and byte by byte.
//! Blocks on the disk.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use common::base::hash::ContentHash;
use common::format::segment::{Completeness, SegmentName, SegmentPath, Tail};

mod inventory;

use crate::origin::Published;
use inventory::Inventory;

/// What a store must hold of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) channel: String,
    /// The paths below each quality, in order of time.
    pub(crate) qualities: BTreeMap<String, Vec<String>>,
}

/// The names that segments have in a store, `HOUR/NAME`, made from the published bytes.
pub(crate) fn names_of(published: &[Published]) -> anyhow::Result<Vec<String>> {
    let name = |segment: &Published| {
        let bytes = std::fs::read(&segment.path)
            .with_context(|| format!("read {}", segment.path.display()))?;
        let tail = Tail::Published(Completeness::Full, ContentHash::of(&bytes));
        let name = SegmentName::new(segment.start, segment.duration, tail);
        Ok(format!("{}/{name}", segment.start.hour()))
    };
    published.iter().map(name).collect()
}

/// Checks that the stores `a` and `b` hold files of the same names, and of the expected channel
/// everything from the first segment that was recorded on, and nothing else. Returns the names.
///
/// # Errors
///
/// Names the first difference.
pub(crate) fn names(a: &Path, b: &Path, expected: Option<&Expected>) -> anyhow::Result<Inventory> {
    let (in_a, in_b) = (Inventory::of(a)?, Inventory::of(b)?);
    for (has, lacks, what) in [(&in_a, &in_b, "b"), (&in_b, &in_a, "a")] {
        let missing: Vec<&str> = has.names().filter(|name| !lacks.holds(name)).collect();
        if let Some(first) = missing.first() {
            bail!("node {what} lacks {} files of the other one, such as {first}", missing.len());
        }
    }
    for name in in_a.names() {
        let (size_a, size_b) = (in_a.size(name), in_b.size(name));
        ensure!(size_a == size_b, "{name} has {size_a:?} bytes on node a and {size_b:?} on b");
    }
    if let Some(Expected { channel, qualities }) = expected {
        for (quality, published) in qualities {
            let held: Vec<&str> = in_a.below(&format!("{channel}/{quality}/")).collect();
            is_all(&held, published).with_context(|| format!("in quality {quality}"))?;
        }
    }
    Ok(in_a)
}

/// Checks that `held` is all of `published` from the first one that is held on.
fn is_all(held: &[&str], published: &[String]) -> anyhow::Result<()> {
    let first = held.first().context("nothing was recorded")?;
    let began = published.iter().position(|name| name == first);
    let began = began.with_context(|| format!("the origin never served {first}"))?;
    let expected = &published[began..];
    if let Some(missing) = expected.iter().find(|name| !held.contains(&name.as_str())) {
        bail!("the origin served {missing}, and both nodes lack it");
    }
    if let Some(extra) = held.iter().find(|name| !expected.iter().any(|known| known == *name)) {
        bail!("the nodes hold {extra}, which the origin never served");
    }
    Ok(())
}

/// Checks that the files `found` have the same bytes in the stores `a` and `b`, and every segment
/// the bytes that its name says. Returns how many bytes that is.
///
/// # Errors
///
/// Names the first file that differs.
pub(crate) fn bytes(a: &Path, b: &Path, found: &Inventory) -> anyhow::Result<u64> {
    let mut total = 0;
    for name in found.names() {
        let read = |base: &Path| {
            let path = base.join(name);
            std::fs::read(&path).with_context(|| format!("read {}", path.display()))
        };
        let (in_a, in_b) = (read(a)?, read(b)?);
        ensure!(in_a == in_b, "{name} differs between the nodes");
        let segment = name.parse::<SegmentPath>().ok();
        if let Some((_, hash)) = segment.and_then(|segment| segment.name.published()) {
            ensure!(
                ContentHash::of(&in_a) == hash,
                "the bytes of {name} are not those of its name"
            );
        }
        total += in_a.len() as u64;
    }
    Ok(total)
}

#[cfg(test)]
mod tests;
