//! Rust files as token trees: finds them and takes them apart. Owns no rule.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Every `.rs` file below a folder, sorted.
///
/// # Errors
///
/// When a folder cannot be listed.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("list {}", folder.display()))? {
            let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Takes a file apart. Comments are gone afterwards; documentation is in `#[doc]` attributes.
///
/// # Errors
///
/// When the text is no Rust.
pub(crate) fn tokens(text: &str) -> Result<TokenStream> {
    text.parse().map_err(|error| anyhow!("not Rust: {error}"))
}

/// The identifier at a place in a list of tokens, if there is one.
pub(crate) fn ident_at(tokens: &[TokenTree], index: usize) -> Option<String> {
    match tokens.get(index)? {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    }
}

/// Whether `::` stands at a place in a list of tokens.
pub(crate) fn path_separator_at(tokens: &[TokenTree], index: usize) -> bool {
    punct_at(tokens, index, ':') && punct_at(tokens, index + 1, ':')
}

/// Whether a punctuation character stands at a place in a list of tokens.
pub(crate) fn punct_at(tokens: &[TokenTree], index: usize, character: char) -> bool {
    matches!(tokens.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// The tokens between the delimiters at a place in a list of tokens, if these delimiters are there.
pub(crate) fn group_at(
    tokens: &[TokenTree],
    index: usize,
    delimiter: Delimiter,
) -> Option<Vec<TokenTree>> {
    match tokens.get(index)? {
        TokenTree::Group(group) if group.delimiter() == delimiter => {
            Some(group.stream().into_iter().collect())
        }
        _ => None,
    }
}
