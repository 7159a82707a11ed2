//! Telling of files that look like segments and are none, and of folders that cannot be read: each
//! once, however often it is met.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use prometheus::{IntCounterVec, Opts};

use super::index::Told;
use crate::metrics::Metrics;

/// How many are remembered; those beyond are told of at debug level only.
const REMEMBERED: usize = 10_000;

/// What was told of.
#[derive(Debug)]
pub(super) struct Strangers {
    told: Mutex<HashSet<PathBuf>>,
    /// How many were met, by what they are.
    skipped: IntCounterVec,
}

impl Default for Strangers {
    fn default() -> Self {
        let help = "Names in the store that were skipped, each counted once, by what is wrong";
        let skipped = IntCounterVec::new(Opts::new("store_skipped_total", help), &["what"]);
        let skipped = skipped.expect("the name and label are valid");
        for what in ["stranger", "unreadable"] {
            skipped.with_label_values(&[what]);
        }
        Self { told: Mutex::default(), skipped }
    }
}

impl Strangers {
    /// Shows what is counted as a metric.
    pub(super) fn register(&self, metrics: &Metrics) {
        metrics.adopt(self.skipped.clone());
    }

    fn is_news(&self, path: PathBuf) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < REMEMBERED && told.insert(path)
    }
}

impl Told for Strangers {
    fn stranger(&self, folder: &Path, name: &str) {
        if self.is_news(folder.join(name)) {
            self.skipped.with_label_values(&["stranger"]).inc();
            tracing::warn!(folder = %folder.display(), name, "a file that is no segment is skipped");
        } else {
            tracing::debug!(folder = %folder.display(), name, "a file that is no segment is skipped");
        }
    }

    fn unreadable(&self, folder: &Path, error: &io::Error) {
        if self.is_news(folder.to_owned()) {
            self.skipped.with_label_values(&["unreadable"]).inc();
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
        assert!(strangers.is_news("a/x.ts".into()));
        assert!(!strangers.is_news("a/x.ts".into()));
        assert!(strangers.is_news("b/x.ts".into()));
        let news = (0..2 * REMEMBERED).filter(|n| strangers.is_news(n.to_string().into()));
        assert_eq!(news.count(), REMEMBERED - 2);
    }
}
