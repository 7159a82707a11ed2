//! Every path that a Rust file names, resolved as far as its own text allows.
//!
//! Reads tokens, not types: what a macro call holds counts too, comments do not.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::rust_source::{group_at, ident_at, path_separator_at, punct_at};

/// One path, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The line, from 1.
    pub(super) line: usize,
    /// Whether only tests are built from it.
    pub(super) in_test: bool,
    pub(super) target: Target,
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A module or item of the crate itself, from its root.
    Own(Vec<String>),
    /// Something of another crate, or of a name brought in by a `use`.
    Other(Vec<String>),
}

/// All paths of a file.
///
/// `module` is the file's own, from the crate's root; `own_name` is what other files may call the
/// crate instead of `crate`.
pub(super) fn named(
    stream: TokenStream,
    module: &[String],
    own_name: &str,
    in_test: bool,
) -> Vec<Named> {
    let mut walk = Walk { own_name, found: Vec::new() };
    walk.tokens(&list(stream), module, in_test);
    walk.found
}

fn list(stream: TokenStream) -> Vec<TokenTree> {
    stream.into_iter().collect()
}

struct Walk<'a> {
    own_name: &'a str,
    found: Vec<Named>,
}

impl Walk<'_> {
    fn tokens(&mut self, tokens: &[TokenTree], module: &[String], in_test: bool) {
        let mut test_until = 0;
        let mut index = 0;
        while index < tokens.len() {
            if is_test_attribute(tokens, index) {
                test_until = end_of_item(tokens, index + 2);
            }
            let in_test = in_test || index < test_until;
            let inner = inline_module(tokens, index);
            if let Some((name, body)) = inner {
                let mut module = module.to_vec();
                module.push(name);
                self.tokens(&body, &module, in_test);
                index += 3;
                continue;
            }
            if begins_path(tokens, index) {
                self.path(tokens, index, Vec::new(), module, in_test);
            } else if let TokenTree::Group(group) = &tokens[index] {
                self.tokens(&list(group.stream()), module, in_test);
            }
            index = past_path(tokens, index);
        }
    }

    /// Follows a path through the branches of a `use`.
    fn path(
        &mut self,
        tokens: &[TokenTree],
        mut index: usize,
        mut segments: Vec<String>,
        module: &[String],
        in_test: bool,
    ) {
        let Some(first) = tokens.get(index) else { return };
        let line = first.span().start().line;
        while let Some(segment) = ident_at(tokens, index) {
            segments.push(segment);
            index += 1;
            if !path_separator_at(tokens, index) {
                break;
            }
            index += 2;
        }
        if let Some(branches) = group_at(tokens, index, Delimiter::Brace)
            && path_separator_at(tokens, index.wrapping_sub(2))
        {
            for branch in
                branches.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ','))
            {
                self.path(branch, 0, segments.clone(), module, in_test);
            }
            return;
        }
        let target = resolve(&segments, module, self.own_name);
        self.found.extend(target.map(|target| Named { line, in_test, target }));
    }
}

/// `crate`, `super` and `self` count from the module that they stand in.
fn resolve(segments: &[String], module: &[String], own_name: &str) -> Option<Target> {
    let (first, rest) = segments.split_first()?;
    let mut path = match first.as_str() {
        "crate" => Vec::new(),
        name if name == own_name => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return Some(Target::Other(segments.to_vec())),
    };
    if first == "super" {
        path.pop();
    }
    for segment in rest {
        match segment.as_str() {
            "super" => {
                path.pop();
            }
            "self" => {}
            name => path.push(name.to_owned()),
        }
    }
    Some(Target::Own(path))
}

/// A path begins at a word that `::` follows or `use` precedes, and that is not itself the middle of one.
fn begins_path(tokens: &[TokenTree], index: usize) -> bool {
    let after_use = index > 0 && ident_at(tokens, index - 1).as_deref() == Some("use");
    ident_at(tokens, index).is_some() && (path_separator_at(tokens, index + 1) || after_use)
}

/// The first token that no longer belongs to the path at `index`, its branches included.
fn past_path(tokens: &[TokenTree], index: usize) -> usize {
    if !begins_path(tokens, index) {
        return index + 1;
    }
    let mut index = index + 1;
    while path_separator_at(tokens, index) {
        index += 2;
        if ident_at(tokens, index).is_none() && group_at(tokens, index, Delimiter::Brace).is_none()
        {
            break; // a turbofish or a glob: what stands in it is looked at by itself
        }
        index += 1;
    }
    index
}

/// `mod name { … }`.
fn inline_module(tokens: &[TokenTree], index: usize) -> Option<(String, Vec<TokenTree>)> {
    if ident_at(tokens, index)? != "mod" {
        return None;
    }
    let body = group_at(tokens, index + 2, Delimiter::Brace)?;
    Some((ident_at(tokens, index + 1)?, body))
}

/// `#[cfg(test)]`, `#[cfg(any(test, …))]`, `#[cfg(feature = "test-util")]`; nothing with a `not`.
fn is_test_attribute(tokens: &[TokenTree], index: usize) -> bool {
    if !punct_at(tokens, index, '#') {
        return false;
    }
    let Some(attribute) = group_at(tokens, index + 1, Delimiter::Bracket) else { return false };
    if ident_at(&attribute, 0).as_deref() != Some("cfg") {
        return false;
    }
    let mut words = Vec::new();
    collect_words(&attribute, &mut words);
    let says = |word: &str| words.iter().any(|one| one == word);
    (says("test") || says("\"test-util\"")) && !says("not")
}

fn collect_words(tokens: &[TokenTree], words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_words(&list(group.stream()), words),
            other => words.push(other.to_string()),
        }
    }
}

/// The token after the item that follows an attribute: past its braces or its semicolon.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let length = tokens[start.min(tokens.len())..].iter().position(ends);
    length.map_or(tokens.len(), |length| start + length + 1)
}
