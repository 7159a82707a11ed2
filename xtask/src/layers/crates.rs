//! The crates of the workspace: which of them may depend on which.
//!
//! Nobody imports a program but `e2e` and `demo`, and nobody imports what only developers run.

use anyhow::{Context, Result};

use crate::run::Workspace;

/// The four services.
pub(crate) const SERVICES: [&str; 4] = ["downloader", "backfiller", "restreamer", "cutter"];

/// Crates that are run, not used.
pub(super) const PROGRAMS: [&str; 9] =
    ["downloader", "backfiller", "restreamer", "cutter", "demo", "e2e", "xtask", "benches", "fuzz"];

/// Those of them that only developers run.
const DEVELOPERS: [&str; 4] = ["e2e", "xtask", "benches", "fuzz"];

/// The folders of the workspace's crates, as its `Cargo.toml` lists them.
///
/// # Errors
///
/// When `Cargo.toml` is not what Cargo would read.
pub(crate) fn members(workspace: &Workspace) -> Result<Vec<String>> {
    let manifest: toml::Table =
        workspace.read("Cargo.toml")?.parse().context("parse Cargo.toml")?;
    let members = manifest.get("workspace").and_then(|table| table.get("members"));
    let members = members.and_then(toml::Value::as_array).context("Cargo.toml lists no members")?;
    Ok(members.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
}

/// Every forbidden dependency, as lines ready to print.
///
/// # Errors
///
/// When a manifest cannot be read.
pub(super) fn breaches(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for member in members(workspace)? {
        let name = format!("{member}/Cargo.toml");
        let manifest: toml::Table =
            workspace.read(&name)?.parse().with_context(|| format!("parse {name}"))?;
        breaches.extend(
            forbidden(&member, &manifest).map(|used| format!("{name}: {member} imports {used}")),
        );
    }
    Ok(breaches)
}

fn forbidden<'a>(
    importer: &'a str,
    manifest: &'a toml::Table,
) -> impl Iterator<Item = String> + 'a {
    dependencies(manifest).filter(move |used| PROGRAMS.contains(&used.as_str())).filter(
        move |used| {
            let imports_programs = matches!(importer, "e2e" | "demo");
            !imports_programs || DEVELOPERS.contains(&used.as_str())
        },
    )
}

/// The packages that a manifest names in any of its dependency tables, renamed ones by their real name.
fn dependencies(manifest: &toml::Table) -> impl Iterator<Item = String> + '_ {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets =
        targets.into_iter().flat_map(|table| table.values()).filter_map(toml::Value::as_table);
    std::iter::once(manifest).chain(targets).flat_map(|holder| {
        ["dependencies", "dev-dependencies", "build-dependencies"]
            .into_iter()
            .filter_map(|kind| holder.get(kind)?.as_table())
            .flat_map(|table| table.iter())
            .map(|(name, value)| {
                let package = value.get("package").and_then(toml::Value::as_str);
                package.unwrap_or(name).to_owned()
            })
    })
}

#[cfg(test)]
mod tests {
    use super::forbidden;

    fn forbidden_in(importer: &str, manifest: &str) -> Vec<String> {
        forbidden(importer, &manifest.parse().unwrap()).collect()
    }

    #[test]
    fn nobody_imports_a_program() {
        let manifest = "[dependencies]\ncommon.workspace = true\ncutter.workspace = true";
        assert_eq!(forbidden_in("backfiller", manifest), ["cutter"]);
        assert_eq!(forbidden_in("common", "[dev-dependencies]\ndemo.workspace = true"), ["demo"]);
    }

    #[test]
    fn a_new_name_or_a_target_hides_nothing() {
        let manifest =
            "[target.'cfg(unix)'.dependencies]\nc = { package = \"cutter\", path = \"../cutter\" }";
        assert_eq!(forbidden_in("restreamer", manifest), ["cutter"]);
    }

    #[test]
    fn demo_and_e2e_may_but_not_each_other_backwards() {
        let manifest =
            "[dependencies]\ncutter.workspace = true\n[dev-dependencies]\ndemo.workspace = true";
        assert!(forbidden_in("e2e", manifest).is_empty());
        assert_eq!(forbidden_in("demo", "[dependencies]\ne2e = { path = \"../e2e\" }"), ["e2e"]);
        assert_eq!(
            forbidden_in("e2e", "[dependencies]\nxtask = { path = \"../xtask\" }"),
            ["xtask"]
        );
        assert_eq!(forbidden_in("demo", "[dependencies]\nbenches.workspace = true"), ["benches"]);
    }
}
