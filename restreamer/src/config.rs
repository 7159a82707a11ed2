//! What the restreamer is told on its command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use common::io::store::{Access, Store};

/// Serves what is stored over HTTP: listings, files, playlists and cuts.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub struct Options {
    /// The folder below which everything is stored
    #[arg(long, env = "WUBLOADER_BASE_DIR", default_value = ".")]
    pub base_dir: PathBuf,
    /// The address and port to listen on
    #[arg(long, env = "WUBLOADER_LISTEN", default_value = "0.0.0.0:8000")]
    pub listen: SocketAddr,
    /// The database of thumbnail templates; nothing of this version uses it
    #[arg(long, env = "WUBLOADER_DATABASE", value_name = "DSN", hide_env_values = true)]
    pub database: Option<String>,
}

/// Options that were checked.
#[derive(Debug)]
pub struct Config {
    /// What is served.
    pub store: Store,
    /// Where.
    pub listen: SocketAddr,
}

impl Config {
    /// Checks `options`.
    ///
    /// # Errors
    ///
    /// When the base folder cannot be read.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let store = Store::open(options.base_dir, Access::Read)?;
        Ok(Self { store, listen: options.listen })
    }
}
