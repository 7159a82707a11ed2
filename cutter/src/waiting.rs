//! Which events are left alone for a while, because trying them just now did not work.

use std::collections::HashMap;
use std::time::Duration;

use common::base::backoff::Backoff;
use common::io::db::edit::Edit;
use tokio::time::Instant;

/// Events that are remembered; beyond that, those that may be tried soonest are forgotten.
const MAX_EVENTS: usize = 1_000;
const SHORTEST: Duration = Duration::from_secs(1);

/// Why an event has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// It cannot be cut from what is stored; a missing segment may come any moment.
    NotReady,
    /// It was taken and something went wrong.
    Failed,
}

impl Because {
    const fn longest(self) -> Duration {
        match self {
            Self::NotReady => Duration::from_secs(5),
            Self::Failed => Duration::from_mins(5),
        }
    }
}

#[derive(Debug)]
struct Wait {
    edit: Edit,
    because: Because,
    backoff: Backoff,
    until: Instant,
}

/// The events that wait. An event that is edited again need not.
#[derive(Debug, Default)]
pub(crate) struct Waiting(HashMap<String, Wait>);

impl Waiting {
    /// Returns whether the event may be tried now.
    pub(crate) fn may_try(&self, id: &str, edit: &Edit, now: Instant) -> bool {
        self.0.get(id).is_none_or(|wait| wait.edit != *edit || wait.until <= now)
    }

    /// Lets the event wait, longer each time in a row.
    pub(crate) fn put_off(&mut self, id: &str, edit: &Edit, because: Because, now: Instant) {
        let known = self.0.remove(id);
        let known = known.filter(|wait| wait.edit == *edit && wait.because == because);
        let mut wait = known.unwrap_or_else(|| Wait {
            edit: edit.clone(),
            because,
            backoff: Backoff::new(SHORTEST, because.longest()),
            until: now,
        });
        wait.until = now + wait.backoff.next_delay(&mut rand::rng());
        self.make_room();
        self.0.insert(id.to_owned(), wait);
    }

    /// Forgets an event that worked.
    pub(crate) fn forget(&mut self, id: &str) {
        self.0.remove(id);
    }

    fn make_room(&mut self) {
        if self.0.len() >= MAX_EVENTS {
            let soonest = self.0.iter().min_by_key(|(_, wait)| wait.until);
            if let Some(id) = soonest.map(|(id, _)| id.clone()) {
                self.0.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use common::io::db::edit::Thumbnail;

    use super::*;

    fn edit(title: &str) -> Edit {
        Edit {
            upload_location: "local".to_owned(),
            uploader_whitelist: None,
            allow_holes: false,
            public: true,
            video_ranges: vec![],
            video_transitions: vec![],
            video_title: title.to_owned(),
            video_description: String::new(),
            video_tags: vec![],
            video_channel: "chan".to_owned(),
            video_quality: "source".to_owned(),
            thumbnail: Thumbnail::NONE,
        }
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test]
    async fn an_event_waits_longer_each_time_and_not_at_all_once_edited() {
        let mut waiting = Waiting::default();
        let start = Instant::now();
        assert!(waiting.may_try("e", &edit("a"), start));
        for expected in [1, 2, 4, 8, 16] {
            waiting.put_off("e", &edit("a"), Because::Failed, start);
            assert!(!waiting.may_try("e", &edit("a"), start + seconds(expected) / 2));
            assert!(waiting.may_try("e", &edit("a"), start + seconds(expected) * 2));
        }
        assert!(waiting.may_try("other", &edit("a"), start));
        assert!(waiting.may_try("e", &edit("b"), start));
        waiting.put_off("e", &edit("b"), Because::Failed, start);
        assert!(waiting.may_try("e", &edit("b"), start + seconds(2)));
    }

    #[tokio::test]
    async fn what_may_become_ready_any_moment_is_looked_at_often() {
        let mut waiting = Waiting::default();
        let start = Instant::now();
        for _ in 0..10 {
            waiting.put_off("e", &edit("a"), Because::NotReady, start);
        }
        assert!(waiting.may_try("e", &edit("a"), start + seconds(7)));
        waiting.put_off("e", &edit("a"), Because::Failed, start);
        assert!(waiting.may_try("e", &edit("a"), start + seconds(2)));
    }

    #[tokio::test]
    async fn only_so_many_are_remembered() {
        let mut waiting = Waiting::default();
        let start = Instant::now();
        for number in 0..MAX_EVENTS + 10 {
            let id = number.to_string();
            waiting.put_off(&id, &edit("a"), Because::Failed, start);
            assert!(!waiting.may_try(&id, &edit("a"), start));
        }
        assert_eq!(waiting.0.len(), MAX_EVENTS);
    }
}
