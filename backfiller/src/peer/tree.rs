//! The paths of a plain tree, as another node lists them.

use std::fmt;
use std::path::{Path, PathBuf};

use common::format::folder::FolderName;

use crate::folder::Skipped;

/// How many files a tree may have; those beyond are skipped.
const MAX_FILES: usize = 200_000;
/// How deep a tree may be.
const MAX_DEPTH: usize = 16;

/// The files below an extra folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<TreePath>,
    pub(crate) skipped: Skipped,
}

/// A path that leads to a file below the folder that it is joined to, and nowhere else: none of its
/// one or more components is hidden or leads up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TreePath(Vec<FolderName>);

impl Tree {
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Self::default();
        for name in names {
            match TreePath::new(name) {
                Some(path) if tree.files.len() < MAX_FILES => tree.files.push(path),
                _ => tree.skipped.add(name),
            }
        }
        tree
    }
}

impl TreePath {
    fn new(text: &str) -> Option<Self> {
        let components: Option<Vec<FolderName>> =
            text.split('/').take(MAX_DEPTH + 1).map(|part| part.parse().ok()).collect();
        components.filter(|components| components.len() <= MAX_DEPTH).map(Self)
    }

    pub(crate) fn names(&self) -> &[FolderName] {
        &self.0
    }

    pub(crate) fn components(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(FolderName::as_str)
    }

    pub(crate) fn below(&self, folder: &Path) -> PathBuf {
        let mut path = folder.to_owned();
        path.extend(self.components());
        path
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let components: Vec<&str> = self.components().collect();
        f.write_str(&components.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_stay_below_are_taken() {
        let deep = ["a"; MAX_DEPTH].join("/");
        for good in ["a", "a/b c/d.jsonl", &deep] {
            let path = TreePath::new(good).unwrap();
            assert_eq!(path.below(Path::new("base")), Path::new("base").join(good));
        }
        let too_deep = format!("{deep}/a");
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../x",
            "a/./b",
            "a//b",
            "a/",
            ".hidden",
            "a/.hidden/b",
            "a\\..\\b",
            "a\0b",
            "a\nb",
            &too_deep,
        ] {
            assert_eq!(TreePath::new(bad), None, "{bad:?}");
        }
        let tree = Tree::new(["a/b", "../x"]);
        assert_eq!((tree.files.len(), tree.skipped.count), (1, 1));
        let many = Tree::new(std::iter::repeat_n("a", MAX_FILES + 1));
        assert_eq!((many.files.len(), many.skipped.count), (MAX_FILES, 1));
    }
}
