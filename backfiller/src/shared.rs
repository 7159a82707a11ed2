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
