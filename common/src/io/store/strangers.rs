//! Telling of files that look like segments and are none: each once, however often it is listed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How many are remembered; those beyond are told of at debug level only.
const REMEMBERED: usize = 10_000;

/// The strangers that were told of.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    told: Mutex<HashSet<PathBuf>>,
}

impl Strangers {
    /// Warns of the file `name` in `folder`, unless that was done before.
    pub(super) fn tell(&self, folder: &Path, name: &str) {
        if self.is_news(folder.join(name)) {
            tracing::warn!(folder = %folder.display(), name, "a file that is no segment is skipped");
        } else {
            tracing::debug!(folder = %folder.display(), name, "a file that is no segment is skipped");
        }
    }

    fn is_news(&self, path: PathBuf) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < REMEMBERED && told.insert(path)
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
