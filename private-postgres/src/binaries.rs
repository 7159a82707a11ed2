//! Where PostgreSQL's programs are: Debian's versioned folders first, then `PATH`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// Where Debian and Ubuntu install each major version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The folder that holds `initdb`, `postgres` and `createdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries(PathBuf);

impl Binaries {
    /// Finds the newest version, or the one that made the cluster in `data` when there is one.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`], or [`Error::OtherVersion`] when only other versions are there.
    pub(crate) fn find(data: Option<&Path>) -> Result<Self, Error> {
        let wanted = data.and_then(cluster_version);
        let installed = installed(Path::new(VERSIONS));
        if let (Some(data), Some(version)) = (data, wanted) {
            // Only the folders say their version; what PATH offers is taken to be right.
            return match installed.iter().find(|(number, _)| *number == version) {
                Some((_, found)) => Ok(found.clone()),
                None if installed.is_empty() => in_path().ok_or(Error::NotInstalled),
                None => {
                    Err(Error::OtherVersion { data: data.to_owned(), version: version.to_string() })
                }
            };
        }
        installed
            .into_iter()
            .max_by_key(|(number, _)| *number)
            .map(|(_, found)| found)
            .or_else(in_path)
            .ok_or(Error::NotInstalled)
    }

    /// Returns the path of one program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn complete(folder: PathBuf) -> Option<Self> {
        let complete = ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
        complete.then_some(Self(folder))
    }
}

/// Reads the major version that made a cluster.
fn cluster_version(data: &Path) -> Option<u32> {
    let text = fs::read_to_string(data.join("PG_VERSION")).ok()?;
    text.trim().parse().ok()
}

fn installed(versions: &Path) -> Vec<(u32, Binaries)> {
    let Ok(entries) = fs::read_dir(versions) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let number = entry.file_name().to_str()?.parse().ok()?;
            Some((number, Binaries::complete(entry.path().join("bin"))?))
        })
        .collect()
}

fn in_path() -> Option<Binaries> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).find_map(Binaries::complete)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Binaries, installed};

    #[test]
    fn counts_only_versions_with_both_programs() {
        let root = tempfile::tempdir().unwrap();
        for (version, programs) in [
            ("9", &["initdb", "postgres"][..]),
            ("15", &["initdb", "postgres"]),
            ("17", &["postgres"]),
            ("notes", &["initdb", "postgres"]),
        ] {
            let bin = root.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            for program in programs {
                fs::write(bin.join(program), "").unwrap();
            }
        }
        let mut found = installed(root.path());
        found.sort_by_key(|(number, _)| *number);
        let bin = |version: &str| Binaries(root.path().join(version).join("bin"));
        assert_eq!(found, [(9, bin("9")), (15, bin("15"))]);
    }
}
