//! What the downloader is told: options as people write them, and the checked configuration.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::Parser;
use common::format::folder::FolderName;
use common::io::store::{Access, Store};
use common::service::{host_name, words};
use url::Url;

mod channel;

pub use channel::{Channel, Source};

/// Records live HLS streams, segment by segment, into a folder.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    /// What to record: NAME (Twitch), NAME:url:URL (any HLS playlist) or NAME:youtube:URL (needs
    /// yt-dlp); NAME! marks a channel that should always be up [env: WUBLOADER_CHANNELS=, separated
    /// by blanks or commas]
    #[arg(value_name = "CHANNEL")]
    channels: Vec<String>,

    /// The channels, for the environment; arguments take precedence
    #[arg(long = "channels", env = "WUBLOADER_CHANNELS", hide = true, default_value = "")]
    channel_list: String,

    /// The folder that everything is stored below
    #[arg(long, env = "WUBLOADER_BASE_DIR", value_name = "FOLDER", default_value = ".")]
    base_dir: PathBuf,

    /// The qualities to record of every channel: `source` for the best, a height like 360p, or a name
    #[arg(
        long,
        env = "WUBLOADER_QUALITIES",
        value_name = "LIST",
        default_value = "source",
        value_delimiter = ','
    )]
    qualities: Vec<String>,

    /// Where to serve metrics and health
    #[arg(long, env = "WUBLOADER_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8001")]
    listen: SocketAddr,

    /// This node's name in the capture notes [default: the host's name]
    #[arg(long, env = "WUBLOADER_NAME")]
    name: Option<String>,

    /// A file that holds an OAuth token for Twitch; read anew each time it is needed
    #[arg(long, env = "WUBLOADER_TWITCH_AUTH_FILE", value_name = "FILE")]
    twitch_auth_file: Option<PathBuf>,

    /// What finds the addresses of YouTube channels: a path, or a name in PATH. It is called with
    /// --dump-json and the channel's URL, as often as they have to be found
    #[arg(long, env = "WUBLOADER_YT_DLP", value_name = "PATH", default_value = "yt-dlp")]
    yt_dlp: PathBuf,

    /// How much finished video of all channels may wait in memory while the disk takes none, in MiB
    #[arg(
        long,
        env = "WUBLOADER_MAX_HELD",
        value_name = "MIB",
        default_value = "256",
        value_parser = clap::value_parser!(u64).range(1..=65536)
    )]
    max_held: u64,

    /// Where Twitch hands out access tokens
    #[arg(
        long,
        env = "WUBLOADER_TWITCH_TOKEN_URL",
        hide = true,
        default_value = "https://gql.twitch.tv/gql"
    )]
    twitch_token_url: Url,

    /// Where Twitch serves multivariant playlists; `/NAME.m3u8` is added
    #[arg(
        long,
        env = "WUBLOADER_TWITCH_PLAYLIST_URL",
        hide = true,
        default_value = "https://usher.ttvnw.net/api/channel/hls"
    )]
    twitch_playlist_url: Url,

    /// The client id to show to Twitch
    #[arg(
        long,
        env = "WUBLOADER_TWITCH_CLIENT_ID",
        hide = true,
        default_value = "kimne78kx3ncx6brgo4mv6wki5h1ko"
    )]
    twitch_client_id: String,
}

/// What to record and where.
#[derive(Debug)]
pub struct Config {
    /// At least one, with different names.
    pub channels: Vec<Channel>,
    /// At least one, each once.
    pub qualities: Vec<FolderName>,
    /// Where segments and notes go.
    pub store: Store,
    /// Where to serve metrics and health.
    pub listen: SocketAddr,
    /// This node's name in the capture notes.
    pub node: FolderName,
    /// How to ask the providers.
    pub providers: ProviderConfig,
    /// How many bytes of finished segments may wait in memory while the disk takes none.
    pub max_held_bytes: u64,
}

/// How to ask the providers.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// How to ask Twitch.
    pub twitch: TwitchConfig,
    /// What finds the addresses of YouTube channels: a path, or a name in PATH.
    pub yt_dlp: PathBuf,
}

/// How to ask Twitch.
#[derive(Clone)]
pub struct TwitchConfig {
    /// Where access tokens are handed out.
    pub token_url: Url,
    /// The folder of the multivariant playlists.
    pub playlist_url: Url,
    /// What to say who is asking.
    pub client_id: String,
    /// A file with an OAuth token.
    pub auth_file: Option<PathBuf>,
}

/// Shows no secret that an address may hold.
impl fmt::Debug for TwitchConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token_url, playlist_url, .. } = self;
        write!(f, "{} and {}", Public(token_url), Public(playlist_url))?;
        match &self.auth_file {
            Some(file) => write!(f, " with the token in {}", file.display()),
            None => f.write_str(" without a token"),
        }
    }
}

impl Config {
    /// Checks `options`, without touching anything but to look whether it is there.
    ///
    /// # Errors
    ///
    /// Says which option is wrong and what to do about it.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let list = options.channels;
        let list = if list.is_empty() { words(&options.channel_list) } else { list };
        let channels = channels(&list)?;
        let qualities = qualities(&options.qualities)?;
        let node = node(options.name)?;
        if let Some(file) = &options.twitch_auth_file {
            std::fs::File::open(file).with_context(|| {
                format!("cannot read the token file {}; check --twitch-auth-file", file.display())
            })?;
        }
        let twitch = TwitchConfig {
            token_url: options.twitch_token_url,
            playlist_url: options.twitch_playlist_url,
            client_id: options.twitch_client_id,
            auth_file: options.twitch_auth_file,
        };
        let yt_dlp = options.yt_dlp;
        ensure!(
            !yt_dlp.as_os_str().is_empty(),
            "--yt-dlp is empty; give a program, or leave it out"
        );
        let store = Store::open(options.base_dir, Access::Write)?;
        Ok(Self {
            channels,
            qualities,
            store,
            listen: options.listen,
            node,
            providers: ProviderConfig { twitch, yt_dlp },
            max_held_bytes: options.max_held << 20,
        })
    }
}

fn channels(list: &[String]) -> anyhow::Result<Vec<Channel>> {
    let mut channels: Vec<Channel> = Vec::new();
    for text in list.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let channel: Channel = text.parse()?;
        let twice = channels.iter().any(|known| known.name == channel.name);
        ensure!(!twice, "the channel {} is named twice; name it once", channel.name);
        channels.push(channel);
    }
    ensure!(!channels.is_empty(), "there is nothing to record; name at least one CHANNEL");
    Ok(channels)
}

fn qualities(list: &[String]) -> anyhow::Result<Vec<FolderName>> {
    let mut qualities: Vec<FolderName> = Vec::new();
    for text in list.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let quality: FolderName =
            text.parse().with_context(|| format!("{text:?} can be no quality"))?;
        if text == "chat" {
            bail!("chat is no quality of a video; leave it out of --qualities");
        }
        ensure!(
            !qualities.contains(&quality),
            "the quality {quality} is named twice; name it once"
        );
        qualities.push(quality);
    }
    ensure!(!qualities.is_empty(), "there is no quality to record; name one with --qualities");
    Ok(qualities)
}

fn node(name: Option<String>) -> anyhow::Result<FolderName> {
    let name = name.map_or_else(|| host_name("--name"), Ok)?;
    name.parse()
        .with_context(|| format!("{name:?} can be no node's name; give another with --name"))
}

/// An address without what may be a secret: everything after the path.
pub(crate) struct Public<'a>(pub(crate) &'a Url);

impl fmt::Display for Public<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = self.0.host_str().unwrap_or_default();
        write!(f, "{}://{host}{port}{}", self.0.scheme(), self.0.path())
    }
}

#[cfg(test)]
mod tests;
