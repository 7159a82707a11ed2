//! One CHANNEL of the command line: `NAME[!]` or `NAME[!]:TYPE:URL`.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use common::format::folder::FolderName;
use url::Url;

use super::Public;

/// A channel to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its folder's name.
    pub name: FolderName,
    /// Whether it should always be up, so that one that is not is asked for more often.
    pub important: bool,
    /// Where it comes from.
    pub source: Source,
}

/// Where a channel comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// The Twitch channel of that login name.
    Twitch(String),
    /// The multivariant or media playlist at an address.
    Url(Url),
    /// What YouTube streams at an address: of a video, or of whatever a channel streams just now.
    Youtube(Url),
}

/// Shows no secret that an address may hold.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twitch(login) => write!(f, "twitch {login}"),
            Self::Url(url) => write!(f, "{}", Public(url)),
            Self::Youtube(url) => write!(f, "youtube {}", Public(url)),
        }
    }
}

impl FromStr for Channel {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, source) = match text.split_once(':') {
            Some((name, source)) => (name, Some(source)),
            None => (text, None),
        };
        let (name, important) = match name.strip_suffix('!') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let folder = name.parse().with_context(|| format!("{name:?} can be no channel's name"))?;
        let source = match source {
            None => twitch(name)?,
            Some(source) => from_type(name, source)?,
        };
        Ok(Self { name: folder, important, source })
    }
}

fn from_type(name: &str, source: &str) -> anyhow::Result<Source> {
    let (kind, url) = source.split_once(':').unwrap_or((source, ""));
    if !matches!(kind, "url" | "youtube") {
        bail!("the channel {name} must be written NAME, NAME:url:URL or NAME:youtube:URL");
    }
    let url: Url = url
        .parse()
        .with_context(|| format!("the channel {name} has no valid URL after `{kind}:`"))?;
    match (kind, url.scheme()) {
        ("url", "http" | "https") => Ok(Source::Url(url)),
        ("url", _) => bail!("the URL of the channel {name} must begin with http:// or https://"),
        (_, "https") => Ok(Source::Youtube(url)),
        (_, _) => bail!("the URL of the channel {name} must begin with https://"),
    }
}

/// Twitch's login names: letters, digits and underscores.
fn twitch(name: &str) -> anyhow::Result<Source> {
    let valid = name.len() <= 25 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !valid {
        bail!("{name:?} can be no channel on Twitch; write NAME:url:URL for one that is elsewhere");
    }
    Ok(Source::Twitch(name.to_ascii_lowercase()))
}
