//! The command line.

use std::path::PathBuf;

use common::format::folder::FolderName;
use url::Url;

use crate::origin::Picture;

/// Records, replicates, serves and cuts a live stream, all on this machine.
///
/// Starts a private PostgreSQL, a live origin and two nodes with all four services each, tells step
/// by step what they do, checks every step, and then stays up until Ctrl-C. Everything lies below
/// one folder, and nothing keeps running afterwards.
#[derive(Clone, Debug, clap::Parser)]
#[command(
    name = "demo",
    version,
    after_help = "Exit status: 0 when every step held, 1 when one did not, 2 when nothing could be \
                  started, 130 when the story was interrupted. While it runs, any service can be \
                  killed by the pid in DIR/run/node-*/*.pid and is started again; their logs are in \
                  DIR/log."
)]
pub struct Options {
    /// Exit when the story is over instead of staying up until Ctrl-C
    #[arg(long)]
    pub once: bool,

    /// Record a real channel instead of the test picture: the address of an HLS playlist
    #[arg(long, value_name = "URL", conflicts_with = "twitch")]
    pub url: Option<Url>,

    /// Record a Twitch channel instead of the test picture
    #[arg(long, value_name = "NAME")]
    pub twitch: Option<FolderName>,

    /// The folder for everything; what an earlier demo left there is replaced
    #[arg(long, value_name = "DIR", default_value = "./demo-data")]
    pub data: PathBuf,

    /// Rows of the test picture; fewer need less CPU
    #[arg(long, value_name = "PIXELS", default_value_t = Picture::default())]
    pub origin_height: Picture,
}

/// What the nodes record.
#[derive(Clone, Debug)]
pub enum Source {
    /// A test picture that the demo itself broadcasts.
    TestPicture(Picture),
    /// A playlist somewhere.
    Url(Url),
    /// A Twitch channel.
    Twitch(FolderName),
}

impl Options {
    /// What the nodes are to record.
    pub fn source(&self) -> Source {
        match (&self.url, &self.twitch) {
            (Some(url), _) => Source::Url(url.clone()),
            (None, Some(name)) => Source::Twitch(name.clone()),
            (None, None) => Source::TestPicture(self.origin_height),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn one_source_is_recorded() {
        let source = |arguments: &[&str]| {
            Options::try_parse_from([&["demo"], arguments].concat()).map(|o| o.source())
        };
        assert!(matches!(source(&[]).unwrap(), Source::TestPicture(_)));
        assert!(matches!(source(&["--url", "https://x/y.m3u8"]).unwrap(), Source::Url(_)));
        assert!(matches!(source(&["--twitch", "name"]).unwrap(), Source::Twitch(_)));
        source(&["--url", "https://x/y.m3u8", "--twitch", "name"]).unwrap_err();
        source(&["--url", "no address"]).unwrap_err();
        source(&["--twitch", "../elsewhere"]).unwrap_err();
        source(&["--origin-height", "7"]).unwrap_err();
    }
}
