//! Whom the server runs as: the caller, or an unprivileged account when the caller is root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::Error;

/// A user and group to run as, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Accounts to which root hands the server, in order of preference.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

impl Account {
    /// Returns the account to switch to, or `None` when the caller can run the server itself.
    ///
    /// A cluster that exists already is run as its owner: no other account could read it.
    ///
    /// # Errors
    ///
    /// [`Error::NoAccount`] when the caller is root and no unprivileged account exists.
    pub(crate) fn for_server(data: Option<&Path>) -> Result<Option<Self>, Error> {
        if caller_uid()? != 0 {
            return Ok(None);
        }
        if let Some(owner) = data.and_then(Self::owner_of_cluster) {
            return Ok(Some(owner));
        }
        let passwd = fs::read_to_string("/etc/passwd").map_err(Error::io("read", "/etc/passwd"))?;
        UNPRIVILEGED
            .iter()
            .find_map(|name| Self::in_passwd(&passwd, name))
            .map(Some)
            .ok_or(Error::NoAccount)
    }

    fn owner_of_cluster(data: &Path) -> Option<Self> {
        let made = fs::metadata(data.join("PG_VERSION")).ok()?;
        let owner = Self { uid: made.uid(), gid: made.gid() };
        (owner.uid != 0).then_some(owner)
    }

    /// Reads one account's numbers from the text of a passwd file; root is no answer.
    fn in_passwd(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        let uid = fields.next()?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some(Self { uid, gid })
    }
}

/// Returns the caller's effective user, which owns its folder in /proc.
pub(crate) fn caller_uid() -> Result<u32, Error> {
    let folder = Path::new("/proc/self");
    Ok(fs::metadata(folder).map_err(Error::io("look at", folder))?.uid())
}

#[cfg(test)]
mod tests {
    use super::Account;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        postgres2:x:7:8::/:/bin/sh\n\
        toor:x:0:0::/:/bin/sh\n\
        odd:x:seven:8::/:/bin/sh\n\
        postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\n";

    #[test]
    fn reads_numbers_of_the_exact_name_only() {
        let found = Account::in_passwd(PASSWD, "postgres");
        assert_eq!(found, Some(Account { uid: 101, gid: 104 }));
        assert_eq!(Account::in_passwd(PASSWD, "postgre"), None);
        assert_eq!(Account::in_passwd(PASSWD, "odd"), None);
    }

    #[test]
    fn never_takes_another_root() {
        assert_eq!(Account::in_passwd(PASSWD, "toor"), None);
    }
}
