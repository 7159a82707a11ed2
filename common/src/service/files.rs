//! How many files a service may have open.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard one. Usually it is 1024, and for the sake of programs
/// that call select(2), which cannot see more; nothing here does. Connections and segments on their way
/// may be more than that, and every one beyond it would fail, at the busiest moment. Child processes
/// inherit it.
///
/// # Errors
///
/// When the system does not allow it; the limit stays what it was.
pub(super) fn raise_limit() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_files_may_be_open_as_the_system_allows() {
        let limit = getrlimit(Resource::Nofile);
        let most = limit.maximum.expect("the system bounds it");
        // one less than it may be, since lowering it further could fail other tests of this process
        setrlimit(Resource::Nofile, Rlimit { current: Some(most - 1), ..limit }).unwrap();
        raise_limit().unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, Some(most));
    }
}
