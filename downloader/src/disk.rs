//! How much room the disk has, and how long it lasts at the present pace.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::io::store::Store;
use common::metrics::Metrics;
use common::service::CancellationToken;
use prometheus::Gauge;
use tokio::time::{Instant, timeout};

use crate::held::{Holding, Late, Work};

/// How often the disk is asked.
const EVERY: Duration = Duration::from_secs(15);
/// Over how long the pace is taken: a backlog or a break of a minute changes little.
const PACE_OVER: Duration = Duration::from_mins(5);

/// Counts the bytes that were stored; clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored(Arc<AtomicU64>);

impl Stored {
    pub(crate) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long it is waited for an answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Asks how much room there is, never twice at a time.
#[derive(Debug)]
struct Asking {
    store: Store,
    holding: Holding,
    /// What has not been answered yet.
    late: Option<Late<()>>,
}

impl Asking {
    async fn free_bytes(&mut self) -> io::Result<u64> {
        if let Some(late) = &mut self.late
            && timeout(Duration::ZERO, late).await.is_err()
        {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.late = None;
        let ask = self.holding.ask(Work::Listings, ANSWERS_WITHIN, &self.store, Store::free_bytes);
        ask.await.unwrap_or_else(|late| {
            self.late = late.map(|late| late.map(drop));
            Err(io::ErrorKind::TimedOut.into())
        })
    }
}

/// Keeps the metrics of the disk below `store` up to date until `stop`.
///
/// # Errors
///
/// Never: a disk that does not say how much room it has is shown as full.
///
/// Cancel safety: dropped, it only stops.
pub(crate) async fn watch(
    (store, holding): (Store, Holding),
    stored: Stored,
    metrics: Metrics,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let free_help = "Bytes that can still be written below the base folder";
    let hours_help =
        "Hours until the disk is full if all goes on as in the last minutes; infinite at rest";
    let gauge = |name, help| -> Gauge {
        metrics.float_gauge(name, help, &[]).with_label_values::<&str>(&[])
    };
    let (free_gauge, hours_gauge) =
        (gauge("disk_free_bytes", free_help), gauge("disk_hours_left", hours_help));
    let mut pace = Pace::default();
    let mut asking = Asking { store, holding, late: None };
    loop {
        let free = asking.free_bytes().await.unwrap_or_else(|error| {
            tracing::debug!("cannot tell how much room the disk has: {error}");
            0
        });
        pace.note(Instant::now(), stored.bytes());
        free_gauge.set(float(free));
        hours_gauge.set(pace.hours_for(free));
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// How fast bytes are stored. Pure.
#[derive(Debug, Default)]
struct Pace {
    /// How many bytes had been stored at these moments, oldest first; the first one is the newest that
    /// is at least [`PACE_OVER`] before the last.
    noted: VecDeque<(Instant, u64)>,
}

impl Pace {
    fn note(&mut self, now: Instant, bytes: u64) {
        self.noted.push_back((now, bytes));
        let is_old = |noted: Option<&(Instant, u64)>| {
            noted.is_some_and(|(at, _)| now.saturating_duration_since(*at) >= PACE_OVER)
        };
        while is_old(self.noted.get(1)) {
            self.noted.pop_front();
        }
    }

    /// How many hours it takes to store `bytes`.
    fn hours_for(&self, bytes: u64) -> f64 {
        let (Some((from, before)), Some((to, after))) = (self.noted.front(), self.noted.back())
        else {
            return f64::INFINITY;
        };
        let per_hour = float(after - before) / (*to - *from).as_secs_f64() * 3600.0;
        // at the beginning there is no time in between
        if per_hour > 0.0 { float(bytes) / per_hour } else { f64::INFINITY }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to petabytes")]
fn float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use common::io::store::{Hang, Step};

    use super::*;

    #[test]
    fn the_pace_is_that_of_the_last_minutes() {
        let (mut pace, began) = (Pace::default(), Instant::now());
        assert!(pace.hours_for(1).is_infinite());
        let mut note = |minutes, bytes| {
            pace.note(began + Duration::from_mins(minutes), bytes);
            pace.hours_for(6_000)
        };
        assert!(note(0, 1_000).is_infinite());
        assert!((note(1, 1_100) - 1.0).abs() < 1e-9, "100 bytes a minute");
        assert!((note(2, 1_300) - 2.0 / 3.0).abs() < 1e-9, "300 in two minutes");
        // the first minutes are forgotten
        assert!((note(6, 1_600) - 1.0).abs() < 1e-9, "500 in five minutes");
        assert!(note(12, 1_600).is_infinite(), "nothing in six minutes");
        assert!(pace.noted.len() <= 3);
    }

    #[tokio::test]
    async fn the_room_of_the_disk_is_shown_and_none_when_it_is_gone() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), common::io::store::Access::Write).unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        for (gone, expected) in [(false, true), (true, false)] {
            if gone {
                std::fs::remove_dir(base.path()).unwrap();
            }
            let metrics = Metrics::empty();
            let of = (store.clone(), Holding::new(0, &Metrics::empty()));
            watch(of, Stored::default(), metrics.clone(), stop.clone()).await.unwrap();
            let text = metrics.render();
            assert_eq!(!text.contains("\ndisk_free_bytes 0\n"), expected, "{text}");
            assert!(
                text.contains("\ndisk_hours_left inf\n")
                    || text.contains("\ndisk_hours_left +Inf\n"),
                "{text}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_does_not_answer_is_shown_as_full_and_asked_once() {
        let base = tempfile::tempdir().unwrap();
        let disk = Hang::default();
        let store = Store::open(base.path(), common::io::store::Access::Write).unwrap();
        let (store, holding) = (disk.under(store), Holding::new(0, &Metrics::empty()));
        disk.at(Step::List, 0);
        let mut asking = Asking { store, holding, late: None };
        for _ in 0..3 {
            let moved = async {
                while disk.count() == 0 {
                    tokio::task::yield_now().await;
                }
                tokio::time::advance(ANSWERS_WITHIN).await;
            };
            let (asked, ()) = tokio::join!(asking.free_bytes(), moved);
            assert!(asked.is_err());
            assert!(asking.late.is_some(), "it is waited for, and nothing else is asked");
        }
        assert_eq!(disk.most(), 1);
        disk.release();
        while asking.free_bytes().await.is_err() {
            tokio::task::yield_now().await;
        }
    }
}
