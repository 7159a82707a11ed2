//! A feed on a disk that hangs over what is stored.

use chrono::TimeDelta;
use common::format::hls::MediaPlaylist;
use common::format::segment::MediaDuration;
use common::io::store::notes::Note;
use common::io::store::{Access, Hang, Step};

use super::*;
use crate::config::Source;
use crate::planner::Shown;
use crate::provider::Provider;
use crate::testing::shared;

/// A store on a disk that may hang, and what all feeds on it share, which waits for it for `patience`.
fn on(disk: &Hang, patience: Duration) -> (tempfile::TempDir, Shared) {
    let base = tempfile::tempdir().unwrap();
    let mut shared = shared(disk.under(Store::open(base.path(), Access::Write).unwrap()));
    shared.means.patience.disk = patience;
    (base, shared)
}

fn address() -> Url {
    "http://127.0.0.1:9/live.m3u8".parse().unwrap()
}

fn feed() -> Feed {
    Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() }
}

async fn open(shared: &Shared) -> Recorder {
    let rules = Provider::new(&Source::Url(address()), &shared.providers).rules();
    let status = shared.statuses.of(&feed(), false);
    Recorder::open(shared, feed(), 0, &rules, status).await
}

/// A list of one segment, of that number.
fn list(number: u64) -> MediaPlaylist {
    let text = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{number}\n\
         #EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:{:02}Z\n#EXTINF:2.0,\n{number}.ts\n",
        2 * number
    );
    MediaPlaylist::parse(text.as_bytes()).unwrap()
}

async fn observe(recorder: &mut Recorder, source: SourceId, number: u64) {
    let (list, base) = (list(number), Arc::new(address()));
    let shown = Shown { list: &list, base: &base, advertisements: &[] };
    recorder.observe(source, &shown).await;
}

#[tokio::test]
async fn lists_are_taken_in_while_the_disk_hangs_over_what_is_stored() {
    let disk = Hang::default();
    let (_base, shared) = on(&disk, Duration::from_millis(50));
    let mut recorder = open(&shared).await;
    let source = recorder.open_source(&address());
    disk.at(Step::List, 0);
    for number in 1..5 {
        observe(&mut recorder, source, number).await;
        assert_eq!(recorder.planner.due(Instant::now(), 9).len(), 1, "number {number} is fetched");
    }
    assert_eq!(disk.most(), 1, "one look at a time");
    disk.release();
    let holding = &shared.means.holding;
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while holding.hangs() {
        assert!(std::time::Instant::now() < deadline, "it hangs for ever");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    observe(&mut recorder, source, 5).await;
    assert!(recorder.known.has_read(list(5).segments[0].program_date_time.unwrap().hour()));
}

/// Lets that time pass once so many threads hang.
async fn pass(disk: &Hang, hang: usize, time: Duration) {
    while disk.count() < hang {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(time).await;
}

#[tokio::test(start_paused = true)]
async fn a_feed_begins_though_the_disk_hangs_over_what_was_recorded_and_notes_the_hole_later() {
    let disk = Hang::default();
    let (_base, shared) = on(&disk, Duration::from_secs(5));
    let start = |number| list(number).segments[0].program_date_time.unwrap();
    let stored = |start| {
        let duration = MediaDuration::from_seconds(2.0).unwrap();
        let mut draft = shared.store.draft_segment(&feed(), start, duration).unwrap();
        draft.append(&[b"video"]).unwrap();
        draft.publish(Completeness::Full).unwrap();
    };
    // longer ago than is looked back from what this process records
    let last = start(0) - TimeDelta::hours(2);
    stored(last);
    disk.at(Step::List, 0);
    let (mut recorder, ()) = tokio::join!(open(&shared), pass(&disk, 1, RECALLED_WITHIN));
    let source = recorder.open_source(&address());
    let observed = observe(&mut recorder, source, 7);
    tokio::join!(observed, pass(&disk, 2, Duration::from_secs(5)));
    assert_eq!(recorder.planner.due(Instant::now(), 9).len(), 1);
    stored(start(7));
    disk.release();
    tokio::time::resume();
    let notes_are_begun = async {
        while recorder.recalling.is_some() {
            assert!(timeout(Duration::from_millis(1), recorder.next()).await.is_err());
        }
    };
    timeout(Duration::from_secs(10), notes_are_begun).await.expect("it is read");
    recorder.notes.finish().await;
    let notes = Notes::new(shared.store.clone(), shared.node.clone(), feed());
    let missing = |note: &Note| match note {
        Note::Missing { start, duration, why, .. } => Some((*start, *duration, *why)),
        Note::Discontinuity { .. } => None,
    };
    let missing: Vec<_> = notes.read(last.hour()).unwrap().iter().filter_map(missing).collect();
    let (from, to) = (last + TimeDelta::seconds(2), start(7));
    assert_eq!(missing, [(from, (to - from).as_seconds_f64(), Why::Stopped)]);
}

#[tokio::test]
async fn what_is_fetched_again_at_once_is_not_given_up() {
    let (_base, shared) = on(&Hang::default(), Duration::from_secs(5));
    let mut recorder = open(&shared).await;
    let source = recorder.open_source(&address());
    observe(&mut recorder, source, 1).await;
    let job = recorder.planner.due(Instant::now(), 9).remove(0);
    let full = |retry| Failure { why: Why::DiskFull, detail: String::new(), retry };
    recorder.failed(&job, &full(Retry::After(Duration::ZERO)));
    assert_eq!(recorder.status.get(), Status::Starting);
    recorder.failed(&job, &full(Retry::WhileListed));
    assert_eq!(recorder.status.get(), Status::Failing);
}
