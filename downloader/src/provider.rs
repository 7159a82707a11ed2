//! Where channels come from: each provider turns a channel into the addresses of its qualities.
//!
//! A provider says which of four states it met when it cannot: the channel is offline, we are
//! refused, the answers do not fit (our client may be broken), or nothing answers. They are told
//! apart because each asks something else of the operator.

use common::io::http::client::Client;
use thiserror::Error;
use url::Url;

mod offer;
mod playlist;
mod twitch;

pub(crate) use offer::Offer;
pub(crate) use playlist::{LoadError, load};

use crate::config::{Source, TwitchConfig};

/// Resolves one channel.
#[derive(Clone, Debug)]
pub(crate) enum Provider {
    /// A playlist at a fixed address.
    Url(Url),
    /// A Twitch channel by its login name.
    Twitch {
        /// In lower case.
        login: String,
        /// How to ask.
        config: TwitchConfig,
    },
}

impl Provider {
    pub(crate) fn new(source: &Source, twitch: &TwitchConfig) -> Self {
        match source {
            Source::Url(url) => Self::Url(url.clone()),
            Source::Twitch(login) => Self::Twitch { login: login.clone(), config: twitch.clone() },
        }
    }

    /// Which qualities the channel has right now.
    ///
    /// # Errors
    ///
    /// Says which state was met instead.
    ///
    /// Cancel safety: dropping the future gives the requests up.
    pub(crate) async fn resolve(&self, client: &Client) -> Result<Offer, ResolveError> {
        match self {
            Self::Url(url) => playlist::resolve(client, url).await,
            Self::Twitch { login, config } => twitch::resolve(client, config, login).await,
        }
    }
}

/// Why a channel has no qualities right now. Each message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ResolveError {
    /// Nothing is wrong; there is no stream.
    #[error("the channel is offline ({0}); if it should be live, check its name or address")]
    Offline(String),
    /// We may not see it.
    #[error("refused ({0}); a token, a subscription or another region may be needed")]
    Refused(String),
    /// The answers make no sense to us.
    #[error("{0}; check the channel's address, or whether this program is too old for the service")]
    Changed(String),
    /// There was no answer, or one that says to come back later.
    #[error("cannot be reached ({0}); check the network, or wait if others cannot reach it either")]
    Unreachable(String),
}

impl ResolveError {
    /// What a status other than success says about a playlist.
    fn from_status(status: u16) -> Self {
        let detail = format!("status {status}");
        match status {
            401 | 403 | 451 => Self::Refused(detail),
            404 | 410 => Self::Offline(detail),
            408 | 425 | 429 | 500.. => Self::Unreachable(detail),
            _ => Self::Changed(format!("the answer has status {status}")),
        }
    }
}
