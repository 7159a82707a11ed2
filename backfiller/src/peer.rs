//! One other node, asked over HTTP. Whatever it answers is bounded in bytes and in time, and no name
//! leaves this module that has not been read as a value.

use std::time::Duration;

use common::base::time::Hour;
use common::format::folder::FolderName;
use common::io::http::client::{self, Answer, Client};
use common::io::store::Feed;
use common::plan::listing::FolderKind;
use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;
use url::Url;

use crate::folder::{Folder, Skipped};
use crate::limits::Limits;
use crate::node::Node;

mod tree;

pub(crate) use tree::{Tree, TreePath};

/// Why a node did not give what it was asked for.
#[derive(Debug, Error)]
pub(crate) enum PeerError {
    /// It answered with something else than what was asked for.
    #[error("it answered with status {0}")]
    Status(u16),
    /// It did not answer, or with something that is too long or no listing.
    #[error(transparent)]
    Http(#[from] client::Error),
    /// It answered, but far too slowly.
    #[error("it was not done after {} s", .0.as_secs())]
    Slow(Duration),
    /// The file is longer than any that we take.
    #[error("it sends more than {0} bytes")]
    TooLong(u64),
}

impl PeerError {
    /// Whether the node as a whole seems not to answer.
    pub(crate) fn is_silence(&self) -> bool {
        match self {
            Self::Slow(_) => true,
            Self::Http(error) => {
                matches!(error, client::Error::Transport(_) | client::Error::Timeout(_))
            }
            Self::Status(_) | Self::TooLong(_) => false,
        }
    }

    /// Whether asking again for the same file will most likely end the same way.
    pub(crate) fn is_lasting(&self) -> bool {
        match self {
            // too many requests, and what proxies say of a server that is being restarted
            Self::Status(status) => !matches!(status, 429 | 502 | 503 | 504),
            Self::TooLong(_) => true,
            Self::Http(_) | Self::Slow(_) => false,
        }
    }
}

/// One other node.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    node: Node,
    client: Client,
    limits: Limits,
}

/// An item of a listing; one that is no text has no meaning, but does not spoil the others.
#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Name(String),
    Other(IgnoredAny),
}

impl Item {
    fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Other(_) => "",
        }
    }
}

impl Peer {
    pub(crate) fn new(node: Node, client: Client, limits: Limits) -> Self {
        Self { node, client, limits }
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// The hours that the node has of `feed`, in no order.
    pub(crate) async fn hours(&self, feed: &Feed) -> Result<(Vec<Hour>, Skipped), PeerError> {
        let path = ["files", feed.channel.as_str(), feed.quality.as_str()];
        let items = self.listing("list_hours", self.url(path), self.limits.listing_bytes).await?;
        let (mut hours, mut skipped) = (Vec::new(), Skipped::default());
        for item in &items {
            match item.name().parse() {
                Ok(hour) => hours.push(hour),
                // hidden names are ignored everywhere
                Err(_) if item.name().starts_with('.') && !item.name().contains('/') => {}
                Err(_) => skipped.add(item.name()),
            }
        }
        hours.sort_unstable();
        hours.dedup();
        Ok((hours, skipped))
    }

    /// What the node has in an hour's folder.
    pub(crate) async fn folder(&self, feed: &Feed, hour: Hour) -> Result<Folder, PeerError> {
        let hour_name = hour.to_string();
        let path = ["files", feed.channel.as_str(), feed.quality.as_str(), &hour_name];
        let mut url = self.url(path);
        url.set_query(Some("tombstones=true"));
        let items = self.listing("list_hour", url, self.limits.listing_bytes).await?;
        let kind = FolderKind::of(feed.quality.as_str());
        Ok(Folder::new(kind, hour, items.iter().map(Item::name)))
    }

    /// The files below an extra folder; none when the node does not have such folders at all.
    pub(crate) async fn tree(&self, extra: &FolderName) -> Result<Tree, PeerError> {
        let url = self.url(["extras", extra.as_str()]);
        match self.listing("list_extras", url, self.limits.tree_bytes).await {
            Ok(items) => Ok(Tree::new(items.iter().map(Item::name))),
            Err(PeerError::Status(404)) => Ok(Tree::default()),
            Err(error) => Err(error),
        }
    }

    /// Asks for the segment or chat batch `file_name`, which must have come out of [`Peer::folder`].
    pub(crate) async fn segment(
        &self,
        feed: &Feed,
        hour: Hour,
        file_name: &str,
    ) -> Result<Answer, PeerError> {
        let hour = hour.to_string();
        let (channel, quality) = (feed.channel.as_str(), feed.quality.as_str());
        let url = self.url(["segments", channel, quality, &hour, file_name]);
        let answer = self.client.send("get_segment", self.client.get(url)).await?;
        expect_status(answer, &[200])
    }

    /// Asks for a file below an extra folder: for all of it (200), or, if `from` is not zero, for what
    /// it has from that byte on (206, or 416 when there is nothing, or 200 when all of it comes).
    pub(crate) async fn extra(
        &self,
        extra: &FolderName,
        path: &TreePath,
        from: u64,
    ) -> Result<Answer, PeerError> {
        let url = self.url(["segments", extra.as_str()].into_iter().chain(path.components()));
        let request = self.client.get(url);
        if from == 0 {
            let answer = self.client.send("get_extra", request).await?;
            return expect_status(answer, &[200]);
        }
        let request = request.header("range", format!("bytes={from}-"));
        expect_status(self.client.send("get_extra", request).await?, &[200, 206, 416])
    }

    /// `work` on a file, unless it takes too long.
    pub(crate) async fn in_time<T, E: From<PeerError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let limit = self.limits.file_timeout;
        match tokio::time::timeout(limit, work).await {
            Ok(done) => done,
            Err(_) => Err(PeerError::Slow(limit).into()),
        }
    }

    /// The longest file that is taken from a node, in bytes.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.limits.file_bytes
    }

    async fn listing(
        &self,
        name: &'static str,
        url: Url,
        limit: usize,
    ) -> Result<Vec<Item>, PeerError> {
        let listing = async {
            let answer = self.client.send(name, self.client.get(url)).await?;
            Ok(expect_status(answer, &[200])?.json(limit).await?)
        };
        let timeout = self.limits.listing_timeout;
        let listing = tokio::time::timeout(timeout, listing).await;
        listing.unwrap_or(Err(PeerError::Slow(timeout)))
    }

    /// The address of a path below that of the node.
    fn url<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.node.url().clone();
        url.path_segments_mut().expect("an HTTP address has a path").pop_if_empty().extend(path);
        url
    }
}

fn expect_status(answer: Answer, expected: &[u16]) -> Result<Answer, PeerError> {
    let status = answer.status().as_u16();
    if expected.contains(&status) { Ok(answer) } else { Err(PeerError::Status(status)) }
}
