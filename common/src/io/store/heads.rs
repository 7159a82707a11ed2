//! Looking at the first bytes of segments: what a playlist must say of them is in no name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use super::open::{Wait, hour_folder};
use super::{Feed, Store};
use crate::format::media::{Container, Head, HeadOutcome, head};
use crate::plan::listing::HourListing;

/// How much is read of a file at first: enough for nearly all.
const FIRST_BYTES: usize = 8 << 10;

/// What is said of a file that tells nothing.
const UNKNOWN: Head =
    Head { container: Container::Unknown, independent: false, format: None, decode_time: None };

impl Store {
    /// Looks at those of the segments `picks` of an hour that nobody looked at before, which reads each
    /// file once in the life of its listing. Nothing becomes known of a file that is gone or cannot be
    /// read: whoever asks later has it looked at again. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When this process lacks what it takes to open a file, or nobody waits for it any more.
    pub fn read_heads(&self, feed: &Feed, hour: &HourListing, picks: &[u32]) -> io::Result<()> {
        self.read_heads_by(Instant::now, feed, hour, picks)
    }

    fn read_heads_by(
        &self,
        now: impl Fn() -> Instant,
        feed: &Feed,
        hour: &HourListing,
        picks: &[u32],
    ) -> io::Result<()> {
        let heads = hour.heads();
        let unread = heads.to_read(picks, now());
        if unread.is_empty() {
            return Ok(());
        }
        let base = self.beneath(Wait::ForDisk)?;
        let mut path = hour_folder(feed, hour.hour());
        let mut buffer = vec![0; FIRST_BYTES];
        for pick in unread {
            self.check_awaited()?;
            let name = hour.segment(pick).file_name();
            path.push(&name);
            let read = base.open_file(&path).and_then(|file| Ok(read_head(&file, &mut buffer)?));
            path.pop();
            match read {
                Ok((head, size)) => heads.put(pick, &head, size),
                Err(unopened) if unopened.is_ours() => return Err(unopened.into()),
                Err(unopened) => {
                    // asked for the time anew: a disk may have taken long to fail
                    heads.put_off(pick, now());
                    let folder = self.hour_path(feed, hour.hour());
                    self.strangers.unreadable_file(&folder, &name, &unopened);
                }
            }
        }
        Ok(())
    }
}

/// What the file tells, and its size.
fn read_head(file: &File, buffer: &mut Vec<u8>) -> io::Result<(Head, u64)> {
    let size = file.metadata()?.len();
    let mut wanted = FIRST_BYTES;
    loop {
        buffer.resize(wanted.max(buffer.len()), 0);
        let read = read_up_to(file, &mut buffer[..wanted])?;
        match head(&buffer[..read], size) {
            HeadOutcome::Known(head) => return Ok((head, size)),
            // as long as it grows, it comes to an end: no more than `MOST_HEAD_BYTES` are asked for
            HeadOutcome::NeedMore { bytes } if bytes > wanted && read == wanted => {
                wanted = bytes;
            }
            HeadOutcome::NeedMore { .. } => return Ok((UNKNOWN, size)),
        }
    }
}

/// Fills `buffer` as far as the file goes.
fn read_up_to(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;
    use crate::base::hash::ContentHash;
    use crate::base::time::Hour;
    use crate::io::store::Access;
    use crate::metrics::Metrics;
    use crate::plan::listing::PAUSE;

    /// Eight packets of MPEG-TS.
    fn transport_stream() -> Vec<u8> {
        let packet = |_| std::iter::once(0x47).chain(std::iter::repeat_n(0xff, 187));
        (0..8).flat_map(packet).collect()
    }

    #[test]
    fn what_cannot_be_read_is_looked_at_again_after_a_while_and_told_of_once() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let metrics = Metrics::empty();
        store.register(&metrics);
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let folder = store.hour_path(&feed, hour);
        store.create_folder(&folder).unwrap();
        let outside = tempfile::tempdir().unwrap();
        let target = outside.path().join("target");
        std::fs::write(&target, transport_stream()).unwrap();
        // rights say nothing to a test that runs as root; these cannot be opened by anybody
        let hash = ContentHash::of(b"");
        for start in [0, 2] {
            let name = format!("00:{start:02}.000000-2.0-full-{hash}.ts");
            symlink(&target, folder.join(name)).unwrap();
        }
        std::fs::write(folder.join(format!("00:04.000000-2.0-full-{hash}.ts")), b"<html>").unwrap();
        let listing = store.hour(&feed, hour).unwrap();
        let start = Instant::now();
        let read = |after| {
            let now = || start + after;
            store.read_heads_by(now, &feed, &listing, &[0, 1, 2]).unwrap();
            let heads = listing.heads().view();
            [0, 1, 2].map(|index| heads.get(index).map(|head| head.format.container))
        };
        let unknown = Some(Container::Unknown);
        assert_eq!(read(Duration::ZERO), [None, None, unknown], "what was read tells nothing");

        // the link stays, so that the folder is the same, and leads to a file within from now on
        let inside = base.path().join("target");
        std::fs::write(&inside, transport_stream()).unwrap();
        std::fs::remove_file(&target).unwrap();
        std::fs::remove_dir(outside.path()).unwrap();
        symlink(base.path(), outside.path()).unwrap();
        assert_eq!(read(PAUSE / 2), [None, None, unknown], "not with every request");
        let [first, second, third] = read(PAUSE);
        for told in [first, second] {
            assert!(matches!(told, Some(Container::MpegTs { .. })), "{told:?}");
        }
        assert_eq!(third, unknown);
        let text = metrics.render();
        let told = text.lines().find(|line| line.contains("what=\"unreadable_file\"")).unwrap();
        assert!(told.ends_with(" 1"), "once for its folder: {told}");
    }
}
