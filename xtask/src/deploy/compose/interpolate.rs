//! `${NAME}`, `${NAME:-default}` and `${NAME:?message}` in the scalars of a compose file.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::deploy::settings::EnvFile;

/// Puts the settings in, everywhere, and returns the variables that the file uses.
///
/// # Errors
///
/// For a variable that the settings do not explain.
pub(super) fn interpolate(value: &mut Value, settings: &EnvFile) -> Result<BTreeMap<String, Use>> {
    let mut used = BTreeMap::new();
    walk(value, settings, &mut used)?;
    Ok(used)
}

/// What a compose file does about a variable that is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Use {
    Required,
    Default(String),
}

fn walk(value: &mut Value, settings: &EnvFile, used: &mut BTreeMap<String, Use>) -> Result<()> {
    match value {
        Value::String(text) => *text = in_text(text, settings, used)?,
        Value::Array(items) => {
            for item in items {
                walk(item, settings, used)?;
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                walk(item, settings, used).with_context(|| key.clone())?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

fn in_text(text: &str, settings: &EnvFile, used: &mut BTreeMap<String, Use>) -> Result<String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            whole.push('$');
            rest = after;
            continue;
        }
        let inner = after.strip_prefix('{').context("a `$` that is neither `${` nor `$$`")?;
        let (inner, after) = split_at_close(inner).context("`${` without its `}`")?;
        let (name, how) = variable(inner)?;
        whole.push_str(&value_of(&name, &how, settings, used)?);
        if let Some(earlier) = used.insert(name.clone(), how.clone()) {
            ensure!(earlier == how, "{name} is used in two ways: {earlier:?} and {how:?}");
        }
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

/// What stands before and after the `}` that closes a `${`, past those inside.
fn split_at_close(text: &str) -> Option<(&str, &str)> {
    let mut open = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => return Some((&text[..at], &text[at + 1..])),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn variable(inner: &str) -> Result<(String, Use)> {
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let (name, how) = inner.split_at(end);
    ensure!(!name.is_empty(), "`${{{inner}}}` names no variable");
    let how = if let Some(default) = how.strip_prefix(":-") {
        Use::Default(default.to_owned())
    } else if how.starts_with(":?") {
        Use::Required
    } else {
        bail!("`${{{inner}}}` must say what happens when {name} is not set: `:-` or `:?`")
    };
    Ok((name.to_owned(), how))
}

fn value_of(
    name: &str,
    how: &Use,
    settings: &EnvFile,
    used: &mut BTreeMap<String, Use>,
) -> Result<String> {
    let set = settings.set.get(name);
    match how {
        // what is left empty in the example, such as a password, is for the operator to fill in
        Use::Required => match set.with_context(|| format!("{name} is required and not set"))? {
            value if value.is_empty() => Ok("example".to_owned()),
            value => Ok(value.clone()),
        },
        Use::Default(default) => {
            let shown = set.or_else(|| settings.commented.get(name));
            let shown = shown.with_context(|| format!("{name} is not explained"))?;
            // nothing, and what is made of other variables, can only be shown by an example
            let shows_default = default.is_empty() || default.contains("${") || shown == default;
            ensure!(shows_default, "{name} is {default} unless set, and {shown} is shown");
            set.map_or_else(|| in_text(default, settings, used), |value| Ok(value.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::interpolate;
    use crate::deploy::settings::EnvFile;

    fn settings() -> EnvFile {
        EnvFile::parse("NAME=node-a\nPASSWORD=\n#LOG=info\n#NODES=http://b\n").unwrap()
    }

    fn result(text: &str) -> anyhow::Result<String> {
        let mut value = json!({ "key": [text] });
        interpolate(&mut value, &settings())?;
        Ok(value["key"][0].as_str().unwrap().to_owned())
    }

    #[test]
    fn variables_are_replaced() {
        assert_eq!(result("${NAME:?why}/${LOG:-info}:${NODES:-}.").unwrap(), "node-a/info:.");
        assert_eq!(result("${NODES:-a${NAME:?why}}.").unwrap(), "anode-a.");
        assert_eq!(result("$${NAME}").unwrap(), "${NAME}");
        assert_eq!(result("${PASSWORD:?why}").unwrap(), "example");
    }

    #[test]
    fn what_the_settings_do_not_explain_is_refused() {
        for (text, complaint) in [
            ("${OTHER:-x}", "OTHER is not explained"),
            ("${LOG:?why}", "LOG is required and not set"),
            ("${LOG:-debug}", "LOG is debug unless set, and info is shown"),
            ("${NAME}", "must say what happens"),
            ("$NAME", "neither"),
            ("${NAME:?why", "without its"),
            ("${LOG:-info} ${LOG:-}", "used in two ways"),
        ] {
            let error = format!("{:#}", result(text).unwrap_err());
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }
}
