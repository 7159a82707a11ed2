//! Loading playlists: for the provider of fixed addresses, and for the workers.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use common::format::hls::{Limits, MediaPlaylist, Playlist, PlaylistError};
use common::io::http::client::{Answer, Client, Error};
use thiserror::Error;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use url::Url;

use super::{Offer, ResolveError};

/// After how long a load that has not ended is taken to be slow: it is tried again beside it, and where it
/// is of a media playlist, another address is asked for.
pub(crate) const SOFT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a playlist, or a token for one, may take as a whole.
const TIMEOUT: Duration = Duration::from_secs(15);
/// A larger playlist than this, in bytes, is loaded in turn, since what is made of it is larger still: twelve
/// hours of segments with long addresses.
const LARGE: usize = 4 << 20;
/// How many of those are loaded at a time in the whole process, for which all others wait.
const MOST_LARGE: usize = 3;
/// But not for longer than this: what drips takes little memory, and may do so until it is given up.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
static LARGE_ONES: Semaphore = Semaphore::const_new(MOST_LARGE);
/// How long the words of a refusal are waited for.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest refusal whose words are read, in bytes.
const MAX_REFUSAL: usize = 64 << 10;

/// A playlist that could not be loaded.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    /// Answered with a status other than success.
    #[error("status {0}")]
    Status(u16),
    /// Not answered.
    #[error("{0}")]
    Http(#[from] Error),
    /// Not answered in time.
    #[error("not complete within {} s", TIMEOUT.as_secs())]
    Slow,
    /// Answered, but not with a playlist of the right kind.
    #[error("{0}")]
    Playlist(#[from] PlaylistError),
}

/// A media playlist as it was loaded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) list: Box<MediaPlaylist>,
    /// Where it came from, after redirects.
    pub(crate) base: Url,
    /// When it was asked for.
    pub(crate) asked_at: Instant,
}

/// Loads the media playlist at `url`.
///
/// Cancel safety: dropping the future gives the request up.
pub(crate) async fn load(client: &Client, url: &Url) -> Result<Seen, LoadError> {
    let asked_at = Instant::now();
    let loaded = fetch(client, "media_playlist", url).await?;
    let list = Box::new(MediaPlaylist::parse(&loaded.bytes)?);
    Ok(Seen { list, base: loaded.base, asked_at })
}

/// The qualities behind a fixed address.
pub(super) async fn resolve(client: &Client, url: &Url) -> Result<Offer, ResolveError> {
    let asked_at = Instant::now();
    let loaded = fetch(client, "multivariant_playlist", url).await?;
    match Playlist::parse(&loaded.bytes).map_err(LoadError::Playlist)? {
        Playlist::Media(list) => {
            let seen = Seen { list: Box::new(list), base: loaded.base, asked_at };
            Ok(Offer::single(url.clone(), seen))
        }
        Playlist::Multivariant(list) => Ok(Offer::new(&list, &loaded.base)),
    }
}

/// A playlist as it came.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) bytes: Bytes,
    /// Where it came from, after redirects.
    pub(super) base: Url,
    /// What a large one has to have until it is read.
    _turn: Option<SemaphorePermit<'static>>,
}

impl Loaded {
    /// Receives the rest of an answer.
    async fn of(mut answer: Answer) -> Result<Self, LoadError> {
        let limit = Limits::default().bytes;
        let base = answer.url().clone();
        let (mut bytes, mut turn) = (BytesMut::new(), None);
        while let Some(chunk) = answer.chunk().await? {
            let length = bytes.len() + chunk.len();
            if length > limit {
                return Err(Error::TooLong(limit).into());
            }
            if length > LARGE && turn.is_none() {
                let next = tokio::time::timeout(LONGEST_WAIT, LARGE_ONES.acquire()).await;
                turn = next.ok().and_then(Result::ok);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self { bytes: bytes.freeze(), base, _turn: turn })
    }
}

async fn fetch(client: &Client, name: &'static str, url: &Url) -> Result<Loaded, LoadError> {
    let load = async {
        let answer = client.send(name, client.get(url.clone())).await?;
        let status = answer.status();
        if !status.is_success() {
            return Err(LoadError::Status(status.as_u16()));
        }
        Loaded::of(answer).await
    };
    in_time(client, load).await
}

/// What `load` gets with `client`, if it does so within [`TIMEOUT`]. Otherwise the connection may be sick,
/// and what comes next must not meet it again.
///
/// Cancel safety: that of `load`.
pub(super) async fn in_time<T>(
    client: &Client,
    load: impl Future<Output = Result<T, LoadError>>,
) -> Result<T, LoadError> {
    let loaded = tokio::time::timeout(TIMEOUT, load).await.unwrap_or(Err(LoadError::Slow));
    if loaded.as_ref().is_err_and(LoadError::is_slow) {
        client.leave_connections();
    }
    loaded
}

/// What is sent with a refusal, empty if it does not come soon or is too long.
pub(super) async fn words_of(client: &Client, answer: Answer) -> Bytes {
    let Ok(body) = tokio::time::timeout(REFUSAL_TIMEOUT, answer.bytes(MAX_REFUSAL)).await else {
        client.leave_connections();
        return Bytes::new();
    };
    body.unwrap_or_default()
}

/// A refusal: its status, and what was sent with it, which is empty if it did not come soon or is too
/// long, so that an empty one says nothing.
pub(super) type Refusal = (u16, Bytes);

/// The playlist at `url`, or how it was refused.
pub(super) async fn fetch_with_refusal(
    client: &Client,
    name: &'static str,
    url: &Url,
) -> Result<Result<Loaded, Refusal>, LoadError> {
    let load = async {
        let answer = client.send(name, client.get(url.clone())).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(Ok(Loaded::of(answer).await?));
        }
        Ok(Err((status.as_u16(), words_of(client, answer).await)))
    };
    in_time(client, load).await
}

impl LoadError {
    /// Whether the other end was too slow, rather than gone or wrong.
    fn is_slow(&self) -> bool {
        match self {
            Self::Http(error) => error.is_timeout(),
            Self::Slow => true,
            Self::Status(_) | Self::Playlist(_) => false,
        }
    }
}

impl From<LoadError> for ResolveError {
    fn from(error: LoadError) -> Self {
        Self::from(&error)
    }
}

impl From<&LoadError> for ResolveError {
    fn from(error: &LoadError) -> Self {
        match error {
            LoadError::Status(status) => Self::from_status(*status),
            LoadError::Http(error @ Error::TooLong(_)) => Self::changed(error),
            LoadError::Http(error) => Self::from_http(error),
            LoadError::Slow => Self::Silent(error.to_string()),
            LoadError::Playlist(error) => Self::changed(error),
        }
    }
}

#[cfg(test)]
mod tests;
