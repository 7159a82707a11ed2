//! Copies from the other nodes whatever this one lacks, until all hold the same.
//!
//! One worker per node asks it for its hours, compares the names of each hour with ours ([`diff`]),
//! fetches what is missing and publishes a file only when its bytes hash to what its name says.
//! Nothing that another node says is trusted: a name that has no place in the store is skipped
//! ([`folder`]), every answer has a bound in bytes and in time, and whatever fails is tried again
//! later without keeping anything else from being copied. Nothing is ever deleted or overwritten.

use std::sync::Arc;

use anyhow::bail;
use common::service::Context;

pub mod config;
pub mod diff;
pub mod folder;
pub mod node;

mod extras;
mod fetch;
mod flights;
mod hour;
mod limits;
mod lists;
mod manager;
mod metrics;
mod notes;
mod peer;
mod schedule;
mod setbacks;
mod shared;
mod skips;
mod sources;
mod sweep;
mod worker;

use config::Config;
pub use limits::Limits;
use shared::Shared;

/// Copies until the service stops, or once.
///
/// # Errors
///
/// When the address to listen on cannot be bound, a worker dies, or the one pass of `--run-once`
/// was not complete.
pub async fn run(context: Context, config: Config) -> anyhow::Result<()> {
    let run_once = config.run_once;
    let shared = Arc::new(Shared::new(&context, config));
    if run_once {
        // nothing is served: a one-time run may stand beside the service that has the port
        return match manager::run_once(&shared, &context.stop).await {
            manager::Pass::Complete => Ok(()),
            manager::Pass::Incomplete => {
                bail!("the pass was not complete; the log says what failed")
            }
        };
    }
    context.watch_store(&shared.store);
    common::service::serve(&context, shared.config.listen, axum::Router::new())?;
    sweep::start(&shared, &context);
    manager::run(&shared, &context.stop).await
}
