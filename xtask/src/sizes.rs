//! Long files and long functions: lists them, and refuses only what is beyond any excuse.
//!
//! The limits are habits, not laws: a file of 300 lines or a function of 40 is named in the report,
//! and a person decides. A file of more than 500 lines fails.

use anyhow::{Context, Result, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::run::{Workspace, read};
use crate::rust_source::{files_below, ident_at, tokens};

const LONG_FILE_LINES: usize = 300;
const LONGEST_FILE_LINES: usize = 500;
const LONG_FUNCTION_LINES: usize = 40;

/// Prints the report.
///
/// # Errors
///
/// When a file is too long by any measure, or is no Rust.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut files = Vec::new();
    let mut functions = Vec::new();
    for member in crate::layers::crates::members(workspace)? {
        for path in files_below(&workspace.path(&member))? {
            let text = read(&path)?;
            let name = workspace.display(&path).to_string();
            let parsed = tokens(&text).with_context(|| format!("take {name} apart"))?;
            for function in functions_in(parsed) {
                functions
                    .push((function.lines, format!("{name}:{} {}", function.line, function.name)));
            }
            files.push((text.lines().count(), name));
        }
    }
    report("file", &mut files, LONG_FILE_LINES);
    report("function", &mut functions, LONG_FUNCTION_LINES);
    match files.first() {
        Some((lines, name)) if *lines > LONGEST_FILE_LINES => {
            bail!("{name} has {lines} lines: split it, {LONGEST_FILE_LINES} is the most");
        }
        _ => Ok(()),
    }
}

/// Sorts by length, the longest first, and prints the median and whatever is over the limit.
fn report(kind: &str, all: &mut [(usize, String)], limit: usize) {
    all.sort_by(|a, b| b.cmp(a));
    let median = all.get(all.len() / 2).map_or(0, |(lines, _)| *lines);
    let long: Vec<_> = all.iter().take_while(|(lines, _)| *lines > limit).collect();
    println!("{} {kind}s, median {median} lines, {} over {limit}", all.len(), long.len());
    for (lines, name) in long {
        println!("  {lines:>4}  {name}");
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// Every function with a body, however deep, including those in macro calls.
fn functions_in(stream: TokenStream) -> Vec<Function> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if ident_at(&tokens, index).as_deref() == Some("fn") {
            found.extend(function_at(&tokens, index));
        }
        if let TokenTree::Group(group) = token {
            found.extend(functions_in(group.stream()));
        }
    }
    found
}

fn function_at(tokens: &[TokenTree], index: usize) -> Option<Function> {
    let name = ident_at(tokens, index + 1)?;
    let line = tokens[index].span().start().line;
    for token in &tokens[index + 2..] {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return None,
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                let lines = body.span_close().end().line - line + 1;
                return Some(Function { name, line, lines });
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Function, functions_in};

    fn function(name: &str, line: usize, lines: usize) -> Function {
        Function { name: name.to_owned(), line, lines }
    }

    #[test]
    fn functions_are_measured_from_fn_to_brace() {
        let text = "impl A {\n    fn one(&self) -> u8 { 1 }\n\n    fn two()\n    where\n        Self: Sized,\n    {\n        two();\n    }\n}\n";
        let found = functions_in(text.parse().unwrap());
        assert_eq!(found, [function("one", 2, 1), function("two", 4, 6)]);
    }

    #[test]
    fn declarations_and_function_types_have_no_body() {
        let text = "trait T { fn declared(&self); fn given(&self) {} }\nstruct S { call: fn(u8) -> u8 }\nfn real() {\n}\n";
        let found = functions_in(text.parse().unwrap());
        assert_eq!(found, [function("given", 1, 1), function("real", 3, 2)]);
    }
}
