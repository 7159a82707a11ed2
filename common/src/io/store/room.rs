//! How much room is left below the base folder.

use std::io;

use super::Store;
use super::faults::Step;

impl Store {
    /// How many bytes can still be written without being root.
    ///
    /// # Errors
    ///
    /// When the file system does not say, or [`Store::check`] fails.
    pub fn free_bytes(&self) -> io::Result<u64> {
        self.faults.check(Step::List)?;
        self.check()?;
        let status = rustix::fs::statvfs(self.base())?;
        Ok(status.f_bavail.saturating_mul(status.f_frsize))
    }
}
