//! What the page cache holds of a file, and how to bring more into it.
//!
//! A slow disk must not keep a runtime. sendfile(2) reads what is not in the page cache from the disk and waits for it; there is no
//! asking it not to. So before a part of a file is sent, it is looked for in the cache, and
//! what is not there is read where reading may block.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::Advice;
use rustix::io::{Errno, ReadWriteFlags};
use tokio::sync::Semaphore;

/// How far apart the bytes are that are looked for: about as much as the kernel reads and drops at a
/// time.
const STRIDE_BYTES: usize = 64 * 1024;

/// How many windows are read from disks at a time, so that a slow one does not take all the threads
/// that may block.
static READING: Semaphore = Semaphore::const_new(64);

/// Whether the `length` bytes of `file` from `start` on are in the page cache, as far as samples
/// tell. Also false where the file system cannot tell, or on errors: reading will show those.
pub(crate) fn is_cached(file: &File, start: u64, length: usize) -> bool {
    let samples = (0..length).step_by(STRIDE_BYTES).chain(length.checked_sub(1));
    for sample in samples {
        let read = read_cached(file, &mut [0], start + sample as u64);
        if !read.is_ok_and(|read| read == 1) {
            return false;
        }
    }
    true
}

/// Reads at `position` what is in the page cache (`RWF_NOWAIT`).
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`] when the disk would have to be asked, or the file system cannot tell.
pub fn read_cached(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    let buffers = &mut [IoSliceMut::new(buffer)];
    let flags = ReadWriteFlags::NOWAIT;
    match rustix::io::retry_on_intr(|| rustix::io::preadv2(file, buffers, position, flags)) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        read => Ok(read?),
    }
}

/// Brings the `length` bytes of `file` from `start` on into the page cache.
///
/// Cancel safety: dropped while it waits for its turn, nothing is read; after that, at most
/// the rest of this window is.
///
/// # Errors
///
/// When they cannot be read, or are not there.
pub(crate) async fn fill(file: Arc<File>, start: u64, length: usize) -> io::Result<()> {
    let turn = READING.acquire().await.expect("the semaphore is never closed");
    let read = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        read_through(&file, start, length)
    });
    read.await.map_err(io::Error::other)?
}

fn read_through(file: &File, start: u64, length: usize) -> io::Result<()> {
    // the disk may as well fetch all of it at once; reading tells when it has
    let whole = std::num::NonZeroU64::new(length as u64);
    if let Err(error) = rustix::fs::fadvise(file, start, whole, Advice::WillNeed) {
        tracing::debug!("cannot announce what will be read: {error}");
    }
    let mut buffer = vec![0; STRIDE_BYTES];
    let mut done = 0;
    while done < length {
        let size = buffer.len().min(length - done);
        match file.read_at(&mut buffer[..size], start + done as u64) {
            Ok(0) => return Err(shrank()),
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What is wrong when a file ends before what was promised of it.
pub(crate) fn shrank() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "a file shrank while it was being sent")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const LENGTH: usize = 10 * STRIDE_BYTES + 2;

    /// A file on a disk; memory file systems have no cache to speak of.
    fn file() -> File {
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.write_all(&vec![1; LENGTH]).unwrap();
        file
    }

    #[tokio::test]
    async fn what_was_dropped_from_the_cache_is_brought_back() {
        let file = file();
        if !is_cached(&file, 0, LENGTH) {
            // this file system cannot tell, so everything is read first
            return fill(Arc::new(file), 0, LENGTH).await.unwrap();
        }
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        assert!(!is_cached(&file, 0, LENGTH));
        assert!(!is_cached(&file, LENGTH as u64 - 1, 1));
        let file = Arc::new(file);
        fill(Arc::clone(&file), 0, LENGTH).await.unwrap();
        assert!(is_cached(&file, 0, LENGTH));
    }

    #[tokio::test]
    async fn what_a_file_does_not_have_is_no_part_of_it() {
        let file = file();
        assert!(!is_cached(&file, 1, LENGTH), "its last byte is not there");
        assert!(is_cached(&file, 0, 0));
        let error = fill(Arc::new(file), 1, LENGTH).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
