//! Appending to files of notes so that a retry goes on with what a refusing disk began: nothing that was
//! written is taken back, since copies may have it, and nothing is written twice.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::super::Store;
use super::super::durable::flush_folder;
use super::super::faults::Step;
use super::MAX_FILE_BYTES;
use crate::base::time::Hour;

/// Of how many hours is remembered how their files stand.
const REMEMBERED: usize = 64;

/// How the files of the newest hours stand.
#[derive(Debug, Default)]
pub(super) struct Appending {
    files: BTreeMap<Hour, Standing>,
}

/// How a file stands.
#[derive(Debug, Default)]
struct Standing {
    /// Whether this process has flushed its name; that a file is there says nothing about it.
    named: bool,
    /// Where an append began that has not come to its end.
    begun: Option<u64>,
}

impl Appending {
    /// Appends `lines` to the file of `hour` at `path`, and flushes them and the file's name. Blocks.
    ///
    /// # Errors
    ///
    /// When the disk refuses, or the file is as large as it may become. Called again with the same lines,
    /// or the same and more behind them, it goes on where it was refused.
    pub(super) fn append(
        &mut self,
        store: &Store,
        hour: Hour,
        path: &Path,
        lines: &str,
    ) -> io::Result<()> {
        while self.files.len() > REMEMBERED {
            self.files.pop_first();
        }
        self.files.entry(hour).or_default().append(store, path, lines)
    }
}

impl Standing {
    fn append(&mut self, store: &Store, path: &Path, lines: &str) -> io::Result<()> {
        // somebody may have removed it
        self.named &= path.exists();
        if let Some(folder) = path.parent().filter(|_| !self.named) {
            store.create_folder(folder)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let size = file.metadata()?.len();
        let (start, rest) = self.rest(&file, size, lines)?;
        if size + rest.len() as u64 > MAX_FILE_BYTES {
            let problem = format!("{} is full, further notes are dropped", path.display());
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
        }
        self.begun = Some(start);
        write(store, &mut file, &rest)?;
        store.faults.take(Step::Flush, || file.sync_data())?;
        if !self.named {
            let folder = path.parent();
            store.faults.take(Step::FlushFolder, || folder.map_or(Ok(()), flush_folder))?;
            self.named = true;
        }
        self.begun = None;
        Ok(())
    }

    /// Where `lines` begin in a file of `size` bytes, and what of them is still to be written.
    fn rest(&self, file: &File, size: u64, lines: &str) -> io::Result<(u64, Vec<u8>)> {
        if let Some(begun) = self.begun.filter(|begun| *begun <= size) {
            let mut written = vec![0; usize::try_from(size - begun).map_err(io::Error::other)?];
            file.read_exact_at(&mut written, begun)?;
            if let Some(rest) = after(file, begun, lines)?.strip_prefix(&*written) {
                return Ok((begun, rest.to_vec()));
            }
            // other lines than were begun: they are new
        }
        Ok((size, after(file, size, lines)?))
    }
}

/// `lines` as they must stand behind the first `size` bytes: a line that a crash tore stays, since
/// copies may have it, but must not take another along.
fn after(file: &File, size: u64, lines: &str) -> io::Result<Vec<u8>> {
    let mut last = [b'\n'];
    if let Some(at) = size.checked_sub(1) {
        file.read_exact_at(&mut last, at)?;
    }
    let end: &[u8] = if last == [b'\n'] { b"" } else { b"\n" };
    Ok([end, lines.as_bytes()].concat())
}

fn write(store: &Store, file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if let Err(error) = store.faults.check(Step::Write) {
        file.write_all(&bytes[..bytes.len() / 2])?;
        return Err(error);
    }
    file.write_all(bytes)
}
