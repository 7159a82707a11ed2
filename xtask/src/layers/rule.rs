//! The layers of `common`: a file uses its own layer and earlier ones, and a pure layer no I/O.

use std::path::{Component, Path};

use anyhow::Result;

use super::crates::PROGRAMS;
use super::paths::{Named, Target, named};
use crate::rust_source::tokens;

/// The folders of `common/src`, from the first layer to the last. What stands together may use each other.
const LAYERS: [&[&str]; 6] =
    [&["base"], &["format", "metrics"], &["plan"], &["io"], &["cut", "service"], &["test_util"]];

/// The folders whose code turns values into values.
const PURE: [&str; 2] = ["format", "plan"];

/// What reaches the world outside: no pure layer names it.
const IMPURE: [&[&str]; 11] = [
    &["axum"],
    &["nix"],
    &["reqwest"],
    &["rustix"],
    &["sqlx"],
    &["std", "env"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "process"],
    &["std", "thread"],
    &["tokio"],
];

/// Every breach in one file, as lines ready to print. `name` is its path, from `common/src/` on or before.
///
/// # Errors
///
/// When the text is no Rust.
pub(super) fn breaches(name: &str, text: &str) -> Result<Vec<String>> {
    let module = module_of(Path::new(name));
    let is_test = module.iter().any(|part| part == "tests");
    let from = module.first().map(String::as_str);
    let named = named(tokens(text)?, &module, "common", is_test);
    let complaints = named.iter().filter_map(|one| Some((one.line, complaint(from, one)?)));
    let mut lines: Vec<_> = complaints.collect();
    lines.dedup();
    Ok(lines.into_iter().map(|(line, complaint)| format!("{name}:{line}: {complaint}")).collect())
}

/// The module of a file: `common/src/io/store/mod.rs` is `io::store`.
fn module_of(file: &Path) -> Vec<String> {
    let parts: Vec<_> = file.components().filter_map(text_of).collect();
    let source = parts.iter().position(|part| *part == "src").map_or(0, |at| at + 1);
    let mut module: Vec<String> = parts[source..].iter().map(|part| (*part).to_owned()).collect();
    if let Some(last) = module.pop()
        && !matches!(last.as_str(), "mod.rs" | "lib.rs")
    {
        module.push(last.trim_end_matches(".rs").to_owned());
    }
    module
}

fn text_of(component: Component<'_>) -> Option<&str> {
    component.as_os_str().to_str()
}

fn complaint(from: Option<&str>, named: &Named) -> Option<String> {
    match &named.target {
        Target::Own(path) => own_complaint(from?, path.first(), named.in_test),
        Target::Other(path) => other_complaint(from, path, named.in_test),
    }
}

fn own_complaint(from: &str, to: Option<&String>, in_test: bool) -> Option<String> {
    let Some(to) = to else {
        return Some("names the root of common as a whole: name the layer".to_owned());
    };
    let Some(to_layer) = layer_of(to) else {
        return Some(format!("`{to}` is no layer: the root of common holds nothing else"));
    };
    let Some(from_layer) = layer_of(from) else {
        return Some(format!("`{from}` is no layer: give it a place in `LAYERS`"));
    };
    let for_tests = in_test && to == "test_util";
    (to_layer > from_layer && !for_tests)
        .then(|| format!("{from} (layer {}) uses {to} (layer {})", from_layer + 1, to_layer + 1))
}

fn other_complaint(from: Option<&str>, path: &[String], in_test: bool) -> Option<String> {
    let first = path.first()?;
    if PROGRAMS.contains(&first.as_str()) {
        return Some(format!("common names the program {first}"));
    }
    let from = from.filter(|from| PURE.contains(from) && !in_test)?;
    let begins_with = |prefix: &&[&str]| {
        path.len() >= prefix.len() && path.iter().zip(*prefix).all(|(a, b)| a == b)
    };
    IMPURE.iter().any(begins_with).then(|| format!("{from} is pure and uses {}", path.join("::")))
}

fn layer_of(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|folders| folders.contains(&folder))
}

#[cfg(test)]
mod tests {
    use super::breaches;

    #[track_caller]
    fn accepts(file: &str, text: &str) {
        assert_eq!(breaches(file, text).unwrap(), Vec::<String>::new());
    }

    #[track_caller]
    fn refuses(file: &str, text: &str, complaint: &str) {
        assert_eq!(breaches(file, text).unwrap(), [format!("{file}:{complaint}")]);
    }

    #[test]
    fn earlier_and_equal_layers_are_open() {
        accepts("common/src/io/store/mod.rs", "use crate::base::time::Hour;\nuse crate::io::http;");
        accepts("common/src/cut/mod.rs", "use crate::service::Context;");
        accepts("common/src/format/hls/mod.rs", "use super::segment::SegmentName;");
    }

    #[test]
    fn a_later_layer_is_refused_however_it_is_named() {
        let complaint = "1: base (layer 1) uses io (layer 4)";
        for text in [
            "use crate::io::store::Store;",
            "use crate::{base::time, io::store};",
            "use crate::{io};",
            "use common::io::store;",
            "fn f() -> crate::io::Store { todo() }",
            "fn f() { let x = Vec::<crate::io::Store>::new(); }",
            "fn f() { select! { x = crate::io::wait() => x } }",
            "macro_rules! m { () => { $crate::io::wait() } }",
            "use super::super::io;",
            "use super::super::{io as outside};",
            "mod inner { use super::super::super::io; }",
            "pub use crate::io as other;",
        ] {
            refuses("common/src/base/time.rs", text, complaint);
        }
    }

    #[test]
    fn the_folder_counts_not_the_file() {
        refuses(
            "common/src/base/mod.rs",
            "use super::plan;",
            "1: base (layer 1) uses plan (layer 3)",
        );
        accepts("common/src/base/time/parse.rs", "use super::super::hash;");
        accepts("common/src/base/time.rs", "mod inner { use super::super::hash; }");
        refuses(
            "common/src/plan/select/walk.rs",
            "\nuse super::super::super::io::store;",
            "2: plan (layer 3) uses io (layer 4)",
        );
    }

    #[test]
    fn comments_and_strings_name_nothing() {
        accepts(
            "common/src/base/time.rs",
            "//! See [`crate::io::store`].\n/* crate::io */ const X: &str = \"crate::io\";",
        );
    }

    #[test]
    fn only_tests_may_use_the_fixtures() {
        let fixture = "use crate::test_util::TestClock;";
        accepts("common/src/base/time/tests.rs", fixture);
        accepts("common/src/base/time.rs", &format!("#[cfg(test)]\nmod tests {{ {fixture} }}"));
        accepts(
            "common/src/base/time.rs",
            &format!("#[cfg(any(test, feature = \"test-util\"))]\n{fixture}"),
        );
        refuses(
            "common/src/base/time.rs",
            &format!("#[cfg(test)]\nmod tests {{}}\n{fixture}"),
            "3: base (layer 1) uses test_util (layer 6)",
        );
        refuses(
            "common/src/base/time.rs",
            &format!("#[cfg(not(test))]\n{fixture}"),
            "2: base (layer 1) uses test_util (layer 6)",
        );
    }

    #[test]
    fn tests_keep_to_the_layers_but_for_fixtures() {
        refuses(
            "common/src/base/hash.rs",
            "#[cfg(test)] mod tests { use crate::io::store; }",
            "1: base (layer 1) uses io (layer 4)",
        );
    }

    #[test]
    fn what_is_no_layer_is_refused() {
        refuses(
            "common/src/io/store/mod.rs",
            "use crate::Shortcut;",
            "1: `Shortcut` is no layer: the root of common holds nothing else",
        );
        refuses(
            "common/src/helpers.rs",
            "use crate::base::time;",
            "1: `helpers` is no layer: give it a place in `LAYERS`",
        );
        refuses(
            "common/src/base/mod.rs",
            "use super::*;",
            "1: names the root of common as a whole: name the layer",
        );
        refuses(
            "common/src/base/mod.rs",
            "use crate as whole;",
            "1: names the root of common as a whole: name the layer",
        );
    }

    #[test]
    fn common_knows_no_program() {
        refuses(
            "common/src/service/mod.rs",
            "fn f() { downloader::run() }",
            "1: common names the program downloader",
        );
        accepts("common/src/service/mod.rs", "fn f() { let downloader = 1; g(downloader) }");
    }

    #[test]
    fn pure_layers_reach_nothing_outside() {
        refuses(
            "common/src/plan/select.rs",
            "use std::{fmt, fs};",
            "1: plan is pure and uses std::fs",
        );
        refuses(
            "common/src/format/segment.rs",
            "async fn f() { tokio::time::sleep(x).await }",
            "1: format is pure and uses tokio::time::sleep",
        );
        accepts("common/src/format/segment.rs", "#[cfg(test)] mod tests { use std::fs; }");
        refuses("common/src/plan/select.rs", "use tokio as t;", "1: plan is pure and uses tokio");
        accepts("common/src/io/store/mod.rs", "use std::fs;");
    }
}
