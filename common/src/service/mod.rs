//! Layer 5: the frame of a service: how it starts, what it serves about itself, how it stops.
//!
//! A service's `main` is one call of [`main`]: configuration first (exit status 2 if it is bad,
//! before any port is bound or file touched), then its work (exit status 1 if that fails), until
//! SIGTERM or SIGINT asks it to stop.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use crate::base::time::{Clock, SystemClock};
use crate::io::store::Store;
use crate::metrics::Metrics;

mod admin;
mod files;
mod health;
mod host;
mod lifecycle;
mod options;
mod telemetry;

pub use admin::serve;
pub use health::{Health, Parts};
pub use host::host_name;
pub use lifecycle::{STOP_WITHIN, Tasks};
pub use options::parse;
pub use options::words;
pub use tokio_util::sync::CancellationToken;

/// What a service's parts are given to work with; cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// Cancelled when the service is to stop.
    pub stop: CancellationToken,
    /// The owner of every task that is not awaited where it is started.
    pub tasks: Tasks,
    /// The registry of the process.
    pub metrics: Metrics,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// What must be well for the service to be called healthy.
    pub health: Health,
}

impl Context {
    /// A context with the machine's clock and its own token and tasks.
    pub fn new(metrics: Metrics) -> Self {
        let stop = CancellationToken::new();
        Self {
            tasks: Tasks::new(stop.clone()),
            stop,
            metrics,
            clock: Arc::new(SystemClock),
            health: Health::default(),
        }
    }

    /// Makes the service unhealthy while the base folder of `store` is not there, and shows what is
    /// counted of the store. To be called once.
    pub fn watch_store(&self, store: &Store) {
        store.register(&self.metrics);
        let store = store.clone();
        self.health.add("the store", move || store.check().map_err(|error| error.to_string()));
    }

    /// As [`Context::watch_store`], for a service that does its work while the disk hangs.
    pub fn watch_store_patiently(&self, store: &Store) {
        store.register(&self.metrics);
        let store = store.clone();
        let check = move || store.check().map_err(|error| error.to_string());
        self.health.add_bearable("the store", check);
    }
}

/// Runs the service `name` from its command line to its exit status.
///
/// `configure` checks everything that can be checked without touching anything; what it returns is
/// logged, so its `Debug` must not show secrets. `work` runs until [`Context::stop`] is cancelled;
/// returning earlier stops the service. It may return while its tasks still run: they are awaited.
pub fn main<O, C, W>(
    name: &'static str,
    configure: impl FnOnce(O) -> anyhow::Result<C>,
    work: impl FnOnce(Context, C) -> W,
) -> ExitCode
where
    O: clap::Parser,
    C: Debug,
    W: Future<Output = anyhow::Result<()>>,
{
    main_on(None, name, configure, work)
}

/// As [`main`], on so many threads, beside those that may block; as many as there are processors unless
/// given.
pub fn main_on<O, C, W>(
    threads: Option<NonZeroUsize>,
    name: &'static str,
    configure: impl FnOnce(O) -> anyhow::Result<C>,
    work: impl FnOnce(Context, C) -> W,
) -> ExitCode
where
    O: clap::Parser,
    C: Debug,
    W: Future<Output = anyhow::Result<()>>,
{
    let options = match parse(name, std::env::args_os()) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let metrics = Metrics::new();
    if let Err(error) = telemetry::install(&metrics) {
        return options::refuse(name, &error);
    }
    let config = match configure(options) {
        Ok(config) => config,
        Err(error) => return options::refuse(name, &error),
    };
    if let Err(error) = files::raise_limit() {
        tracing::warn!("no more files may be open than before: {error}");
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), ?config, "{name} starts");
    lifecycle::run(&Context::new(metrics), threads, |context| work(context, config))
}
