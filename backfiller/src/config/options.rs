//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Parser, ValueEnum};

/// Copies from the other nodes whatever this one lacks.
#[derive(Debug, Parser)]
#[command(name = "backfiller", version)]
pub struct Options {
    /// Channels to copy: their names, or what the downloader is given (NAME!, NAME:TYPE:URL), of
    /// which only the name counts [env: WUBLOADER_CHANNELS=, separated by blanks or commas]
    #[arg(value_name = "CHANNEL")]
    pub channels: Vec<String>,
    /// The channels, for the environment; arguments take precedence
    #[arg(long = "channels", env = "WUBLOADER_CHANNELS", hide = true, default_value = "")]
    pub channel_list: String,
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
pub struct Seconds(pub Duration);

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
