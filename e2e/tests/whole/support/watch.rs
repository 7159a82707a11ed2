//! Looks at every file of a store as soon as it is visible, again and again: it must be whole from the
//! first moment on.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::base::hash::ContentHash;
use common::format::segment::SegmentName;

/// How long between two looks: a fraction of what it takes to write a segment where that is slow.
const PAUSE: Duration = Duration::from_millis(2);

/// A look at a store that goes on until it is finished or dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Seen>>,
    base: PathBuf,
}

#[derive(Debug, Default)]
struct Seen {
    /// What was visible.
    files: HashSet<PathBuf>,
    /// What is wrong with some of it.
    faults: Vec<String>,
}

impl Watch {
    /// Begins to look at the store at `base`.
    pub(crate) fn start(base: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, base) = (Arc::clone(&stop), base.to_owned());
        let folder = base.clone();
        let look = move || {
            let mut seen = Seen::default();
            while !flag.load(Ordering::Relaxed) {
                seen.look(&folder);
                thread::sleep(PAUSE);
            }
            seen
        };
        Self { stop, thread: Some(thread::spawn(look)), base }
    }

    /// Looks at everything once more and returns how many files there are, all of which are and were whole.
    pub(crate) fn finish(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it is finished once");
        let seen = thread.join().expect("it does not panic");
        let mut last = Seen { faults: seen.faults, ..Seen::default() };
        last.look(&self.base);
        assert!(last.faults.is_empty(), "{:#?}", last.faults);
        let gone: Vec<_> = seen.files.difference(&last.files).collect();
        assert!(gone.is_empty(), "what was published is gone: {gone:#?}");
        last.files.len()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    /// Reads what is new below `folder`, all but capture notes and what is being written.
    fn look(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !path.ends_with("notes") {
                    self.look(&path);
                }
            } else if !self.files.contains(&path)
                && let Some(looked) = look_at(&path)
            {
                self.faults
                    .extend(looked.err().map(|fault| format!("{}: {fault}", path.display())));
                self.files.insert(path);
            }
        }
    }
}

/// Whether a file is what its name says; `None` of one that is still being written.
fn look_at(path: &Path) -> Option<Result<(), String>> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name: SegmentName = match name.parse() {
        Ok(name) => name,
        Err(error) => return Some(Err(error.to_string())),
    };
    let (_, hash) = name.published()?;
    Some(match fs::read(path) {
        Ok(bytes) if ContentHash::of(&bytes) == hash => Ok(()),
        Ok(bytes) => Err(format!("its {} bytes are others", bytes.len())),
        Err(error) => Err(error.to_string()),
    })
}
