//! The services' own word on which settings they read: their `--help`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{MissingTool, PORTS};
use crate::run::Workspace;

/// Read by every service before its options are.
const LOGGING: [&str; 2] = ["WUBLOADER_LOG", "WUBLOADER_LOG_FORMAT"];

/// The settings that each service reads.
#[derive(Debug)]
pub(super) struct Programs {
    settings: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Programs {
    /// Asks the services that lie beside this program; `None` when they are not all built.
    ///
    /// # Errors
    ///
    /// When one is not built and that counts as a failure, or does not answer.
    pub(super) fn ask(workspace: &Workspace, missing: MissingTool) -> Result<Option<Self>> {
        let folder = std::env::current_exe().context("find this program")?;
        let folder = folder.parent().unwrap_or(Path::new("."));
        let mut settings = BTreeMap::new();
        for (service, _) in PORTS {
            let program: PathBuf = folder.join(service);
            if !program.is_file() {
                if missing == MissingTool::Fail {
                    bail!("{} is not built", program.display());
                }
                println!(
                    "skipped: {} is not built, its settings are not checked",
                    program.display()
                );
                return Ok(None);
            }
            // one that does not know its `--help` would start its work and never end
            let asked = workspace.program("timeout").args(["10"]).args([&program]);
            let help = asked.args(["--help"]).output()?;
            settings.insert(service, names_in(&help));
        }
        Ok(Some(Self { settings }))
    }

    /// Refuses a setting that the service does not read.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub(super) fn expect(&self, service: &str, setting: &str) -> Result<()> {
        let reads = self.settings.get(service).is_some_and(|names| names.contains(setting));
        ensure!(reads || LOGGING.contains(&setting), "{service} reads no {setting}");
        Ok(())
    }

    /// Refuses a setting that no service reads.
    ///
    /// # Errors
    ///
    /// When none does.
    pub(super) fn expect_anywhere(&self, setting: &str) -> Result<()> {
        let reads = self.settings.values().any(|names| names.contains(setting));
        ensure!(reads || LOGGING.contains(&setting), "no service reads {setting}");
        Ok(())
    }
}

/// The variables in a help text: `[env: NAME=…]` and `[env: NAME]`.
fn names_in(help: &str) -> BTreeSet<String> {
    let after = help.split("[env: ").skip(1);
    let names = after.filter_map(|rest| rest.split(['=', ']']).next());
    names.map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::names_in;

    #[test]
    fn help_names_the_settings_with_and_without_values() {
        let help = "--base-dir <DIR>  Where [env: WUBLOADER_BASE_DIR=/data] [default: .]\n--database <DSN>  [env: WUBLOADER_DATABASE]\n";
        let names: Vec<_> = names_in(help).into_iter().collect();
        assert_eq!(names, ["WUBLOADER_BASE_DIR", "WUBLOADER_DATABASE"]);
    }
}
