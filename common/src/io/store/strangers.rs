//! Telling of files that look like segments and are none, of folders that cannot be read, and of folders
//! with files that cannot be: each once, however often it is met.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use prometheus::{IntCounterVec, Opts};

use super::Unopened;
use super::index::Told;
use crate::metrics::Metrics;

/// How many are remembered; those beyond are told of at debug level only.
const REMEMBERED: usize = 10_000;

/// What was told of.
#[derive(Debug)]
pub(super) struct Strangers {
    told: Mutex<HashSet<(What, PathBuf)>>,
    /// How many were met, by what they are.
    skipped: IntCounterVec,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    /// A file that is no segment.
    Stranger,
    /// A folder that cannot be read.
    Unreadable,
    /// A folder with segments that cannot be read.
    UnreadableFile,
}

impl What {
    const ALL: [Self; 3] = [Self::Stranger, Self::Unreadable, Self::UnreadableFile];

    /// The word in the metric.
    const fn word(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Unreadable => "unreadable",
            Self::UnreadableFile => "unreadable_file",
        }
    }
}

impl Default for Strangers {
    fn default() -> Self {
        let help = "Names in the store that were skipped, each counted once, by what is wrong";
        let skipped = IntCounterVec::new(Opts::new("store_skipped_total", help), &["what"]);
        let skipped = skipped.expect("the name and label are valid");
        for what in What::ALL {
            skipped.with_label_values(&[what.word()]);
        }
        Self { told: Mutex::default(), skipped }
    }
}

impl Strangers {
    /// Shows what is counted as a metric.
    pub(super) fn register(&self, metrics: &Metrics) {
        metrics.adopt(self.skipped.clone());
    }

    /// Tells that a segment in `folder` cannot be read.
    pub(super) fn unreadable_file(&self, folder: &Path, name: &str, why: &Unopened) {
        // one that is gone was removed a moment ago
        if !matches!(why, Unopened::Nothing)
            && self.is_news(What::UnreadableFile, folder.to_owned())
        {
            let advice =
                "there may be more of them in its folder: check owners, modes and the disk";
            tracing::error!(folder = %folder.display(), name, "a segment cannot be read: {why}; {advice}");
        } else {
            tracing::debug!(folder = %folder.display(), name, "a segment cannot be read: {why}");
        }
    }

    /// Whether nobody was told of this yet; then it counts.
    fn is_news(&self, what: What, path: PathBuf) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.len() < REMEMBERED && told.insert((what, path));
        if is_news {
            self.skipped.with_label_values(&[what.word()]).inc();
        }
        is_news
    }
}

impl Told for Strangers {
    fn stranger(&self, folder: &Path, name: &str) {
        if self.is_news(What::Stranger, folder.join(name)) {
            tracing::warn!(folder = %folder.display(), name, "a file that is no segment is skipped");
        } else {
            tracing::debug!(folder = %folder.display(), name, "a file that is no segment is skipped");
        }
    }

    fn unreadable(&self, folder: &Path, error: &io::Error) {
        if self.is_news(What::Unreadable, folder.to_owned()) {
            let advice = "check its owner, its mode and its disk";
            tracing::error!(folder = %folder.display(), "a folder cannot be read: {error}; {advice}");
        } else {
            tracing::debug!(folder = %folder.display(), "a folder cannot be read: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_of_once_and_only_so_many() {
        let strangers = Strangers::default();
        let is_news = |path: &str| strangers.is_news(What::Stranger, path.into());
        assert!(is_news("a/x.ts"));
        assert!(!is_news("a/x.ts"));
        assert!(is_news("b/x.ts"));
        assert!(strangers.is_news(What::UnreadableFile, "a/x.ts".into()), "that is something else");
        let news = (0..2 * REMEMBERED).filter(|n| is_news(&n.to_string()));
        assert_eq!(news.count(), REMEMBERED - 3);
    }
}
