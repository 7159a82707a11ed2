//! Files as streams of large blocks, read where reading may block.

use std::fs::File;
use std::io;

use bytes::Bytes;
use futures_util::{Stream, stream};
use rustix::buffer::spare_capacity;

/// How much is read at a time: large enough that handing it between threads costs little.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// The next bytes of an open file.
#[derive(Debug)]
pub struct FilePart {
    /// Read from where it stands.
    pub file: File,
    /// How many bytes at most.
    pub length: u64,
}

impl FilePart {
    /// All of `file` from where it stands.
    pub const fn rest_of(file: File) -> Self {
        Self { file, length: u64::MAX }
    }

    /// The next block, shorter than [`BLOCK_BYTES`] only at the end.
    fn next_block(&mut self) -> io::Result<Vec<u8>> {
        let size = usize::try_from(self.length).unwrap_or(usize::MAX).min(BLOCK_BYTES);
        let mut block = Vec::with_capacity(size);
        while block.len() < size {
            let read = rustix::io::retry_on_intr(|| {
                rustix::io::read(&self.file, spare_capacity(&mut block))
            });
            if read? == 0 {
                break;
            }
        }
        // an allocation may be larger than what was asked for
        block.truncate(size);
        self.length -= block.len() as u64;
        Ok(block)
    }
}

/// What `files` hold, one after the other. A file is opened, by advancing `files`, only when the one
/// before was read to its end, and one block is read only when the last one was taken; so at most one
/// block and one open file are held here. The first error ends the stream.
///
/// Cancel safety: dropped at any time, it reads no further than the block that is being read.
pub fn blocks<I>(files: I) -> impl Stream<Item = io::Result<Bytes>> + Send + use<I>
where
    I: Iterator<Item = io::Result<FilePart>> + Send + 'static,
{
    stream::try_unfold(Reader { files, current: None }, |reader| async move {
        tokio::task::spawn_blocking(|| reader.next_block()).await.map_err(io::Error::other)?
    })
}

/// Reads files one after the other.
struct Reader<I> {
    files: I,
    /// The file that is not yet known to be at its end.
    current: Option<FilePart>,
}

impl<I: Iterator<Item = io::Result<FilePart>>> Reader<I> {
    fn next_block(mut self) -> io::Result<Option<(Bytes, Self)>> {
        loop {
            let mut part = match self.current.take() {
                Some(part) => part,
                None => match self.files.next() {
                    Some(part) => part?,
                    None => return Ok(None),
                },
            };
            let block = part.next_block()?;
            if block.len() == BLOCK_BYTES {
                self.current = Some(part);
            }
            if !block.is_empty() {
                return Ok(Some((block.into(), self)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{StreamExt, TryStreamExt};

    use super::*;

    /// Files with these contents, and how many were opened so far.
    fn files(
        folder: &Path,
        contents: &[Vec<u8>],
    ) -> (impl Iterator<Item = io::Result<FilePart>> + Send + 'static, Arc<AtomicUsize>) {
        let paths: Vec<_> =
            (0..contents.len()).map(|index| folder.join(index.to_string())).collect();
        for (path, content) in paths.iter().zip(contents) {
            std::fs::write(path, content).unwrap();
        }
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let files = paths.into_iter().map(move |path| {
            count.fetch_add(1, Ordering::Relaxed);
            File::open(path).map(FilePart::rest_of)
        });
        (files, opened)
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    #[tokio::test]
    async fn files_of_any_length_come_out_whole_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let lengths = [0, 1, BLOCK_BYTES, 0, 2 * BLOCK_BYTES + 1, BLOCK_BYTES - 1, 0];
        let contents = lengths.map(pattern);
        let (files, _) = files(folder.path(), &contents);
        let read: Vec<Bytes> = blocks(files).try_collect().await.unwrap();
        assert!(read.iter().all(|block| !block.is_empty() && block.len() <= BLOCK_BYTES));
        assert!(read.concat() == contents.concat(), "the bytes are those of the files");
    }

    #[tokio::test]
    async fn a_part_ends_at_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let content = pattern(3 * BLOCK_BYTES);
        for length in [0, 1, BLOCK_BYTES, BLOCK_BYTES + 1] {
            let path = folder.path().join("file");
            std::fs::write(&path, &content).unwrap();
            let part = FilePart { file: File::open(path).unwrap(), length: length as u64 };
            let read: Vec<Bytes> = blocks(std::iter::once(Ok(part))).try_collect().await.unwrap();
            assert!(read.concat() == content[..length], "{length} bytes");
        }
    }

    #[tokio::test]
    async fn nothing_is_opened_before_it_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let contents = [pattern(10), pattern(10), pattern(10)];
        let (files, opened) = files(folder.path(), &contents);
        let mut stream = pin!(blocks(files));
        assert_eq!(opened.load(Ordering::Relaxed), 0);
        for expected in 1..=3 {
            stream.next().await.unwrap().unwrap();
            assert_eq!(opened.load(Ordering::Relaxed), expected);
        }
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn an_error_ends_the_stream() {
        let folder = tempfile::tempdir().unwrap();
        let (files, opened) = files(folder.path(), &[pattern(10), pattern(10), pattern(10)]);
        std::fs::remove_file(folder.path().join("1")).unwrap();
        let mut stream = pin!(blocks(files));
        assert!(stream.next().await.unwrap().is_ok());
        assert!(stream.next().await.unwrap().is_err());
        assert!(stream.next().await.is_none());
        assert_eq!(opened.load(Ordering::Relaxed), 2, "the third file is not tried");
    }
}
