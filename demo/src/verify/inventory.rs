//! What lies in a store.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use common::format::segment::{SegmentName, Tail};

/// The files of a store by their paths below its base, with their sizes. What is being written, or
/// was being written when its writer was killed, is none.
#[derive(Debug, Default)]
pub(crate) struct Inventory(BTreeMap<String, u64>);

impl Inventory {
    /// Lists the store below `base`.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read.
    pub(crate) fn of(base: &Path) -> anyhow::Result<Self> {
        let mut inventory = Self::default();
        inventory.add(base, "").with_context(|| format!("list {}", base.display()))?;
        Ok(inventory)
    }

    fn add(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string();
            let name = name.ok().context("a name is no UTF-8")?;
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                self.add(&entry.path(), &format!("{path}/"))?;
            } else if !is_unfinished(&name) {
                self.0.insert(path, entry.metadata()?.len());
            }
        }
        Ok(())
    }

    /// Every path, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The paths below `prefix`, without it, sorted.
    pub(crate) fn below(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.names().filter_map(move |name| name.strip_prefix(prefix))
    }

    /// Whether there is a file at `path`.
    pub(crate) fn holds(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// The size of the file at `path`, in bytes.
    pub(crate) fn size(&self, path: &str) -> Option<u64> {
        self.0.get(path).copied()
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn is_unfinished(name: &str) -> bool {
    let is_temp = |name: SegmentName| matches!(name.tail(), Tail::Temp(_));
    name.starts_with('.') || name.parse().is_ok_and(is_temp)
}
