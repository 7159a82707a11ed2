//! The Dockerfile: its stages, what they start from, and as whom they end.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::PORTS;
use crate::run::Workspace;

pub(super) const PATH: &str = "docker/Dockerfile";

/// One `FROM … AS …` with its instructions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stage {
    from: String,
    /// Whether `from` is an earlier stage and not an image.
    is_derived: bool,
    instructions: Vec<(String, String)>,
}

/// Checks it and returns its stages by name.
///
/// # Errors
///
/// With the first thing that is wrong.
pub(super) fn check(workspace: &Workspace) -> Result<BTreeMap<String, Stage>> {
    let stages = parse(&workspace.read(PATH)?).with_context(|| format!("read {PATH}"))?;
    check_stages(&stages).with_context(|| PATH)?;
    check_toolchain(workspace, &stages).with_context(|| PATH)?;
    println!("{PATH}: {} stages", stages.len());
    Ok(stages)
}

fn check_stages(stages: &BTreeMap<String, Stage>) -> Result<()> {
    for (name, stage) in stages {
        let pinned = stage.is_derived || is_pinned(&stage.from);
        ensure!(pinned, "{name} starts from {}, which is no fixed version", stage.from);
    }
    for (service, port) in PORTS {
        let stage = stages.get(service).with_context(|| format!("no stage {service}"))?;
        let entry = format!("[\"{service}\"]");
        ensure!(stage.last("ENTRYPOINT") == Some(&entry), "{service} does not start {service}");
        ensure!(
            stage.last("EXPOSE") == Some(&port.to_string()),
            "{service} does not expose {port}"
        );
        let user = inherited(stages, service, "USER").unwrap_or("root");
        ensure!(!matches!(user.split(':').next(), Some("root" | "0")), "{service} runs as root");
    }
    Ok(())
}

/// The image compiles with the toolchain that everybody else compiles with.
fn check_toolchain(workspace: &Workspace, stages: &BTreeMap<String, Stage>) -> Result<()> {
    let file: toml::Table = workspace.read("rust-toolchain.toml")?.parse()?;
    let channel = file.get("toolchain").and_then(|table| table.get("channel"));
    let channel =
        channel.and_then(toml::Value::as_str).context("rust-toolchain.toml has no channel")?;
    for (name, stage) in stages {
        if let Some(version) = stage.from.strip_prefix("rust:") {
            ensure!(
                version.split('-').next() == Some(channel),
                "{name} starts from rust {version}, rust-toolchain.toml says {channel}"
            );
        }
    }
    Ok(())
}

impl Stage {
    fn last(&self, instruction: &str) -> Option<&String> {
        let of_kind = self.instructions.iter().rev().find(|(name, _)| name == instruction);
        of_kind.map(|(_, arguments)| arguments)
    }
}

/// The last such instruction of a stage or of what it starts from.
fn inherited<'a>(
    stages: &'a BTreeMap<String, Stage>,
    name: &str,
    instruction: &str,
) -> Option<&'a str> {
    let stage = stages.get(name)?;
    match stage.last(instruction) {
        Some(arguments) => Some(arguments),
        None if stage.is_derived => inherited(stages, &stage.from, instruction),
        None => None,
    }
}

/// Whether an image name says which version it is: a tag with a dotted number, or a digest.
pub(super) fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let tag =
        image.rsplit('/').next().and_then(|last| last.split_once(':')).map_or("", |(_, tag)| tag);
    let version = tag.split('-').next().unwrap_or("");
    version.contains('.') && version.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn parse(text: &str) -> Result<BTreeMap<String, Stage>> {
    let mut stages: BTreeMap<String, Stage> = BTreeMap::new();
    let mut current: Option<(String, Stage)> = None;
    for line in logical_lines(text) {
        let (instruction, arguments) = line.split_once(' ').unwrap_or((&line, ""));
        let arguments = arguments.trim();
        if instruction == "FROM" {
            let words: Vec<_> = arguments.split_whitespace().collect();
            let &[from, "AS", name] = words.as_slice() else {
                bail!("a stage without a name: FROM {arguments}")
            };
            stages.extend(current.take());
            ensure!(!stages.contains_key(name), "two stages are called {name}");
            let is_derived = stages.contains_key(from);
            let stage = Stage { from: from.to_owned(), is_derived, instructions: Vec::new() };
            current = Some((name.to_owned(), stage));
        } else {
            let (_, stage) = current.as_mut().context("an instruction before the first FROM")?;
            stage.instructions.push((instruction.to_owned(), arguments.to_owned()));
        }
    }
    stages.extend(current);
    Ok(stages)
}

/// Lines without comments and blank lines, those that end in a backslash joined with the next.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in
        text.lines().map(str::trim).filter(|part| !part.is_empty() && !part.starts_with('#'))
    {
        if let Some(part) = part.strip_suffix('\\') {
            line.push_str(part);
        } else {
            line.push_str(part);
            lines.push(std::mem::take(&mut line));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{inherited, is_pinned, parse};

    #[test]
    fn only_a_full_version_or_a_digest_is_pinned() {
        for image in
            ["debian:12.12-slim", "postgres:17.6-bookworm", "host:5000/a:1.2", "a@sha256:0"]
        {
            assert!(is_pinned(image), "{image}");
        }
        for image in
            ["debian", "debian:latest", "debian:bookworm-slim", "postgres:17", "host:5000/a"]
        {
            assert!(!is_pinned(image), "{image}");
        }
    }

    #[test]
    fn a_user_is_inherited_and_comments_are_not_instructions() {
        let text = "FROM a:1.2 AS base\nRUN one \\\n    # USER root\n    && two\nUSER 1000\nFROM base AS service\nCOPY x y\n";
        let stages = parse(text).unwrap();
        assert_eq!(stages["base"].last("RUN").unwrap(), "one && two");
        assert_eq!(inherited(&stages, "service", "USER"), Some("1000"));
        assert_eq!(inherited(&stages, "service", "ENTRYPOINT"), None);
    }

    #[test]
    fn a_nameless_stage_is_refused() {
        assert!(parse("FROM a:1.2\n").is_err());
    }
}
