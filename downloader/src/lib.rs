//! Records live HLS streams into the segment store.

pub mod config;
mod fetch;
mod known;
mod planner;

/// Records.
pub async fn run(
    _context: common::service::Context,
    _config: config::Config,
) -> anyhow::Result<()> {
    Ok(())
}
