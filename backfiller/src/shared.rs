//! What all workers share: this node's side of things.

use std::sync::Arc;

use common::base::time::{Clock, Timestamp};
use common::io::http::client::Client;
use common::io::store::Store;
use common::service::Context;

use crate::config::Config;
use crate::flights::Flights;
use crate::metrics::Metrics;
use crate::sources::Sources;

/// This node's side.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) client: Client,
    pub(crate) metrics: Metrics,
    pub(crate) flights: Flights,
    pub(crate) sources: Sources,
    pub(crate) config: Config,
}

impl Shared {
    /// To be called once per process, within a runtime.
    pub(crate) fn new(context: &Context, config: Config) -> Self {
        Self {
            store: config.store.clone(),
            clock: Arc::clone(&context.clock),
            client: Client::new(&context.metrics, config.limits.client_options()),
            metrics: Metrics::new(&context.metrics),
            flights: Flights::default(),
            sources: Sources::new(&config, &context.metrics),
            config,
        }
    }

    /// The latest start of what is copied and not left to the downloader.
    pub(crate) fn newest_start(&self) -> Timestamp {
        self.clock.now() - self.config.recent_cutoff
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;
    use common::metrics::Metrics;

    use super::*;
    use crate::config::Options;

    /// This node as it is with `arguments`, and its store, which is removed when dropped.
    pub(crate) fn shared(arguments: &[&str]) -> (tempfile::TempDir, Arc<Shared>) {
        let base = tempfile::tempdir().unwrap();
        let base_dir = format!("--base-dir={}", base.path().display());
        let arguments = [&["backfiller", "chan", &base_dir], arguments].concat();
        let config = Config::new(Options::try_parse_from(arguments).unwrap()).unwrap();
        (base, Arc::new(Shared::new(&Context::new(Metrics::empty()), config)))
    }
}
