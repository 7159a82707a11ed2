//! Looking at the first bytes of segments: what a playlist must say of them is in no name.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{Mode, OFlags};

use super::{Feed, Store};
use crate::format::media::{Container, Head, HeadOutcome, head};
use crate::plan::listing::HourListing;

/// How much is read of a file at first: enough for nearly all.
const FIRST_BYTES: usize = 8 << 10;

/// What is said of a file that cannot be read, or tells nothing.
const UNKNOWN: Head =
    Head { container: Container::Unknown, independent: false, format: None, decode_time: None };

impl Store {
    /// Looks at those of the segments `picks` of an hour that nobody looked at before, which opens
    /// each file once in the life of its listing. A file that is gone or cannot be read is of an
    /// unknown container. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When this process lacks what it takes to open a file.
    pub fn read_heads(&self, feed: &Feed, hour: &HourListing, picks: &[u32]) -> io::Result<()> {
        let mut unread = picks.iter().filter(|pick| !hour.heads().is_known(**pick)).peekable();
        if unread.peek().is_none() {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let path = self.hour_path(feed, hour.hour());
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from);
        let mut buffer = vec![0; FIRST_BYTES];
        for pick in unread {
            let name = hour.segment(*pick).file_name();
            let read = match &folder {
                Ok(folder) => read_head(folder, &name, &mut buffer),
                Err(error) => Err(error.kind().into()),
            };
            let (head, size) = match read {
                Ok(read) => read,
                Err(error) if super::folder::Trouble::of(&error).is_ours() => return Err(error),
                Err(_) => (UNKNOWN, 0),
            };
            hour.heads().put(*pick, &head, size);
        }
        Ok(())
    }
}

/// What the file tells, and its size.
fn read_head(folder: &OwnedFd, name: &str, buffer: &mut Vec<u8>) -> io::Result<(Head, u64)> {
    // a pipe of that name must not be waited for
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?);
    let size = file.metadata()?.len();
    let mut wanted = FIRST_BYTES;
    loop {
        buffer.resize(wanted.max(buffer.len()), 0);
        let read = read_up_to(&file, &mut buffer[..wanted])?;
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
