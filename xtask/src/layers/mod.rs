//! Who may use whom: the layers inside `common`, and the crates of the workspace.
//!
//! Owns both rules and their messages. The tests hold samples of what must pass and what must not.

pub(crate) mod crates;
mod paths;
mod rule;

use anyhow::{Context, Result, bail};

use crate::run::{Workspace, read};
use crate::rust_source::files_below;

/// Prints every breach.
///
/// # Errors
///
/// When there is one, or a file cannot be read.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut breaches = crates::breaches(workspace)?;
    let files = files_below(&workspace.path("common/src"))?;
    for path in &files {
        let name = workspace.display(path).to_string();
        let found = rule::breaches(&name, &read(path)?);
        breaches.extend(found.with_context(|| format!("take {name} apart"))?);
    }
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} times something is used from where it must not be", breaches.len());
    }
    println!("{} files of common and the crates keep to their layers", files.len());
    Ok(())
}
