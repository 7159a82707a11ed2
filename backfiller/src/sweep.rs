//! Removing what a backfiller that died left half-written.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::base::time::Timestamp;
use common::service::Context;

use crate::fetch;
use crate::shared::Shared;

/// How often.
const EVERY: Duration = Duration::from_hours(6);
/// How old a temp file must be before it is nobody's; the store has the same rule for segments.
const ABANDONED_AFTER: Duration = Duration::from_hours(24);

/// Starts sweeping what is copied to, now and then, until the service stops.
pub(crate) fn start(shared: &Arc<Shared>, context: &Context) {
    let (shared, stop) = (Arc::clone(shared), context.stop.clone());
    context.tasks.spawn("sweep", async move {
        loop {
            sweep(&shared).await;
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
}

async fn sweep(shared: &Shared) {
    let (now, config) = (shared.clock.now(), &shared.config);
    for feed in &config.feeds {
        let place = format!("{}/{}", feed.channel, feed.quality);
        let feed = feed.clone();
        let swept = shared.store.blocking(move |store| store.sweep_temp_files(&feed, now));
        report(&place, swept.await);
    }
    for extra in &config.extras {
        let folder = shared.store.base().join(extra.as_str());
        let swept = shared.store.blocking(move |_| sweep_tree(&folder, now));
        report(extra.as_str(), swept.await);
    }
}

fn report(place: &str, swept: io::Result<usize>) {
    match swept {
        Ok(0) => {}
        Ok(count) => tracing::info!(place, count, "removed abandoned temp files"),
        Err(error) => tracing::warn!(place, "cannot sweep temp files: {error}"),
    }
}

/// Removes the temp files of a plain tree that were last written more than a day before `now`;
/// returns how many.
fn sweep_tree(folder: &Path, now: Timestamp) -> io::Result<usize> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        // not what a link leads to
        if entry.file_type()?.is_dir() {
            removed += sweep_tree(&entry.path(), now)?;
        } else if entry.file_name().to_str().is_some_and(fetch::is_hidden_temp) {
            let modified = DateTime::<Utc>::from(entry.metadata()?.modified()?);
            let modified = Timestamp::from_naive(modified.naive_utc());
            let is_abandoned = now.saturating_since(modified) > ABANDONED_AFTER;
            removed += usize::from(is_abandoned && std::fs::remove_file(entry.path()).is_ok());
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use common::base::time::{Clock, SystemClock};

    use super::*;

    #[test]
    fn only_old_temp_files_of_a_tree_are_swept() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("a/b");
        std::fs::create_dir_all(&folder).unwrap();
        let temp = fetch::hidden_beside(&folder.join("x"));
        let others = [folder.join("x"), folder.join(".x.temp"), folder.join("x.temp")];
        for path in others.iter().chain([&temp]) {
            std::fs::write(path, "").unwrap();
        }
        let now = SystemClock.now();
        assert_eq!(sweep_tree(base.path(), now + TimeDelta::hours(23)).unwrap(), 0);
        assert_eq!(sweep_tree(base.path(), now + TimeDelta::hours(25)).unwrap(), 1);
        assert!(!temp.exists() && others.iter().all(|path| path.exists()));
        assert_eq!(sweep_tree(&base.path().join("none"), now).unwrap(), 0);
    }
}
