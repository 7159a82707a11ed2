//! Files that were begun and are not wanted any more.
//!
//! To remove one, or only to close it, may take as long as the disk likes. Whoever drops one may not wait
//! for that, and must not keep a thread each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::io::store::SegmentDraft;
use tokio::runtime::Handle;

/// Where they are removed, one after the other; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Bin(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    drafts: Vec<SegmentDraft>,
    /// Whether a thread removes them.
    is_emptied: bool,
}

impl Bin {
    fn put(&self, draft: SegmentDraft) {
        let mut content = self.content();
        content.drafts.push(draft);
        if content.is_emptied {
            return;
        }
        // without a runtime nobody waits here but who wants to
        let Ok(runtime) = Handle::try_current() else {
            drop(content);
            return self.empty();
        };
        content.is_emptied = true;
        drop(content);
        let bin = self.clone();
        runtime.spawn_blocking(move || bin.empty());
    }

    /// Removes all that there is. Blocks.
    fn empty(&self) {
        loop {
            let mut content = self.content();
            let Some(draft) = content.drafts.pop() else {
                content.is_emptied = false;
                return;
            };
            drop(content);
            drop(draft);
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that is written to now and then, and may be dropped where nothing may block.
#[derive(Debug)]
pub(crate) struct Binned {
    draft: Option<SegmentDraft>,
    bin: Bin,
}

impl Binned {
    pub(super) fn new(draft: SegmentDraft, bin: Bin) -> Self {
        Self { draft: Some(draft), bin }
    }

    /// The file, to write to it. Only [`Binned::take`] takes it away, and that takes this, too.
    pub(crate) fn get(&mut self) -> &mut SegmentDraft {
        self.draft.as_mut().expect("it is there until this is dropped")
    }

    /// How many bytes were written.
    pub(crate) fn size(&self) -> u64 {
        self.draft.as_ref().map_or(0, SegmentDraft::size)
    }

    /// The file itself, to be dropped only where that may block.
    pub(crate) fn take(mut self) -> SegmentDraft {
        self.draft.take().expect("it is there until this is dropped")
    }
}

impl Drop for Binned {
    fn drop(&mut self) {
        if let Some(draft) = self.draft.take() {
            self.bin.put(draft);
        }
    }
}
