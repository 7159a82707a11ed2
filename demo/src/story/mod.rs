//! The story that the demo tells: one step after the other, each checked from outside.
//!
//! A step looks at the installation as its users do (playlists, the database, finished files), has a
//! deadline, and fails with the reason of its last look. So a service may be killed at any moment
//! of the story: it takes a little longer then, and ends the same.

use chrono::TimeDelta;
use common::base::time::{Clock, SystemClock, TimeRange};

mod ending;
mod event;
mod healing;
mod outage;
mod recording;
mod tour;
mod video;

pub(crate) use tour::stay;

use crate::display::Display;
use crate::installation::Installation;
use crate::node::Node;
use crate::options::Source;
use crate::viewer::{Shown, Viewer};

/// How many steps a story has, for a progress display.
pub(crate) const fn steps(source: &Source, once: bool) -> u64 {
    let of_origin = match source {
        Source::TestPicture(_) => 1,
        Source::Url(_) | Source::Twitch(_) => 0,
    };
    let of_conclusion = if once { 3 } else { 0 };
    8 + of_origin + of_conclusion
}

/// Titles of steps at which a test may want to do something.
pub mod titles {
    /// Both nodes begin to record.
    pub const RECORDING: &str = "both nodes record";
    /// Node A's downloader is killed and held down.
    pub const OUTAGE: &str = "node a's downloader is killed and stays down for 10 s";
    /// It runs again, and its node has a hole.
    pub const HOLE: &str = "node a's playlist shows the hole";
    /// The hole closes.
    pub const HEALING: &str = "node a's backfiller closes the hole from node b";
    /// An event is put into the database.
    pub const EVENT: &str = "an event over that stretch is put into the database";
    /// A cutter publishes it.
    pub const CUT: &str = "one of the two cutters cuts and publishes it";
    /// The video is checked.
    pub const VIDEO: &str = "the video holds what it should";
    /// The broadcast ends and both nodes have all of it.
    pub const END: &str = "the broadcast ends, and both nodes hold all of it";
    /// The addresses of everything are printed after this line.
    pub const ADDRESSES: &str = "what there is to look at";
    /// The last line of a story that held.
    pub const HELD: &str = "every step held";
}

/// What the steps work with.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    pub(crate) installation: &'a Installation,
    pub(crate) display: &'a Display,
    pub(crate) viewer: Viewer,
}

impl<'a> Story<'a> {
    pub(crate) fn new(installation: &'a Installation, display: &'a Display) -> Self {
        Self { installation, display, viewer: Viewer::new() }
    }

    /// Tells it up to the finished video.
    ///
    /// # Errors
    ///
    /// When a step does not hold.
    pub(crate) async fn tell(&self) -> anyhow::Result<()> {
        recording::begins(self).await?;
        let outage = outage::happens(self).await?;
        let hole = outage::shows(self, outage).await?;
        let stretch = healing::completes(self, hole.unwrap_or(outage)).await?;
        let event = event::is_put_in(self, stretch).await?;
        let published = event::is_published(self, &event).await?;
        video::is_right(self, stretch, &published).await?;
        tour::addresses(self, Some(&published));
        Ok(())
    }

    /// Ends the broadcast and compares everything.
    ///
    /// # Errors
    ///
    /// When something is missing or wrong.
    pub(crate) async fn conclude(&self) -> anyhow::Result<()> {
        ending::all_is_there(self).await?;
        ending::players_read_it(self).await
    }

    /// The node whose downloader is killed.
    fn a(&self) -> &Node {
        &self.installation.nodes[0]
    }

    /// The node that has what the other misses.
    fn b(&self) -> &Node {
        &self.installation.nodes[1]
    }

    /// What a node's playlist of the best quality shows to somebody who opens it now. To those who
    /// have it open it would go on showing a hole that was filled since, so each asks for a start of
    /// its own, an hour ago.
    async fn shown(&self, node: &Node) -> anyhow::Result<Shown> {
        let best = self.installation.channel.best();
        let mut url = self.installation.media_playlist(node, best);
        let start = SystemClock.now() - TimeDelta::hours(1);
        url.query_pairs_mut().append_pair("start", &start.to_string());
        self.viewer.media(&url).await
    }
}

/// Seconds, for people.
fn seconds(range: TimeRange) -> String {
    let millis = range.length().num_milliseconds();
    format!("{}.{:03} s", millis / 1000, millis % 1000)
}
