//! The command line and what it comes to, checked before anything is touched.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::TimeDelta;
use clap::builder::FalseyValueParser;
use clap::{Parser, ValueEnum};
use common::format::folder::FolderName;
use common::io::db::Dsn;
use common::io::store::{Access, Feed, Store};

use crate::node::Node;
use crate::peer::Limits;

mod start;

pub use start::{BadStart, Start};

/// Looking more often would be nothing but load.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Copies from the other nodes whatever this one lacks.
#[derive(Debug, Parser)]
#[command(name = "backfiller", version)]
pub struct Options {
    /// Channels to copy: their names, or what the downloader is given (NAME[!][:TYPE:URL]), of
    /// which only the name counts
    #[arg(value_name = "CHANNEL", required = true)]
    pub channels: Vec<String>,
    /// Folder of the segment store
    #[arg(long, env = "WUBLOADER_BASE_DIR", default_value = ".")]
    pub base_dir: PathBuf,
    /// Qualities to copy, separated by commas; `chat` is the chat
    #[arg(long, env = "WUBLOADER_QUALITIES", value_delimiter = ',', default_value = "source")]
    pub qualities: Vec<String>,
    /// Other folders to copy as plain trees, separated by commas
    #[arg(long, env = "WUBLOADER_EXTRAS", value_delimiter = ',', default_value = "notes")]
    pub extras: Vec<String>,
    /// Addresses of the other nodes' restreamers, separated by commas
    #[arg(long, value_name = "URLS", env = "WUBLOADER_STATIC_NODES", value_delimiter = ',')]
    pub static_nodes: Vec<String>,
    /// File that lists nodes: a line each, `URL` or `NAME URL`; read again every minute
    #[arg(long, value_name = "FILE", env = "WUBLOADER_NODE_FILE")]
    pub node_file: Option<OsString>,
    /// Database whose table `nodes` lists nodes; asked again every minute
    #[arg(long, value_name = "DSN", env = "WUBLOADER_NODE_DATABASE", hide_env_values = true)]
    pub node_database: Option<String>,
    /// This node's name, which is left out of the lists, and whose notes are never written to; a
    /// host's name given here is left out of --static-nodes too [default: --name, or the host's name]
    #[arg(long, value_name = "NAME", env = "WUBLOADER_LOCALHOST")]
    pub localhost: Option<String>,
    /// This node's name as the downloader takes it, for where all services share one environment
    #[arg(long, value_name = "NAME", env = "WUBLOADER_NAME", hide = true)]
    pub name: Option<String>,
    /// Copy only the last HOURS hours, or what is not older than TIME (2026-11-20T10:00)
    #[arg(long, value_name = "HOURS|TIME", env = "WUBLOADER_START")]
    pub start: Option<String>,
    /// Delete what is older than --start (not supported yet)
    #[arg(long, env = "WUBLOADER_DELETE_OLD", value_parser = FalseyValueParser::new())]
    pub delete_old: bool,
    /// Go over everything once and exit: with 0 if all of it was copied, with 1 if not
    #[arg(long, env = "WUBLOADER_RUN_ONCE", value_parser = FalseyValueParser::new())]
    pub run_once: bool,
    /// How many files are fetched at once from one node
    #[arg(long, value_name = "COUNT", env = "WUBLOADER_DOWNLOAD_CONCURRENCY", default_value_t = 5,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub download_concurrency: u16,
    /// Leave to the downloader what began within the last SECONDS
    #[arg(long, value_name = "SECONDS", env = "WUBLOADER_RECENT_CUTOFF", default_value = "120")]
    pub recent_cutoff: Seconds,
    /// Which hours come first
    #[arg(long, env = "WUBLOADER_ORDER", default_value = "newest")]
    pub order: Order,
    /// How often every hour of every node is looked at, when nothing is missing
    #[arg(long, value_name = "SECONDS", env = "WUBLOADER_INTERVAL", default_value = "120")]
    pub interval: Seconds,
    /// Address for metrics and health
    #[arg(long, env = "WUBLOADER_LISTEN", default_value = "0.0.0.0:8002")]
    pub listen: SocketAddr,
}

/// Which hours are copied first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// What people are most likely to cut from now.
    Newest,
    /// What is most likely to be deleted elsewhere.
    Oldest,
    /// Another order every time.
    Random,
}

/// A number of seconds on the command line, at most a hundred days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(Duration);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds: f64 = text.parse().map_err(|_| "not a number of seconds")?;
        if !(0.0..=8_640_000.0).contains(&seconds) {
            return Err("not from 0 to 8640000 seconds");
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

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
        let channels = folder_names(options.channels.iter().map(|text| channel_name(text)))
            .context("CHANNEL")?;
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
        let recent_cutoff = TimeDelta::from_std(options.recent_cutoff.0)?;
        ensure!(
            options.interval.0 >= SHORTEST_INTERVAL,
            "--interval: must be at least {} seconds",
            SHORTEST_INTERVAL.as_secs_f64()
        );
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
            recent_cutoff,
            order: options.order,
            interval: options.interval.0,
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
    let host = nix::unistd::gethostname().context("cannot tell the host's name")?;
    match host.into_string() {
        Ok(name) => Ok(OwnName { name, is_host: false }),
        Err(_) => bail!("the host's name is not UTF-8: give a name with --localhost"),
    }
}

#[cfg(test)]
mod tests;
