//! From signals to tokens: how a service's tasks end, and with which exit status.

use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::Context;

/// How long a service may take to stop before it is ended at once.
pub const STOP_WITHIN: Duration = Duration::from_secs(20);

/// How a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All of it stopped, because it was asked to.
    Clean,
    /// Something failed, or stopping took too long.
    Failed,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        match end {
            End::Clean => Self::SUCCESS,
            End::Failed => Self::FAILURE,
        }
    }
}

/// The owner of a service's tasks; cheap to clone.
///
/// A task runs until the service stops. One that ends before that, by an error, a panic or because
/// it thinks it is done, stops the service with a failing exit status, so that whatever supervises it
/// restarts it into a clean state.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    failed: Arc<AtomicBool>,
}

impl Tasks {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { tracker: TaskTracker::new(), stop, failed: Arc::default() }
    }

    /// Starts a task that is to run until the service stops; `name` is for the log.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let this = self.clone();
        let watched = async move {
            let outcome = AssertUnwindSafe(task).catch_unwind().await;
            match outcome {
                Ok(Ok(())) if this.stop.is_cancelled() => return,
                Ok(Ok(())) => tracing::error!(task = name, "a task ended unasked"),
                Ok(Err(error)) => tracing::error!(task = name, "a task failed: {error:#}"),
                // the panic hook has logged what it was
                Err(_) => tracing::error!(task = name, "a task panicked"),
            }
            this.failed.store(true, Ordering::Relaxed);
            this.stop.cancel();
        };
        self.tracker.spawn(watched.in_current_span());
    }

    /// Whether some task failed.
    fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Waits until every task has ended; nothing makes them end but the token.
    pub async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Runs `work` and the tasks it leaves behind on a runtime of their own, until all have ended.
pub(super) fn run<W>(
    context: &Context,
    threads: Option<NonZeroUsize>,
    work: impl FnOnce(Context) -> W,
) -> ExitCode
where
    W: Future<Output = anyhow::Result<()>>,
{
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads.get());
    }
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let end = runtime.block_on(until_stopped(context, work(context.clone())));
    // what blocks on a disk that hangs must not keep the process
    runtime.shutdown_background();
    end.into()
}

async fn until_stopped(context: &Context, work: impl Future<Output = anyhow::Result<()>>) -> End {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (mut terminate, mut interrupt) = match signals {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!("cannot listen for signals: {error}");
            return End::Failed;
        }
    };
    tokio::select! {
        end = work_then_tasks(context, work) => end,
        reason = ended_at_once(&context.stop, &mut terminate, &mut interrupt) => {
            tracing::error!("ended at once: {reason}");
            End::Failed
        }
    }
}

async fn work_then_tasks(context: &Context, work: impl Future<Output = anyhow::Result<()>>) -> End {
    let outcome = work.await;
    if let Err(error) = &outcome {
        tracing::error!("{error:#}");
    }
    context.stop.cancel();
    context.tasks.ended().await;
    if outcome.is_err() || context.tasks.failed() {
        return End::Failed;
    }
    tracing::info!("stopped");
    End::Clean
}

/// Cancels `stop` at the first signal; returns at the second, or when stopping takes too long.
async fn ended_at_once(
    stop: &CancellationToken,
    terminate: &mut Signal,
    interrupt: &mut Signal,
) -> &'static str {
    let mut next_signal = async || {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        name = next_signal() => {
            tracing::info!("stops, asked by {name}");
            stop.cancel();
        }
    }
    tokio::select! {
        _ = next_signal() => "a second signal came",
        () = tokio::time::sleep(STOP_WITHIN) => "stopping took too long",
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;
    use crate::metrics::Metrics;

    /// How a service ends that only waits to be stopped, beside `task`.
    async fn end_beside(task: impl Future<Output = anyhow::Result<()>> + Send + 'static) -> End {
        let context = Context::new(Metrics::empty());
        context.tasks.spawn("test", task);
        let work = async {
            context.stop.cancelled().await;
            Ok(())
        };
        work_then_tasks(&context, work).await
    }

    #[tokio::test]
    async fn a_task_that_ends_unasked_stops_the_service() {
        assert_eq!(end_beside(async { Ok(()) }).await, End::Failed);
        assert_eq!(end_beside(async { bail!("broken") }).await, End::Failed);
        assert_eq!(end_beside(async { panic!("broken") }).await, End::Failed);
    }

    #[tokio::test]
    async fn a_service_whose_tasks_end_when_asked_ends_clean() {
        let context = Context::new(Metrics::empty());
        let stop = context.stop.clone();
        context.tasks.spawn("test", async move {
            stop.cancelled().await;
            Ok(())
        });
        assert_eq!(work_then_tasks(&context, async { Ok(()) }).await, End::Clean);
        assert_eq!(work_then_tasks(&context, async { bail!("broken") }).await, End::Failed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_does_not_stop_is_ended() {
        let context = Context::new(Metrics::empty());
        context.tasks.spawn("test", std::future::pending());
        context.stop.cancel();
        let started = tokio::time::Instant::now();
        assert_eq!(until_stopped(&context, async { Ok(()) }).await, End::Failed);
        assert_eq!(started.elapsed(), STOP_WITHIN);
    }
}
