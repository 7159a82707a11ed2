//! The live origin: a test picture, encoded as it goes and served like a live service does.
//!
//! ffmpeg writes segments and lists into a folder and never deletes any, so that at the end every
//! store can be compared with what was published; the server lists only the newest.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::TimeDelta;
use common::base::time::{Clock, SystemClock, TimeRange, Timestamp};
use common::format::hls::MediaPlaylist;
use common::format::segment::MediaDuration;
use url::Url;

mod encoder;
mod picture;
mod server;
mod window;

pub use picture::Picture;

use crate::place::Place;
use crate::poll::poll;
use crate::supervisor::{Service, Supervisor};
use server::Server;
use window::LISTED;

/// The list that the encoder keeps of each quality's segments.
const LIST: &str = "list.m3u8";

/// A running origin.
#[derive(Debug)]
pub struct Origin {
    picture: Picture,
    folder: PathBuf,
    encoder: Service,
    server: Server,
}

/// A segment as it was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Counted from zero.
    pub number: u64,
    /// Its file.
    pub path: PathBuf,
    /// When its first picture was broadcast.
    pub start: Timestamp,
    /// How long it lasts, as the list says.
    pub duration: MediaDuration,
}

impl Published {
    /// The first instant after it.
    pub fn end(&self) -> Timestamp {
        self.start + self.duration.delta()
    }

    /// Whether it holds some of `range`.
    pub fn is_in(&self, range: TimeRange) -> bool {
        self.start < range.end() && range.start() < self.end()
    }
}

impl Origin {
    /// Starts to broadcast `picture`.
    ///
    /// # Errors
    ///
    /// When it cannot be served.
    pub(crate) fn start(
        picture: Picture,
        place: &Place,
        supervisor: &mut Supervisor,
    ) -> anyhow::Result<Self> {
        let folder = place.origin();
        let program = encoder::program(picture, place, SystemClock.now())?;
        let server = Server::start(picture, folder.clone()).context("serve the origin")?;
        let encoder = supervisor.keep(program);
        Ok(Self { picture, folder, encoder, server })
    }

    /// Returns when the first segments of all qualities are there.
    ///
    /// # Errors
    ///
    /// When they do not come.
    pub(crate) async fn on_air(&self) -> anyhow::Result<()> {
        poll("the origin has not begun to broadcast", encoder::PATIENCE, async || {
            let qualities = self.picture.qualities();
            qualities.iter().try_for_each(|quality| self.published(&quality.name).map(drop))
        })
        .await
    }

    /// The address of the multivariant playlist.
    pub fn url(&self) -> &Url {
        self.server.url()
    }

    /// What is broadcast.
    pub const fn picture(&self) -> Picture {
        self.picture
    }

    /// How much the lists show at a time.
    pub(crate) fn listed_for() -> TimeDelta {
        TimeDelta::seconds(i64::from(Picture::SEGMENT_SECONDS) * i64::from(LISTED))
    }

    /// Every segment of a quality that was published so far, in order.
    ///
    /// # Errors
    ///
    /// When there is none yet.
    pub fn published(&self, quality: &str) -> anyhow::Result<Vec<Published>> {
        published(&self.folder.join(quality))
    }

    /// Ends the broadcast; returns when all lists say so. What was published is still served.
    ///
    /// # Errors
    ///
    /// When they do not.
    pub async fn end(&self) -> anyhow::Result<()> {
        self.encoder.stop().await.map_err(anyhow::Error::msg)?;
        for quality in self.picture.qualities() {
            let list = list(&self.folder.join(&quality.name))?;
            anyhow::ensure!(list.end_list, "the origin's list of {} has no end", quality.name);
        }
        Ok(())
    }

    /// Takes the origin off the network.
    ///
    /// # Errors
    ///
    /// In words, when its encoder did not end as it should.
    pub(crate) async fn stop(self) -> Result<(), String> {
        let ended = self.encoder.stop().await;
        self.server.stop().await;
        ended
    }
}

/// The encoder's list of one quality, which holds every segment.
fn list(folder: &Path) -> anyhow::Result<MediaPlaylist> {
    let path = folder.join(LIST);
    let read = || -> anyhow::Result<_> { Ok(MediaPlaylist::parse(&std::fs::read(&path)?)?) };
    read().with_context(|| format!("read the origin's list {}", path.display()))
}

fn published(folder: &Path) -> anyhow::Result<Vec<Published>> {
    let list = list(folder)?;
    let published = list.segments.iter().enumerate().map(|(index, segment)| {
        Ok(Published {
            number: list.number_of(index),
            path: folder.join(&segment.uri),
            start: segment.program_date_time.context("a segment of the origin has no date")?,
            duration: segment
                .duration
                .and_then(MediaDuration::from_seconds)
                .context("a segment of the origin has no duration")?,
        })
    });
    published.collect()
}
