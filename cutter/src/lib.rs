//! Takes edited events from the database, cuts their videos and publishes them, each exactly once.
//!
//! One event at a time: `claim` finds one that can be cut from this node's store and takes it,
//! `job` brings it to its end, and `recover` settles what an earlier run or an outage of the
//! database left in between. [`upload`] is what publishing needs of a place.

mod claim;
pub mod config;
mod cutter;
mod explain;
mod job;
mod metrics;
mod patience;
mod recover;
mod recovery;
pub mod upload;
mod waiting;

use anyhow::Context as _;
use common::cut::Kind;
use common::io::db::Database;
use common::io::ffmpeg::Ffmpeg;
use common::service::{self, Context};

use crate::config::Config;
pub use crate::cutter::Cutter;

/// What encodes pictures, looked for in PATH.
const FFMPEG: &str = "ffmpeg";

/// Serves metrics and health, and cuts until the service stops.
///
/// # Errors
///
/// When the address cannot be listened on, ffmpeg is missing where exact cuts are asked for, or the database's schema does not
/// fit.
pub async fn run(context: Context, config: Config) -> anyhow::Result<()> {
    context.watch_store(&config.store);
    if config.locations.all().any(|location| location.cut != Kind::Rough) {
        let needed = "cut exactly, as a cut_type of --config asks for";
        Ffmpeg::new(FFMPEG).check().await.context(needed)?;
    }
    service::serve(&context, config.listen, axum::Router::new())?;
    let application = format!("cutter {}", config.name);
    let database = Database::new(&config.database, &application, &context.metrics);
    let cutter = Cutter::new(config, database.clone(), &context);
    cutter.run(&context.stop).await?;
    database.close().await;
    Ok(())
}
