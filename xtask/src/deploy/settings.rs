//! Files of `NAME=value` lines: `.env.example` and those of the systemd units.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::programs::Programs;
use crate::run::Workspace;

/// The settings of the systemd units.
const FILES: [&str; 2] = ["deploy/systemd/wubloader.env", "deploy/systemd/cutter.env"];

/// The upload locations that the cutter's unit reads.
const LOCATIONS: &str = "deploy/systemd/upload-locations.json";

/// A file of settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EnvFile {
    /// What is set.
    pub(super) set: BTreeMap<String, String>,
    /// What is explained in a `#NAME=value` line.
    pub(super) commented: BTreeMap<String, String>,
}

impl EnvFile {
    /// Reads the text of one. A value may stand in single quotes.
    ///
    /// # Errors
    ///
    /// For a line that is neither a setting nor a comment, and for a name that comes twice.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut file = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            // a comment in words has a blank after its `#`
            let (setting, is_set) = match line.strip_prefix('#') {
                Some(comment) if comment.starts_with(' ') || comment.is_empty() => continue,
                Some(setting) => (setting, false),
                None => (line, true),
            };
            let (name, value) = setting.split_once('=').with_context(|| format!("`{line}`"))?;
            ensure!(is_name(name), "`{name}` is no name of a setting");
            let value = unquote(value).with_context(|| format!("value of {name}"))?;
            ensure!(!file.knows(name), "{name} comes twice");
            let kind = if is_set { &mut file.set } else { &mut file.commented };
            kind.insert(name.to_owned(), value.to_owned());
        }
        Ok(file)
    }

    /// Every name in the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.set.keys().chain(self.commented.keys())
    }

    fn knows(&self, name: &str) -> bool {
        self.set.contains_key(name) || self.commented.contains_key(name)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn unquote(value: &str) -> Result<&str> {
    match value.strip_prefix('\'') {
        Some(rest) => {
            let inner = rest.strip_suffix('\'').context("a quote is not closed")?;
            ensure!(!inner.contains('\''), "a quote inside quotes");
            Ok(inner)
        }
        None if value.contains([' ', '"', '#', '$']) => bail!("must stand in single quotes"),
        None => Ok(value),
    }
}

/// Checks the settings of the systemd units.
///
/// # Errors
///
/// With the first thing that is wrong.
pub(super) fn check(workspace: &Workspace, programs: Option<&Programs>) -> Result<()> {
    for path in FILES {
        let file = EnvFile::parse(&workspace.read(path)?).context(path)?;
        for setting in file.names() {
            programs.map_or(Ok(()), |programs| programs.expect_anywhere(setting)).context(path)?;
        }
        println!("{path}: {} settings", file.names().count());
    }
    serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&workspace.read(LOCATIONS)?)
        .context(LOCATIONS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::EnvFile;

    #[test]
    fn comments_in_words_are_no_settings() {
        let file = EnvFile::parse("# Words, a=b.\n#\n#LOG=info\nNAME='a b'\n").unwrap();
        assert_eq!(file.set["NAME"], "a b");
        assert_eq!(file.commented["LOG"], "info");
        assert_eq!(file.names().count(), 2);
    }

    #[test]
    fn what_a_shell_or_systemd_would_read_otherwise_is_refused() {
        for text in [
            "NAME",
            "name=x",
            "NAME=a b",
            "NAME='a",
            "NAME=$HOME",
            "NAME=1\nNAME=2",
            "#NAME=1\nNAME=2",
        ] {
            assert!(EnvFile::parse(text).is_err(), "{text}");
        }
    }
}
