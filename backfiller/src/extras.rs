//! Copying plain trees: the capture notes, which grow, and others, whose files never change.

use std::collections::HashMap;

use common::format::folder::FolderName;
use common::io::store::notes as note_files;
use tokio::time::Instant;

use crate::fetch::{self, FetchError};
use crate::notes::{self, NoteFile};
use crate::peer::{Peer, Tree, TreePath};
use crate::shared::Shared;
use crate::skips::Skips;

/// What a worker remembers of one node's trees.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    skips: Skips,
    /// When files of notes were last asked for.
    asked: HashMap<TreePath, Instant>,
}

/// What came of one or more trees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TreesReport {
    pub(crate) copied: usize,
    pub(crate) failed: usize,
}

/// The tree that is being copied.
#[derive(Clone, Copy)]
struct Visit<'a> {
    shared: &'a Shared,
    peer: &'a Peer,
    extra: &'a FolderName,
}

/// Copies what the node has below each extra folder and we lack.
///
/// Cancel safety: dropped in between, what was copied stays, and a file of notes is a prefix of what
/// it will be.
pub(crate) async fn copy(shared: &Shared, peer: &Peer, memory: &mut Memory) -> TreesReport {
    let mut all = TreesReport::default();
    for extra in &shared.config.extras {
        let report = Visit { shared, peer, extra }.copy(memory).await;
        if report.copied > 0 {
            tracing::info!(node = %peer.node(), %extra, files = report.copied, "copied");
        }
        all.copied += report.copied;
        all.failed += report.failed;
    }
    all
}

impl Visit<'_> {
    async fn copy(&self, memory: &mut Memory) -> TreesReport {
        let mut report = TreesReport::default();
        let mut tree = match self.peer.tree(self.extra).await {
            Ok(tree) => tree,
            Err(error) => {
                self.failed(&mut report, None, &error.into());
                return report;
            }
        };
        let is_notes = self.extra.as_str() == note_files::FOLDER;
        if is_notes {
            tree = only_notes(tree);
        }
        let place = || self.extra.to_string();
        memory.skips.tell(self.shared, self.peer.node(), place, &tree.skipped);
        for path in &tree.files {
            let copied =
                if is_notes { self.grow(memory, path).await } else { self.add(path).await };
            match copied {
                Ok(changed) => report.copied += usize::from(changed),
                Err(error) => {
                    self.failed(&mut report, Some(path), &error);
                    if error.is_general() {
                        // the others will fail too; all of them have another chance next time
                        break;
                    }
                }
            }
        }
        report
    }

    /// Fetches a file that is not here, whatever its bytes: its name says nothing about them.
    async fn add(&self, path: &TreePath) -> Result<bool, FetchError> {
        let to = path.below(&self.shared.store.base().join(self.extra.as_str()));
        if tokio::fs::try_exists(&to).await? {
            return Ok(false);
        }
        let published = self.peer.in_time(async {
            let mut answer = self.peer.extra(self.extra, path, 0).await?;
            let mut file = self.shared.store.temp_file(fetch::hidden_beside(&to)).await?;
            fetch::receive(&mut answer, &mut file, self.peer.file_bytes()).await?;
            Ok::<_, FetchError>(file.publish(to.clone()).await?)
        });
        Ok(!published.await?.already_there)
    }

    /// Brings a file of notes up to date, unless it is our own or was asked for a moment ago.
    async fn grow(&self, memory: &mut Memory, path: &TreePath) -> Result<bool, FetchError> {
        let Some(file) = NoteFile::new(path) else { return Ok(false) };
        let asked = memory.asked.get(path).map(Instant::elapsed);
        // to ours, the downloader here appends, and nobody else
        if self.shared.config.own_name.is(file.node) || !file.is_due(self.shared.clock.now(), asked)
        {
            return Ok(false);
        }
        let grown = notes::grow(self.shared, self.peer, path).await?;
        if memory.asked.len() >= notes::REMEMBERED {
            memory.asked.clear();
        }
        memory.asked.insert(path.clone(), Instant::now());
        Ok(grown)
    }

    /// Counts a failure, and speaks of the first one of a tree.
    fn failed(&self, report: &mut TreesReport, path: Option<&TreePath>, error: &FetchError) {
        report.failed += 1;
        self.shared.metrics.failed(self.peer.node());
        let (node, extra) = (self.peer.node(), self.extra);
        let file = path.map(TreePath::to_string).unwrap_or_default();
        if report.failed == 1 {
            tracing::warn!(%node, %extra, file, "cannot copy: {error}");
        } else {
            tracing::debug!(%node, %extra, file, "cannot copy: {error}");
        }
    }
}

/// `tree` without what is no file of notes.
fn only_notes(tree: Tree) -> Tree {
    let Tree { files, mut skipped } = tree;
    let (files, others): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|path| NoteFile::new(path).is_some());
    for path in others {
        skipped.add(&path.to_string());
    }
    Tree { files, skipped }
}
