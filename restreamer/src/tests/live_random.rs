//! What a player that reloads sees of a playlist that grows, whatever happens to what is stored.
//!
//! Covered: windows, playlists with a start, with a start and an end that is to come, and with
//! neither; segments that are missed, late, damaged, cut otherwise, hidden, brought back or deleted,
//! hours that are deleted in part or as a whole, segments and folders of the future, a publisher whose
//! clock is not ours, and a service that starts again. Left out: what segments hold, a clock that is set,
//! readers that come less often than every five minutes, and a publisher that stops while its clock is
//! more than a pause behind ours, where a wrong date in between cannot be told from a right one.

use std::path::PathBuf;

use chrono::TimeDelta;
use common::base::hash::ContentHash;
use common::base::time::{Hour, Timestamp};
use common::format::segment::{Completeness, MediaDuration, SegmentName, Tail};
use common::io::store::{Access, Store};
use common::metrics::Metrics;
use common::plan::live::PATIENCE;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use self::viewer::{Viewer, is_stored};
use super::feed;
use crate::playlist::live::LivePlaylists;
use crate::playlist::media::MediaPlaylist;
use crate::playlist::span::Asked;

mod viewer;

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    /// The next two seconds were recorded.
    Recorded(Completeness),
    /// The next two seconds were missed.
    Missed,
    /// Seconds before the newest, two seconds come from another node.
    Copied(i64),
    /// Nothing was recorded for so many seconds.
    Paused(i64),
    /// So many seconds from now, two seconds have a wrong date.
    Strayed(i64),
    /// So many hours from now, an empty folder appears.
    Appeared(i64),
    /// A segment gets a tombstone.
    Hidden(Index),
    /// A tombstone goes away.
    BroughtBack(Index),
    /// A file is deleted.
    Deleted(Index),
    /// Half of the files of the first hour are deleted, those at the front or every second one.
    HalfDeleted { front: bool },
    /// The first hour is deleted.
    HourDeleted,
    /// The service starts again, and those who watch come as if they never had.
    Restarted,
}

fn event() -> impl Strategy<Value = Event> {
    use Completeness::{Full, Partial, Suspect};
    let index = any::<Index>;
    prop_oneof![
        20 => Just(Event::Recorded(Full)),
        2 => select(vec![Suspect, Partial]).prop_map(Event::Recorded),
        3 => Just(Event::Missed),
        4 => (0..40_i64).prop_map(Event::Copied),
        1 => select(vec![6, 40, 200]).prop_map(Event::Paused),
        1 => select(vec![61, 62, 120, 240, 1200, 3600, 14_400, 46_800]).prop_map(Event::Strayed),
        1 => select(vec![1, 4, 13]).prop_map(Event::Appeared),
        3 => index().prop_map(Event::Hidden),
        1 => index().prop_map(Event::BroughtBack),
        1 => index().prop_map(Event::Deleted),
        1 => any::<bool>().prop_map(|front| Event::HalfDeleted { front }),
        1 => Just(Event::HourDeleted),
        1 => Just(Event::Restarted),
    ]
}

/// A store that is being recorded into, and those who watch it.
struct Scene {
    _base: tempfile::TempDir,
    store: Store,
    live: LivePlaylists,
    /// The end of what was recorded.
    edge: Timestamp,
    /// How far our clock is ahead of the publisher's.
    clock: TimeDelta,
    published: u64,
    viewers: Vec<Viewer>,
}

impl Scene {
    fn new(clock: TimeDelta) -> Self {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let hour: Hour = "2026-11-20T10".parse().unwrap();
        let edge = hour.start() + TimeDelta::seconds(3570);
        let start = Some(edge - TimeDelta::seconds(3));
        let end = Some(edge + TimeDelta::hours(10));
        let last = |seconds| Asked { last_seconds: Some(seconds), ..Asked::default() };
        let since = Asked { start, ..Asked::default() };
        let asked = [last(10), last(120), since, Asked { end, ..since }, Asked::default()];
        let viewers = asked.into_iter().map(Viewer::new).collect();
        let live = LivePlaylists::new(&Metrics::empty());
        Self { _base: base, store, live, edge, clock, published: 0, viewers }
    }

    fn now(&self) -> Timestamp {
        self.edge + self.clock
    }

    fn publish(&mut self, start: Timestamp, completeness: Completeness) {
        self.published += 1;
        let hash = ContentHash::of(&self.published.to_be_bytes());
        let duration = MediaDuration::from_seconds(2.0).unwrap();
        let name = SegmentName::new(start, duration, Tail::Published(completeness, hash));
        let folder = self.store.hour_path(&feed("source"), start.hour());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name.to_string()), b"").unwrap();
    }

    fn record(&mut self, completeness: Option<Completeness>) {
        let start = self.edge;
        self.edge = start + TimeDelta::seconds(2);
        if let Some(completeness) = completeness {
            self.publish(start, completeness);
        }
    }

    fn hours(&self) -> Vec<Hour> {
        self.store.hours(&feed("source")).unwrap_or_default()
    }

    /// The files whose names end with `extension`, by hour and name.
    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let names = |hour: Hour| {
            let folder = self.store.hour_path(&feed("source"), hour);
            let mut names = self.store.file_names(&feed("source"), hour).unwrap();
            names.retain(|name| name.ends_with(extension));
            names.sort_unstable();
            names.into_iter().map(move |name| folder.join(name))
        };
        self.hours().into_iter().flat_map(names).collect()
    }

    fn happen(&mut self, event: &Event) {
        let seconds = TimeDelta::seconds;
        let delete = |file: &PathBuf| std::fs::remove_file(file).unwrap();
        let chosen = |files: Vec<PathBuf>, index: &Index| {
            (!files.is_empty()).then(|| index.get(&files).clone())
        };
        match event {
            Event::Recorded(completeness) => self.record(Some(*completeness)),
            Event::Missed => self.record(None),
            Event::Copied(before) => {
                self.publish(self.edge - seconds(*before), Completeness::Full);
            }
            Event::Paused(length) => self.edge = self.edge + seconds(*length),
            Event::Strayed(ahead) => {
                self.publish(self.now() + seconds(*ahead), Completeness::Full);
            }
            Event::Appeared(ahead) => {
                let hour = (self.now() + TimeDelta::hours(*ahead)).hour();
                std::fs::create_dir_all(self.store.hour_path(&feed("source"), hour)).unwrap();
            }
            Event::Hidden(index) => {
                if let Some(file) = chosen(self.files(".ts"), index) {
                    std::fs::write(file.with_extension("tombstone"), b"").unwrap();
                }
            }
            Event::BroughtBack(index) => {
                chosen(self.files(".tombstone"), index).iter().for_each(delete);
            }
            Event::Deleted(index) => chosen(self.files(".ts"), index).iter().for_each(delete),
            Event::HalfDeleted { front } => {
                let files = self.files(".ts");
                let folder = files.first().and_then(|file| file.parent());
                let of_hour: Vec<_> = files.iter().filter(|file| file.parent() == folder).collect();
                let is_chosen =
                    |at: usize| if *front { 2 * at < of_hour.len() } else { at % 2 == 1 };
                let chosen = of_hour.iter().enumerate().filter(|(at, _)| is_chosen(*at));
                chosen.for_each(|(_, file)| delete(file));
            }
            Event::HourDeleted => {
                if let Some(hour) = self.hours().first() {
                    let folder = self.store.hour_path(&feed("source"), *hour);
                    std::fs::remove_dir_all(folder).unwrap();
                }
            }
            Event::Restarted => {
                self.live = LivePlaylists::new(&Metrics::empty());
                let viewers = self.viewers.iter_mut();
                viewers.for_each(|viewer| *viewer = Viewer::new(viewer.asked));
            }
        }
    }

    /// Every viewer reloads.
    fn reload(&mut self) -> Result<(), TestCaseError> {
        let now = self.now();
        let is_anything = self.files(".ts").iter().any(|file| is_stored(file));
        for viewer in &mut self.viewers {
            let asked = viewer.asked;
            let read = MediaPlaylist::read(&self.store, &feed("source"), asked, now, &self.live);
            // none is an answer, too: there is nothing to keep to
            if let Ok(playlist) = read {
                viewer.reload(&self.store, &playlist)?;
            } else {
                prop_assert!(!is_anything, "{:?}: {:?}", asked, read);
            }
        }
        Ok(())
    }

    /// Whether every viewer sees what is being recorded.
    fn is_on_the_air(&self) -> Result<(), TestCaseError> {
        // a segment with a wrong date may happen to follow on, or to take the place of another
        let near = TimeDelta::seconds(4);
        let newest = self.edge - TimeDelta::seconds(2);
        // where an end of the future was asked for, the future is part of it
        for viewer in self.viewers.iter().filter(|viewer| viewer.asked.end.is_none()) {
            let seen = viewer.newest().and_then(|segment| segment.program_date_time);
            let is_newest = seen.is_some_and(|seen| (seen - newest).abs() <= near);
            prop_assert!(is_newest, "{}: {:?}\n{:#?}", newest, viewer.asked, viewer.last);
        }
        Ok(())
    }
}

/// Every viewer reloads after each of `events`, and in the end sees a channel that is recorded.
fn watch(clock: i64, events: &[Event]) -> Result<(), TestCaseError> {
    let mut scene = Scene::new(TimeDelta::seconds(clock));
    for event in events {
        scene.happen(event);
        scene.reload()?;
    }
    // whatever happened, a channel that is recorded is on the air
    let mut waited = TimeDelta::zero();
    while waited <= PATIENCE * 2 {
        scene.happen(&Event::Recorded(Completeness::Full));
        scene.reload()?;
        waited += TimeDelta::seconds(2);
    }
    scene.is_on_the_air()
}

#[test]
fn what_begins_with_a_wrong_date_is_on_the_air_before_that_date() {
    watch(-60, &[Event::Strayed(120)]).unwrap();
}

#[test]
fn who_is_told_for_long_that_nothing_is_stored_goes_on_where_he_was() {
    let full = Event::Recorded(Completeness::Full);
    watch(0, &[full, Event::HourDeleted, Event::Paused(200), Event::Paused(200)]).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, max_shrink_time: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_reader_sees_additions_at_the_end_and_removals_at_the_front(
        clock in select(vec![-60, 0, 0, 10]),
        events in prop::collection::vec(event(), 1..80),
    ) {
        watch(clock, &events)?;
    }
}
