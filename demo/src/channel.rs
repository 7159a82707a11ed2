//! What the nodes record, as their services are told, and whether there is anything to record.

use anyhow::{Context, ensure};
use clap::Parser;
use common::format::folder::FolderName;
use downloader::config::{Config, Options};
use url::Url;

use crate::node::Channel;
use crate::options::Source;
use crate::viewer::Viewer;

/// The name of a channel that has none of its own.
const NAME: &str = "demo";
/// What the best quality of any channel is called.
pub(crate) const SOURCE: &str = "source";

/// A Twitch channel, of which the best quality is recorded.
pub(crate) fn twitch(name: &FolderName) -> Channel {
    Channel {
        name: name.to_string(),
        for_downloader: name.to_string(),
        qualities: vec![SOURCE.to_owned()],
    }
}

/// The channel that the playlist at `url` is of.
pub(crate) fn hls(url: &Url, qualities: Vec<String>) -> Channel {
    Channel { name: NAME.to_owned(), for_downloader: format!("{NAME}!:url:{url}"), qualities }
}

/// A channel that may be offline.
pub(crate) struct Remote {
    name: String,
    config: Config,
}

impl Remote {
    /// The channel of `source`; `None` when that is the demo's own.
    ///
    /// # Errors
    ///
    /// When no downloader would take it.
    pub(crate) fn of(source: &Source) -> anyhow::Result<Option<Self>> {
        let channel = match source {
            Source::TestPicture(_) => return Ok(None),
            Source::Url(url) => hls(url, vec![SOURCE.to_owned()]),
            Source::Twitch(name) => twitch(name),
        };
        let (qualities, anywhere) = (channel.qualities.join(","), std::env::temp_dir());
        let anywhere = anywhere.to_string_lossy();
        let arguments = ["downloader", &*channel.for_downloader, "--qualities", &*qualities];
        let options =
            Options::try_parse_from(arguments.into_iter().chain(["--base-dir", &*anywhere]));
        let config = Config::new(options.context("ask for the channel")?)?;
        Ok(Some(Self { name: channel.name, config }))
    }

    /// Looks whether there is something to record, before anything is started for it.
    ///
    /// # Errors
    ///
    /// Says in one line what was found instead.
    pub(crate) async fn is_live(&self) -> anyhow::Result<()> {
        let viewer = Viewer::new();
        for url in downloader::look::media_playlists(&self.config).await? {
            let list = viewer.media(&url).await?;
            let nothing = "so there is nothing to record; give a channel that is live";
            ensure!(!list.ended, "the stream of {} has ended, {nothing}", self.name);
            ensure!(!list.segments.is_empty(), "{} lists no segment, {nothing}", self.name);
        }
        Ok(())
    }
}
