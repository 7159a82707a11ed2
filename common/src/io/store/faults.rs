//! What a disk may refuse, or hang at, while a file is published; only tests let it.
//!
//! Each step is taken here and nowhere else, so that a test which is told of the steps knows what was
//! done, how often and in which order.
//!
//! Without the feature `test-util` there is nothing here but the names of the steps.

#[cfg(any(test, feature = "test-util"))]
use std::fmt;
use std::io;
#[cfg(any(test, feature = "test-util"))]
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A step on the way to a published file, or beside it.
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
    /// Removing the temp file, which is done all the same if it is refused.
    Remove,
    /// Reading a folder, or how much room there is.
    List,
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

/// A disk that hangs at some steps until it is released, or dropped: for tests.
#[cfg(any(test, feature = "test-util"))]
#[derive(Debug, Default)]
pub struct Hang {
    shared: Arc<Hanging>,
}

#[cfg(any(test, feature = "test-util"))]
#[derive(Debug, Default)]
struct Hanging {
    state: Mutex<HangState>,
    released: Condvar,
}

#[cfg(any(test, feature = "test-util"))]
#[derive(Debug, Default)]
struct HangState {
    /// At which steps it hangs, each once it was passed so many times.
    at: Vec<(Step, usize)>,
    hang: usize,
    most: usize,
    /// What is refused from then on to those who hung.
    refusal: Option<io::ErrorKind>,
}

#[cfg(any(test, feature = "test-util"))]
impl Hang {
    /// `store` on this disk.
    #[must_use]
    pub fn under(&self, store: super::Store) -> super::Store {
        let shared = Arc::clone(&self.shared);
        store.with_faults(move |step| shared.pass(step))
    }

    /// From now on, whatever comes to `step` hangs, once that was passed so many times.
    pub fn at(&self, step: Step, passes: usize) {
        self.shared.state().at.push((step, passes));
    }

    /// Nothing hangs any more.
    pub fn release(&self) {
        self.end(None);
    }

    /// Nothing hangs any more, and what hung is refused.
    pub fn refuse(&self, error: io::ErrorKind) {
        self.end(Some(error));
    }

    fn end(&self, refusal: Option<io::ErrorKind>) {
        let mut state = self.shared.state();
        state.at.clear();
        state.refusal = refusal;
        drop(state);
        self.shared.released.notify_all();
    }

    /// How many threads hang.
    pub fn count(&self) -> usize {
        self.shared.state().hang
    }

    /// How many threads ever hung at a time.
    pub fn most(&self) -> usize {
        self.shared.state().most
    }
}

#[cfg(any(test, feature = "test-util"))]
impl Drop for Hang {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(any(test, feature = "test-util"))]
impl Hanging {
    fn state(&self) -> MutexGuard<'_, HangState> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn pass(&self, step: Step) -> io::Result<()> {
        let mut state = self.state();
        let Some((_, passes)) = state.at.iter_mut().find(|(at, _)| *at == step) else {
            return Ok(());
        };
        if *passes > 0 {
            *passes -= 1;
            return Ok(());
        }
        state.hang += 1;
        state.most = state.most.max(state.hang);
        let hangs = |state: &mut HangState| state.at.iter().any(|(at, _)| *at == step);
        let waited = self.released.wait_while(state, hangs);
        let mut state = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        state.hang -= 1;
        state.refusal.map_or(Ok(()), |refusal| Err(refusal.into()))
    }
}
