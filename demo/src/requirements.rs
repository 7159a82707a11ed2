//! What must be installed before anything can start.

use std::env;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::node::Role;

/// The distribution's programs, and the Debian package of each.
const PROGRAMS: [(&str, &str); 3] =
    [("ffmpeg", "ffmpeg"), ("ffprobe", "ffmpeg"), ("setpriv", "util-linux")];

/// The font of the burned-in clock.
pub(crate) const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf";
const FONT_PACKAGE: &str = "fonts-dejavu-core";

/// Something that is missing, and how to get it.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A program or file of the distribution.
    #[error(
        "{what} not found; as root, run: apt-get install --no-install-recommends {}",
        packages.join(" ")
    )]
    Packages {
        /// What was looked for.
        what: String,
        /// What brings it.
        packages: Vec<&'static str>,
    },
    /// A service's program, which is built beside the demo's.
    #[error("{} is not there; build the services: cargo build --workspace", .0.display())]
    Service(PathBuf),
}

/// The services' programs, which lie beside the demo's own.
#[derive(Clone, Debug)]
pub(crate) struct Services(PathBuf);

impl Services {
    /// The program of `role`.
    pub(crate) fn program(&self, role: Role) -> PathBuf {
        self.0.join(role.name())
    }
}

/// Finds the services' programs and looks whether the distribution's are there.
///
/// # Errors
///
/// Names what is missing.
pub(crate) fn check() -> Result<Services, Missing> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    packages(&folders, Path::new(FONT))?;
    let own = env::current_exe().unwrap_or_default();
    services(own.parent().unwrap_or(Path::new("")))
}

fn packages(folders: &[PathBuf], font: &Path) -> Result<(), Missing> {
    let is_there =
        |name: &&(&str, &str)| folders.iter().any(|folder| folder.join(name.0).is_file());
    let missing = PROGRAMS.iter().filter(|program| !is_there(program));
    let mut missing: Vec<(&str, &'static str)> = missing.copied().collect();
    if !font.is_file() {
        missing.push((FONT, FONT_PACKAGE));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let what: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    Err(Missing::Packages { what: what.join(", "), packages })
}

/// The services beside the demo; a test's own program lies one folder below them.
fn services(folder: &Path) -> Result<Services, Missing> {
    let candidates = [Some(folder), folder.parent()];
    let complete = |folder: &&Path| Role::ALL.iter().all(|role| folder.join(role.name()).is_file());
    if let Some(folder) = candidates.into_iter().flatten().find(complete) {
        return Ok(Services(folder.to_owned()));
    }
    let absent = Role::ALL.iter().map(|role| folder.join(role.name()));
    let first = absent.into_iter().find(|program| !program.is_file());
    Err(Missing::Service(first.unwrap_or_else(|| folder.to_owned())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_missing_are_named_with_the_command_that_brings_them() {
        let folder = tempfile::tempdir().unwrap();
        let font = folder.path().join("font");
        let folders = [folder.path().to_owned()];
        fs::write(folder.path().join("setpriv"), "").unwrap();
        let error = packages(&folders, &font).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "ffmpeg, ffprobe, {FONT} not found; as root, run: apt-get install \
                 --no-install-recommends ffmpeg fonts-dejavu-core"
            )
        );
        for name in ["ffmpeg", "ffprobe", "font"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        packages(&folders, &font).unwrap();
    }

    #[test]
    fn services_lie_beside_the_demo_or_above_a_test() {
        let folder = tempfile::tempdir().unwrap();
        let deps = folder.path().join("deps");
        fs::create_dir(&deps).unwrap();
        for role in Role::ALL {
            let error = services(folder.path()).unwrap_err();
            assert_eq!(error, Missing::Service(folder.path().join(role.name())));
            fs::write(folder.path().join(role.name()), "").unwrap();
        }
        let found = services(&deps).unwrap();
        assert_eq!(found.program(Role::Cutter), folder.path().join("cutter"));
    }
}
