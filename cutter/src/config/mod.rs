//! What the cutter is told: options as people write them, and the checked configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Parser;
use common::format::folder::FolderName;
use common::io::db::Dsn;
use common::io::store::{Access, Store};
use common::service::host_name;

mod locations;

pub use locations::{Location, Locations};

/// The longest name of a cutter, in bytes: it is part of file names.
const MAX_NAME: usize = 64;

/// Cuts and publishes the videos that the database asks for.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    /// The database of events: postgres://USER:PASSWORD@HOST:PORT/NAME or libpq's key=value
    #[arg(long, env = "WUBLOADER_DATABASE", value_name = "DSN", hide_env_values = true)]
    database: String,

    /// Where to publish: JSON that maps upload locations to backends, or the path of a file of it
    #[arg(long, env = "WUBLOADER_CONFIG", value_name = "FILE|JSON", hide_env_values = true)]
    config: String,

    /// A file with the credentials of backends that need some; no backend of this version does
    #[arg(long, env = "WUBLOADER_CREDS_FILE", value_name = "FILE")]
    creds_file: Option<PathBuf>,

    /// The folder that everything is stored below
    #[arg(long, env = "WUBLOADER_BASE_DIR", default_value = ".")]
    base_dir: PathBuf,

    /// This cutter's name, under which it holds events; no other cutter may have it [default: the
    /// host's name]
    #[arg(long, env = "WUBLOADER_NAME")]
    name: Option<String>,

    /// Tags that every video gets
    #[arg(long, env = "WUBLOADER_TAGS", value_name = "LIST", value_delimiter = ',')]
    tags: Vec<String>,

    /// Take only events whose whitelist names this cutter
    #[arg(
        long,
        env = "WUBLOADER_UPLOADER_EXPLICIT_ONLY",
        value_parser = clap::builder::FalseyValueParser::new()
    )]
    uploader_explicit_only: bool,

    /// Where to serve metrics and health
    #[arg(long, env = "WUBLOADER_LISTEN", default_value = "0.0.0.0:8003")]
    listen: SocketAddr,
}

/// What to take, and where to publish it.
#[derive(Debug)]
pub struct Config {
    /// The database of events.
    pub database: Dsn,
    /// Where to publish.
    pub locations: Locations,
    /// Where the video comes from.
    pub store: Store,
    /// This cutter's name.
    pub name: FolderName,
    /// Tags that every video gets.
    pub tags: Vec<String>,
    /// Whether only events are taken that name this cutter.
    pub explicit_only: bool,
    /// Where to serve metrics and health.
    pub listen: SocketAddr,
}

impl Config {
    /// Checks `options`, without touching anything but to look whether it is there.
    ///
    /// # Errors
    ///
    /// Says which option is wrong and what to do about it.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let database = options.database.parse().context("cannot use --database")?;
        let name = name(options.name)?;
        let locations = Locations::read(&options.config, &name)?;
        let tags = options.tags.iter().map(|tag| tag.trim().to_owned());
        let tags = tags.filter(|tag| !tag.is_empty()).collect();
        let store = Store::open(options.base_dir, Access::Read)?;
        let explicit_only = options.uploader_explicit_only;
        Ok(Self { database, locations, store, name, tags, explicit_only, listen: options.listen })
    }
}

fn name(given: Option<String>) -> anyhow::Result<FolderName> {
    let name = given.map_or_else(|| host_name("--name"), Ok)?;
    ensure!(
        name.len() <= MAX_NAME,
        "the name {name:?} is longer than {MAX_NAME} bytes; give a shorter one with --name"
    );
    name.parse()
        .with_context(|| format!("{name:?} can be no cutter's name; give another with --name"))
}

#[cfg(test)]
mod tests;
