//! Logging, as `WUBLOADER_LOG` and `WUBLOADER_LOG_FORMAT` ask.

use std::env;
use std::io::IsTerminal;
use std::panic;

use anyhow::{Context as _, bail};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::metrics::{CountLogs, Metrics};

/// Sends the log to standard error, counts its records, and logs panics like any other error.
pub(super) fn install(metrics: &Metrics) -> anyhow::Result<()> {
    let filter = variable("WUBLOADER_LOG")?.unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&filter)
        .with_context(|| format!("WUBLOADER_LOG={filter:?} is no log filter; try info or debug"))?;
    // colours are for people at a terminal; a file, a pipe and the journal would keep their codes
    let colours = std::io::stderr().is_terminal();
    let to_stderr =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    let output = match variable("WUBLOADER_LOG_FORMAT")?.as_deref() {
        None | Some("text") => to_stderr.boxed(),
        Some("json") => to_stderr.json().boxed(),
        Some(other) => bail!("WUBLOADER_LOG_FORMAT={other:?} is neither text nor json"),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(output)
        .with(CountLogs::new(metrics))
        .try_init()
        .context("cannot set up logging")?;
    panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(())
}

fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).context(format!("cannot read {name}")),
    }
}
