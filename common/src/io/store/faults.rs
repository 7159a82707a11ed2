//! What a disk may refuse while a file is published; only tests let it.
//!
//! Each step is taken here and nowhere else, so that a test which is told of the steps knows what was
//! done, how often and in which order.
//!
//! Without the feature `test-util` there is nothing here but the names of the steps.

#[cfg(any(test, feature = "test-util"))]
use std::fmt;
use std::io;
#[cfg(any(test, feature = "test-util"))]
use std::sync::Arc;

/// A step on the way to a published file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Making the temp file and the folders above it.
    Create,
    /// Writing to it. Refused, half of the bytes are written all the same, as by a disk that fills up.
    Write,
    /// Flushing it.
    Flush,
    /// Giving it its final name.
    Rename,
    /// Flushing the folder.
    FlushFolder,
}

/// Decides what is refused.
#[cfg(any(test, feature = "test-util"))]
type Refusal = dyn Fn(Step) -> io::Result<()> + Send + Sync;

/// The disk's health, as far as a test decides about it.
#[derive(Clone, Default)]
#[cfg_attr(not(any(test, feature = "test-util")), derive(Debug))]
pub(super) struct Faults {
    #[cfg(any(test, feature = "test-util"))]
    refuse: Option<Arc<Refusal>>,
}

#[cfg(any(test, feature = "test-util"))]
impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("any", &self.refuse.is_some()).finish()
    }
}

impl Faults {
    /// Takes `step`, which is what `act` does, unless a test refuses it.
    pub(super) fn take<T>(&self, step: Step, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.check(step)?;
        act()
    }

    /// Whether `step` goes well, as far as a test decides about it.
    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn check(&self, step: Step) -> io::Result<()> {
        self.refuse.as_ref().map_or(Ok(()), |refuse| refuse(step))
    }

    /// Whether `step` goes well, as far as a test decides about it.
    #[cfg(not(any(test, feature = "test-util")))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "only tests refuse anything")]
    pub(super) fn check(&self, _: Step) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(any(test, feature = "test-util"))]
impl super::Store {
    /// The same store on a disk that refuses what `refuse` says: for tests.
    #[must_use]
    pub fn with_faults(
        mut self,
        refuse: impl Fn(Step) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.faults = Faults { refuse: Some(Arc::new(refuse)) };
        self
    }
}
