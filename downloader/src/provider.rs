//! Where channels come from: each provider turns a channel into the addresses of its qualities.
//!
//! A provider says which of four states it met when it cannot: the channel is offline, we are
//! refused, the answers do not fit (our client may be broken), or nothing answers. They are told
//! apart because each asks something else of the operator. What else differs between providers is in
//! their [`rules::Rules`].

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use common::io::http::client::{Client, Error};
use common::io::store::notes::Why;
use thiserror::Error as ThisError;
use url::Url;

mod advertisement;
mod offer;
mod playlist;
mod rules;
mod twitch;
mod youtube;

pub(crate) use advertisement::{Breaks, Mark, advertisements};
pub(crate) use offer::Offer;
pub(crate) use playlist::{LoadError, SOFT_TIMEOUT, Seen, load};
pub(crate) use rules::Rules;

use crate::config::{ProviderConfig, Source, TwitchConfig};
use crate::fetch::either;
use crate::status::Status;

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
    /// What YouTube streams at an address.
    Youtube {
        url: Url,
        /// What finds the addresses of its qualities.
        program: PathBuf,
    },
}

impl Provider {
    pub(crate) fn new(source: &Source, config: &ProviderConfig) -> Self {
        match source {
            Source::Url(url) => Self::Url(url.clone()),
            Source::Twitch(login) => {
                Self::Twitch { login: login.clone(), config: config.twitch.clone() }
            }
            Source::Youtube(url) => {
                Self::Youtube { url: url.clone(), program: config.yt_dlp.clone() }
            }
        }
    }

    /// Which qualities the channel has right now. Where requests of ours are not answered soon, they are made
    /// again and again beside the first ones, over connections of their own, so that there is always one
    /// that began lately: it is not waited for those that met silence when that is over.
    ///
    /// # Errors
    ///
    /// Says which state was met instead.
    ///
    /// Cancel safety: dropping the future gives the requests up, and ends the programs it runs.
    pub(crate) async fn resolve(&self, client: &Client) -> Result<Offer, ResolveError> {
        let slow = async {
            if let Self::Youtube { .. } = self {
                // a program makes its own requests, and takes its time
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(SOFT_TIMEOUT).await;
            client.leave_connections();
        };
        let fresh = client.on_fresh_connections();
        let has_ended = AtomicBool::new(false);
        let first = async {
            let found = self.resolve_once(client).await;
            has_ended.store(true, Ordering::Relaxed);
            found
        };
        let again = |()| async {
            loop {
                let found = tokio::time::timeout(SOFT_TIMEOUT, self.resolve_once(&fresh)).await;
                match found {
                    Ok(found) => return found,
                    // where everything takes long, the first had the time for it
                    Err(slow) if has_ended.load(Ordering::Relaxed) => {
                        return Err(ResolveError::Silent(slow.to_string()));
                    }
                    Err(_) => {}
                }
            }
        };
        either(first, slow, again, || true, ResolveError::or).await
    }

    async fn resolve_once(&self, client: &Client) -> Result<Offer, ResolveError> {
        let offer = match self {
            Self::Url(url) => playlist::resolve(client, url).await?,
            Self::Twitch { login, config } => twitch::resolve(client, config, login).await?,
            Self::Youtube { url, program } => youtube::resolve(program, url).await?,
        };
        if offer.is_empty() {
            return Err(ResolveError::changed(
                "the answer names no quality that could be recorded",
            ));
        }
        Ok(offer)
    }
}

/// Why a channel has no qualities right now. Each message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub(crate) enum ResolveError {
    /// Nothing is wrong; there is no stream.
    #[error("the channel is offline ({0}); if it should be live, check its name or address")]
    Offline(String),
    /// We may not see it.
    #[error("refused ({0}); a token, a subscription or another region may be needed")]
    Refused(String),
    /// The answers make no sense to us; what to do is part of it.
    #[error("{0}")]
    Changed(String),
    /// There was no answer, or one that says to come back later.
    #[error("cannot be reached ({0}); check the network, or wait if others cannot reach it either")]
    Unreachable(String),
    /// There was no answer in time.
    #[error("does not answer ({0}); check the network, or wait if others cannot reach it either")]
    Silent(String),
}

impl ResolveError {
    /// For answers over HTTP that make no sense.
    fn changed(problem: impl std::fmt::Display) -> Self {
        let advice =
            "check the channel's address, or whether this program is too old for the service";
        Self::Changed(format!("{problem}; {advice}"))
    }

    /// What a status other than success says about a playlist.
    fn from_status(status: u16) -> Self {
        let detail = format!("status {status}");
        match status {
            401 | 403 | 451 => Self::Refused(detail),
            404 | 410 => Self::Offline(detail),
            408 | 425 | 429 | 500.. => Self::Unreachable(detail),
            _ => Self::changed(format_args!("the answer has status {status}")),
        }
    }

    /// For a request that was not answered well.
    fn from_http(error: &Error) -> Self {
        let detail = error.to_string();
        if error.is_timeout() { Self::Silent(detail) } else { Self::Unreachable(detail) }
    }

    /// Why what is published meanwhile is missed.
    pub(crate) fn why(&self) -> Why {
        match self {
            Self::Offline(_) => Why::Offline,
            Self::Refused(_) => Why::Refused,
            Self::Silent(_) => Why::TimeOut,
            // it may be anything, and leaves the list before it is seen
            Self::Changed(_) | Self::Unreachable(_) => Why::Expired,
        }
    }

    /// The same, with what somebody should know beside it.
    fn beside(self, more: &str) -> Self {
        let both = |detail: String| format!("{detail}; {more}");
        match self {
            Self::Offline(detail) => Self::Offline(both(detail)),
            Self::Refused(detail) => Self::Refused(both(detail)),
            Self::Changed(detail) => Self::Changed(both(detail)),
            Self::Unreachable(detail) => Self::Unreachable(both(detail)),
            Self::Silent(detail) => Self::Silent(both(detail)),
        }
    }

    /// Which of two says more: what was answered last.
    fn or(self, other: Self) -> Self {
        if let Self::Silent(_) = other { self } else { other }
    }

    /// The state that a feed of the channel is in.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Offline(_) => Status::Offline,
            Self::Refused(_) => Status::Refused,
            Self::Changed(_) => Status::Changed,
            Self::Unreachable(_) | Self::Silent(_) => Status::Unreachable,
        }
    }
}
