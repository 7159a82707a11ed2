//! What the command line comes to, checked before anything is touched.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use common::format::folder::FolderName;
use common::io::db::Dsn;
use common::io::store::{Access, Feed, Store};
use common::service::{host_name, words};

use crate::limits::Limits;
use crate::node::Node;

mod options;
mod start;

pub use options::{Options, Order, Seconds};
pub use start::{BadStart, Start};

/// Looking more often would be nothing but load.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// What this node is called, so that it does not copy from itself.
#[derive(Clone, Debug)]
pub struct OwnName {
    name: String,
    /// Whether the name was given as --localhost, and so may be a host in an address.
    is_host: bool,
}

impl OwnName {
    /// Whether `node` is this one.
    pub fn is_of(&self, node: &Node) -> bool {
        node.name() == self.name || (self.is_host && node.url().host_str() == Some(&self.name))
    }

    /// Whether `folder` is named like this node.
    pub fn is(&self, folder: &FolderName) -> bool {
        folder.as_str() == self.name
    }
}

/// What the backfiller is to do.
#[derive(Clone)]
pub struct Config {
    /// The store that is filled.
    pub store: Store,
    /// What to copy, each channel with each quality.
    pub feeds: Vec<Feed>,
    /// Folders that are copied as plain trees.
    pub extras: Vec<FolderName>,
    /// Nodes that were given by address.
    pub static_nodes: Vec<Node>,
    /// A file that lists nodes.
    pub node_file: Option<PathBuf>,
    /// A database that lists nodes.
    pub node_database: Option<Dsn>,
    /// This node.
    pub own_name: OwnName,
    /// What is older is not copied.
    pub start: Option<Start>,
    /// Whether to end after one pass.
    pub run_once: bool,
    /// How many files are fetched at once from one node.
    pub concurrency: usize,
    /// What began within this time is left to the downloader.
    pub recent_cutoff: TimeDelta,
    /// Which hours come first.
    pub order: Order,
    /// How often everything is looked at.
    pub interval: Duration,
    /// Where metrics are served.
    pub listen: SocketAddr,
    /// How long and how large answers may be; no option, but tests are in more of a hurry.
    pub limits: Limits,
}

impl Config {
    /// Checks `options`.
    ///
    /// # Errors
    ///
    /// Says which option is wrong and what to do.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        ensure!(
            !options.delete_old,
            "--delete-old is not supported yet: leave it out, and nothing is deleted"
        );
        let list = options.channels;
        let list = if list.is_empty() { words(&options.channel_list) } else { list };
        ensure!(!list.is_empty(), "there is nothing to copy; name at least one CHANNEL");
        let channels =
            folder_names(list.iter().map(|text| channel_name(text))).context("CHANNEL")?;
        let qualities = folder_names(&options.qualities).context("--qualities")?;
        let extras = folder_names(&options.extras).context("--extras")?;
        for extra in &extras {
            // what is copied as a plain tree is copied without knowing its hash
            ensure!(!channels.contains(extra), "--extras: {extra} is a channel");
        }
        let feeds = channels.iter().flat_map(|channel| {
            let feed =
                |quality: &FolderName| Feed { channel: channel.clone(), quality: quality.clone() };
            qualities.iter().map(feed)
        });
        Ok(Self {
            feeds: feeds.collect(),
            extras,
            static_nodes: static_nodes(&options.static_nodes).context("--static-nodes")?,
            node_file: options.node_file.filter(|path| !path.is_empty()).map(PathBuf::from),
            node_database: dsn(options.node_database).context("--node-database")?,
            own_name: own_name(options.localhost, options.name)?,
            start: start(options.start).context("--start")?,
            run_once: options.run_once,
            concurrency: options.download_concurrency.into(),
            recent_cutoff: TimeDelta::from_std(options.recent_cutoff.0)?,
            order: options.order,
            interval: interval(options.interval)?,
            listen: options.listen,
            limits: Limits::default(),
            store: Store::open(options.base_dir, Access::Write)?,
        })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let feeds = self.feeds.iter().map(|feed| format!("{}/{}", feed.channel, feed.quality));
        f.debug_struct("Config")
            .field("base_dir", &self.store.base())
            .field("feeds", &feeds.collect::<Vec<_>>())
            .field("extras", &self.extras)
            .field("static_nodes", &self.static_nodes)
            .field("node_file", &self.node_file)
            .field("node_database", &self.node_database)
            .field("localhost", &self.own_name.name)
            .field("start", &self.start)
            .field("run_once", &self.run_once)
            .field("download_concurrency", &self.concurrency)
            .field("recent_cutoff_seconds", &self.recent_cutoff.num_seconds())
            .field("order", &self.order)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// The channel's name in what the downloader is given: `NAME[!]` or `NAME[!]:TYPE:URL`.
fn channel_name(text: &str) -> &str {
    let name = text.split(':').next().unwrap_or_default();
    name.strip_suffix('!').unwrap_or(name)
}

/// The names in a list, each once. An item that is empty, as when the whole list is, is no item.
fn folder_names<T: AsRef<str>>(
    items: impl IntoIterator<Item = T>,
) -> anyhow::Result<Vec<FolderName>> {
    let mut names = Vec::new();
    for item in items {
        let item = item.as_ref().trim();
        if item.is_empty() {
            continue;
        }
        let name: FolderName = item.parse().with_context(|| format!("{item:?}"))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn interval(Seconds(interval): Seconds) -> anyhow::Result<Duration> {
    let shortest = SHORTEST_INTERVAL.as_secs_f64();
    ensure!(interval >= SHORTEST_INTERVAL, "--interval: must be at least {shortest} seconds");
    Ok(interval)
}

fn static_nodes(addresses: &[String]) -> anyhow::Result<Vec<Node>> {
    let addresses = addresses.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    addresses.map(|address| Ok(Node::at(address)?)).collect()
}

fn dsn(text: Option<String>) -> anyhow::Result<Option<Dsn>> {
    let text = text.filter(|text| !text.is_empty());
    Ok(text.map(|text| text.parse()).transpose()?)
}

fn start(text: Option<String>) -> anyhow::Result<Option<Start>> {
    let text = text.filter(|text| !text.is_empty());
    Ok(text.map(|text| text.parse()).transpose()?)
}

fn own_name(localhost: Option<String>, name: Option<String>) -> anyhow::Result<OwnName> {
    let given = |name: Option<String>| name.filter(|name| !name.is_empty());
    if let Some(name) = given(localhost) {
        return Ok(OwnName { name, is_host: true });
    }
    if let Some(name) = given(name) {
        return Ok(OwnName { name, is_host: false });
    }
    Ok(OwnName { name: host_name("--localhost")?, is_host: false })
}

#[cfg(test)]
mod tests;
