//! Bringing one hour of one feed up to date from one node.

use std::io;

use anyhow::Context;
use common::base::time::Hour;
use common::io::store::Feed;
use common::plan::listing::FolderKind;
use futures_util::{StreamExt, stream};
use rand::seq::SliceRandom;

use crate::diff::{self, Lacking};
use crate::fetch::{self, FetchError};
use crate::flights::Clearance;
use crate::folder::{Entry, Folder};
use crate::peer::Peer;
use crate::schedule::Target;
use crate::setbacks::Setbacks;
use crate::shared::Shared;
use crate::skips::Skips;

/// After how many failures of the kind that will not be alone the rest of the hour is left for later,
/// if not more than so many are fetched at once.
const GIVE_UP_AFTER: usize = 5;

/// What a worker remembers of one node's hours.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) setbacks: Setbacks,
    pub(crate) skips: Skips,
}

/// What came of one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HourReport {
    /// Segments and chat batches that were copied.
    pub(crate) copied: usize,
    /// Tombstones that were copied.
    pub(crate) tombstones: usize,
    /// Listings and files that could not be had.
    pub(crate) failed: usize,
    /// Of those, files whose bytes were not what their name says.
    pub(crate) lies: usize,
    /// Files that another node was giving.
    pub(crate) elsewhere: usize,
    /// Files that are left to the downloader.
    pub(crate) recent: usize,
    /// Files that are left alone, since this node failed to give them before.
    pub(crate) put_off: usize,
}

impl HourReport {
    /// Whether it is worth looking at the hour again soon.
    pub(crate) fn is_settled(&self) -> bool {
        self.copied + self.tombstones + self.failed + self.elsewhere + self.recent == 0
    }

    fn changed(&self) -> bool {
        self.copied + self.tombstones > 0
    }

    /// What is still missing, but for what is left to the downloader.
    fn missing(&self) -> usize {
        self.failed + self.elsewhere + self.put_off
    }
}

/// The hour of a feed that is being brought up to date.
#[derive(Clone, Copy)]
struct Visit<'a> {
    shared: &'a Shared,
    peer: &'a Peer,
    feed: &'a Feed,
    hour: Hour,
}

/// Copies what the node has of `target` and we lack.
///
/// Cancel safety: dropped in between, what was copied stays and nothing is half-written.
pub(crate) async fn bring_up_to_date(
    shared: &Shared,
    peer: &Peer,
    memory: &mut Memory,
    target: &Target,
) -> HourReport {
    let visit = Visit { shared, peer, feed: &target.feed, hour: target.hour };
    let mut report = HourReport::default();
    match visit.compare(memory).await {
        Ok(lacking) => {
            report.recent = lacking.recent;
            visit.copy_tombstones(&lacking.tombstones, &mut report).await;
            visit.copy_files(lacking.files, memory, &mut report).await;
        }
        Err(error) => visit.failed(&mut report, None, &error),
    }
    visit.tell(&report);
    report
}

impl Visit<'_> {
    async fn compare(&self, memory: &mut Memory) -> anyhow::Result<Lacking> {
        let Self { shared, peer, feed, hour } = *self;
        let remote = peer.folder(feed, hour).await.context("list the hour there")?;
        let place = || format!("{}/{}/{hour}", feed.channel, feed.quality);
        memory.skips.tell(shared, peer.node(), place, &remote.skipped);
        let mut beside = Vec::new();
        for hour in diff::reaches(&remote, hour) {
            let folder = self.ours(hour).await?;
            beside.extend(folder.uncovered());
        }
        let ours = self.ours(hour).await?;
        let lacking = diff::lacking(&ours, &beside, &remote, shared.newest_start());
        shared.metrics.small_differences(peer.node(), feed, hour, lacking.small_differences);
        Ok(lacking)
    }

    /// What is here.
    async fn ours(&self, hour: Hour) -> anyhow::Result<Folder> {
        let feed = self.feed.clone();
        let kind = FolderKind::of(feed.quality.as_str());
        let names = self.shared.store.blocking(move |store| store.file_names(&feed, hour)).await;
        Ok(Folder::new(kind, hour, names.context("list the hour here")?))
    }

    async fn copy_tombstones(&self, tombstones: &[Box<str>], report: &mut HourReport) {
        for name in tombstones {
            match fetch::tombstone(&self.shared.store, self.feed, self.hour, name).await {
                Ok(_) => {
                    report.tombstones += 1;
                    self.shared.metrics.tombstone_copied(self.peer.node(), self.feed);
                }
                Err(error) => {
                    let error = anyhow::Error::new(error).context("write a tombstone");
                    self.failed(report, Some(name), &error);
                    return;
                }
            }
        }
    }

    async fn copy_files(&self, files: Vec<Entry>, memory: &mut Memory, report: &mut HourReport) {
        let all = files.len();
        let mut wanted: Vec<Entry> = files
            .into_iter()
            .filter(|entry| !memory.setbacks.holds_back(self.feed, entry))
            .collect();
        report.put_off = all - wanted.len();
        // so that the workers of several nodes seldom want the same file at the same time
        wanted.shuffle(&mut rand::rng());
        let concurrency = self.shared.config.concurrency;
        let visit = *self;
        let fetches = wanted.into_iter().map(|entry| async move {
            let copied = visit.copy(&entry).await;
            (entry, copied)
        });
        let mut fetches = stream::iter(fetches).buffer_unordered(concurrency);
        let mut failed_in_a_row = 0;
        while let Some((entry, copied)) = fetches.next().await {
            let general = self.count(&entry, copied, memory, report);
            failed_in_a_row = if general { failed_in_a_row + 1 } else { 0 };
            if failed_in_a_row >= GIVE_UP_AFTER.max(concurrency) {
                return;
            }
        }
    }

    async fn copy(&self, entry: &Entry) -> Result<Copied, FetchError> {
        let Self { shared, peer, feed, hour } = *self;
        let flight = loop {
            match shared.flights.claim(feed, entry) {
                Clearance::Go(flight) => break flight,
                Clearance::Elsewhere => return Ok(Copied::Elsewhere),
                Clearance::Landed { hour, file_name } => {
                    // not merely taken for granted: it may have been removed since
                    let path = shared.store.hour_path(feed, hour).join(&*file_name);
                    if tokio::fs::try_exists(path).await? {
                        return Ok(Copied::Already);
                    }
                    shared.flights.forget(feed, entry);
                }
            }
        };
        let published = fetch::segment(peer, &shared.store, feed, hour, entry).await?;
        flight.landed(&entry.file_name);
        Ok(if published.already_there { Copied::Already } else { Copied::Now })
    }

    /// Counts what came of a file; returns whether it failed in a way that others will too.
    fn count(
        &self,
        entry: &Entry,
        copied: Result<Copied, FetchError>,
        memory: &mut Memory,
        report: &mut HourReport,
    ) -> bool {
        let Self { shared, peer, feed, hour } = *self;
        match copied {
            Ok(Copied::Now) => {
                report.copied += 1;
                memory.setbacks.clear(feed, entry);
                shared.metrics.copied(peer.node(), feed, hour);
                false
            }
            Ok(Copied::Already) => false,
            Ok(Copied::Elsewhere) => {
                report.elsewhere += 1;
                false
            }
            Err(error) => {
                if matches!(error, FetchError::Mismatch { .. }) {
                    shared.metrics.mismatched(peer.node(), feed, hour);
                }
                if error.is_lasting() {
                    memory.setbacks.add(feed, entry);
                }
                let is_general = error.is_general();
                self.failed(report, Some(&entry.file_name), &error.into());
                is_general
            }
        }
    }

    /// Counts a failure, and speaks of the first one of an hour and of the first lie: a node whose
    /// disk is bad lies thousands of times.
    fn failed(&self, report: &mut HourReport, file: Option<&str>, error: &anyhow::Error) {
        let Self { shared, peer, feed, hour } = *self;
        report.failed += 1;
        shared.metrics.failed(peer.node());
        let (node, channel, quality, file) =
            (peer.node(), &feed.channel, &feed.quality, file.unwrap_or_default());
        let of_fetch = error.downcast_ref();
        let is_lie = matches!(of_fetch, Some(FetchError::Mismatch { .. }));
        report.lies += usize::from(is_lie);
        // only ours can be an error of the disk
        let is_ours = error.is::<io::Error>() || matches!(of_fetch, Some(FetchError::Disk(_)));
        if is_ours && report.failed == 1 {
            tracing::error!(%node, %channel, %quality, %hour, file, "cannot copy: {error:#}");
        } else if report.failed == 1 || is_lie && report.lies == 1 {
            tracing::warn!(%node, %channel, %quality, %hour, file, "cannot copy: {error:#}");
        } else {
            tracing::debug!(%node, %channel, %quality, %hour, file, "cannot copy: {error:#}");
        }
    }

    fn tell(&self, report: &HourReport) {
        let Self { shared, peer, feed, hour } = *self;
        if report.lies > 1 {
            let (node, channel, quality, files) =
                (peer.node(), &feed.channel, &feed.quality, report.lies);
            tracing::warn!(%node, %channel, %quality, %hour, files, "sent wrong bytes");
        }
        if !report.changed() {
            return;
        }
        if report.missing() + report.recent == 0 {
            shared.metrics.hour_completed(peer.node(), feed);
        }
        tracing::info!(
            node = %peer.node(),
            channel = %feed.channel,
            quality = %feed.quality,
            %hour,
            segments = report.copied,
            tombstones = report.tombstones,
            missing = report.missing(),
            recent = report.recent,
            "copied"
        );
    }
}

/// What became of a file that was not refused.
enum Copied {
    /// It came from this node.
    Now,
    /// It had come from another.
    Already,
    /// Another node is giving it.
    Elsewhere,
}

#[cfg(test)]
mod tests;
