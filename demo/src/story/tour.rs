//! What there is to look at, and how it goes on.

use std::time::Duration;

use common::base::time::{Clock, SystemClock, Timestamp};
use common::io::store::{Feed, Store};
use tokio::time::{Instant, sleep};

use super::event::Video;
use super::{Story, titles};
use crate::node::{Node, Role};

/// How often the live line is made anew.
const REFRESH: Duration = Duration::from_secs(1);
/// How often a line is told where nothing is live.
const TELL: Duration = Duration::from_mins(1);

/// Prints the addresses of everything.
pub(super) fn addresses(story: &Story<'_>, video: Option<&Video>) {
    let Story { installation, display, .. } = story;
    display.tell(format_args!("== {}", titles::ADDRESSES));
    if let Some(Video { path }) = video {
        display.tell(format_args!("   video      {}", path.display()));
    }
    for node in &installation.nodes {
        display.tell(format_args!("   playlist   {}", installation.playlist(node)));
    }
    for node in &installation.nodes {
        for role in Role::ALL {
            let url = node.url(role);
            display.tell(format_args!("   metrics    {url}metrics ({node}'s {role})"));
        }
    }
    display.tell(format_args!("   logs       {}/log", installation.root().display()));
}

/// Goes on until it is dropped, with a line that says how.
pub(crate) async fn stay(story: &Story<'_>) {
    let display = story.display;
    display.tell("it all goes on recording until Ctrl-C");
    let is_live = display.goes_on();
    let mut tell_at = Instant::now() + TELL;
    loop {
        let line = status(story).await;
        display.now(&line);
        if !is_live && Instant::now() >= tell_at {
            tell_at += TELL;
            display.tell(line);
        }
        sleep(REFRESH).await;
    }
}

async fn status(story: &Story<'_>) -> String {
    let mut parts = Vec::new();
    for node in &story.installation.nodes {
        let feeds = feeds(story);
        let held = node.store().blocking(move |store| Held::count(store, &feeds)).await;
        parts.push(held.map_or_else(|error| format!("{node}: {error}"), |held| held.told(node)));
    }
    parts.join(" · ")
}

fn feeds(story: &Story<'_>) -> Vec<Feed> {
    let channel = &story.installation.channel;
    let feed = |quality: &String| {
        Some(Feed { channel: channel.name.parse().ok()?, quality: quality.parse().ok()? })
    };
    channel.qualities.iter().filter_map(feed).collect()
}

/// What a node holds.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    segments: usize,
    bytes: u64,
    until: Option<Timestamp>,
}

impl Held {
    fn count(store: &Store, feeds: &[Feed]) -> std::io::Result<Self> {
        let mut held = Self::default();
        for feed in feeds {
            for hour in store.hours(feed)? {
                let folder = store.hour_path(feed, hour);
                for segment in store.hour(feed, hour)?.segments() {
                    held.segments += 1;
                    held.until = held.until.max(Some(segment.end()));
                    let file = folder.join(segment.file_name());
                    held.bytes += std::fs::metadata(file).map_or(0, |file| file.len());
                }
            }
        }
        Ok(held)
    }

    fn told(self, node: &Node) -> String {
        let Self { segments, bytes, until } = self;
        let lag = until.map_or(Duration::ZERO, |until| SystemClock.now().saturating_since(until));
        let megabytes = bytes / 1_000_000;
        format!("{node}: {segments} segments, {megabytes} MB, {:.1} s behind", lag.as_secs_f64())
    }
}
