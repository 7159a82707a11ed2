//! What the tests have in common: programs under watch, the demo, recordings, small servers that lie.

mod clockwork;
mod demo_run;
mod no_database;
mod origin;
mod process;
mod processes;
mod recording;
mod service;
mod small_disk;
mod watch;

pub(crate) use clockwork::{Clockwork, Pace};
pub(crate) use demo_run::{CHEAP, DemoRun};
pub(crate) use no_database::NoDatabase;
pub(crate) use origin::Origin;
pub(crate) use process::{Process, program};
pub(crate) use processes::processes_in;
pub(crate) use recording::{Missing, Recorded, missing, recorded, recorder_arguments, unfinished};
pub(crate) use service::{Service, arguments};
pub(crate) use small_disk::SmallDisk;
pub(crate) use watch::Watch;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use common::io::http::client::{Client, Options};
use common::metrics::Metrics;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long anything may take that should be quick, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Looks until something is there.
///
/// # Panics
///
/// When it is not there within [`PATIENCE`].
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come true");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What `url` answers with status 200, if it does.
pub(crate) async fn body(url: &str) -> Option<String> {
    const MAX_BYTES: usize = 16 << 20;
    let client = Client::new(&Metrics::empty(), Options::default());
    let request = client.get(url.parse().expect("tests know addresses"));
    let answer = client.send("test", request).await.ok()?;
    if answer.status() != 200 {
        return None;
    }
    answer.text(MAX_BYTES).await.ok()
}

/// The number that the variable `name` of the environment holds, for tests that may take longer by hand.
pub(crate) fn number_from(name: &str) -> Option<usize> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|error| panic!("{name}={value:?}: {error}")))
}

/// A temporary folder that the database's account can pass through, too.
pub(crate) fn world_readable_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
    folder
}
