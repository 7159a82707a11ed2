//! What of a channel is in a store: whether it is whole, and since when.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use common::base::hash::ContentHash;
use common::base::time::Timestamp;
use common::format::segment::{Completeness, SegmentPath};

use super::origin::Origin;
use super::recorders::channel_name;

/// A segment that is stored full.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its file.
    pub path: PathBuf,
    /// When it got its name: the time of its inode's last change.
    pub visible: Timestamp,
    /// The hash in its name.
    pub hash: ContentHash,
}

/// The full segments of `channel` in the store below `base`, by their start.
///
/// # Errors
///
/// When they cannot be listed.
pub fn stored(base: &Path, channel: usize) -> Result<HashMap<Timestamp, Stored>> {
    let mut found = HashMap::new();
    let quality = base.join(channel_name(channel)).join("source");
    for hour in fs::read_dir(&quality).with_context(|| format!("list {}", quality.display()))? {
        for file in fs::read_dir(hour?.path())? {
            let path = file?.path();
            let Ok(name) = path.to_string_lossy().parse::<SegmentPath>() else { continue };
            let Some((Completeness::Full, hash)) = name.name.published() else { continue };
            let start = name.start().context("a segment lies in an hour's folder")?;
            let metadata = fs::metadata(&path)?;
            let visible = metadata.ctime() * 1_000_000 + metadata.ctime_nsec() / 1000;
            let visible = Timestamp::from_micros(visible);
            found.insert(start, Stored { path, visible, hash });
        }
    }
    Ok(found)
}

/// How many of the segments `numbers` of `channel` are not stored full, with their bytes and under their
/// hash.
///
/// # Errors
///
/// When the store cannot be read.
pub fn lost(
    base: &Path,
    origin: &Origin,
    channel: usize,
    numbers: impl IntoIterator<Item = u64>,
) -> Result<usize> {
    let stored = stored(base, channel)?;
    let mut sent = Vec::new();
    let mut lost = 0;
    for number in numbers {
        origin.material().write(channel, number, &mut sent);
        let is_whole = match stored.get(&origin.schedule().start(channel, number)) {
            Some(stored) => {
                fs::read(&stored.path)? == sent && ContentHash::of(&sent) == stored.hash
            }
            None => false,
        };
        lost += usize::from(!is_whole);
    }
    Ok(lost)
}

/// The segments of `channel` that were listed between `from` and `until`.
///
/// # Errors
///
/// When there are none.
pub fn listed(
    origin: &Origin,
    channel: usize,
    from: Timestamp,
    until: Timestamp,
) -> Result<std::ops::RangeInclusive<u64>> {
    let newest = |at| origin.schedule().newest(channel, at);
    let first = newest(from).map_or(0, |newest| newest + 1);
    let last = newest(until).context("nothing is listed yet")?;
    ensure!(first <= last, "nothing was listed");
    Ok(first..=last)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;
    use common::format::segment::{MediaDuration, SegmentName, Tail};

    use super::*;
    use crate::live::material::Material;

    const MEDIA: &[u8] = include_bytes!("../../../common/testdata/media/h264-aac.ts");

    /// Stores `bytes` as the segment `number` of the only channel, under the hash of `hashed`.
    fn store(base: &Path, origin: &Origin, number: u64, bytes: &[u8], hashed: &[u8]) {
        let start = origin.schedule().start(0, number);
        let tail = Tail::Published(Completeness::Full, ContentHash::of(hashed));
        let name = SegmentName::new(start, MediaDuration::from_seconds(2.0).unwrap(), tail);
        let folder = base.join("c0/source").join(start.hour().to_string());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name.to_string()), bytes).unwrap();
    }

    #[test]
    fn whatever_is_not_stored_byte_for_byte_is_lost() {
        let base = crate::scratch("test-of-recorded").unwrap();
        let material = Arc::new(Material::of(vec![MEDIA.to_vec()]));
        let origin = Origin::start(material, 1, TimeDelta::zero(), false).unwrap();
        let mut sent = Vec::new();
        origin.material().write(0, 0, &mut sent);
        store(base.path(), &origin, 0, &sent, &sent);
        origin.material().write(0, 1, &mut sent);
        store(base.path(), &origin, 1, &sent, b"other");
        origin.material().write(0, 2, &mut sent);
        let mut damaged = sent.clone();
        damaged[1000] ^= 1;
        store(base.path(), &origin, 2, &damaged, &sent);
        let lost = |numbers| lost(base.path(), &origin, 0, numbers).unwrap();
        let each: Vec<usize> = (0..4).map(|number| lost(number..number + 1)).collect();
        assert_eq!(each, [0, 1, 1, 1], "whole, another hash, damaged, not there");
        assert_eq!(lost(0..4), 3);
    }
}
