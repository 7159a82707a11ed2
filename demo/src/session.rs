//! One run of the demo, from its options to its exit status.

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::channel::Remote;
use crate::display::Display;
use crate::installation::{Ground, Installation};
use crate::options::{Options, Source};
use crate::story::{self, Story, titles};

/// How a run ended.
#[derive(Debug)]
enum End {
    /// Every step held.
    Held,
    /// One did not.
    Failed(anyhow::Error),
    /// Nothing could be started.
    Refused(anyhow::Error),
    /// Somebody asked for the end before the story was over.
    Interrupted,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        let complain = |error: anyhow::Error| {
            let words = format!("{error:#}");
            eprintln!("demo: {}", words.split_whitespace().collect::<Vec<_>>().join(" "));
        };
        match end {
            End::Held => Self::SUCCESS,
            End::Failed(error) => {
                complain(error);
                Self::FAILURE
            }
            End::Refused(error) => {
                complain(error);
                Self::from(2)
            }
            // what a shell says of a program that Ctrl-C ended
            End::Interrupted => Self::from(130),
        }
    }
}

/// Runs the demo to its end.
///
/// To be called on the main thread: what is started lives only as long as this thread does.
pub fn run(options: &Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime.context("start the runtime") {
        Ok(runtime) => runtime,
        Err(error) => return End::Refused(error).into(),
    };
    let display = Display::to_stdout(story::steps(&options.source(), options.once));
    let end = runtime.block_on(until_stopped(options, &display));
    display.finish();
    // what still blocks on the disk must not keep the process
    runtime.shutdown_background();
    end.into()
}

/// Stops in order at the first signal, and at once at the second.
async fn until_stopped(options: &Options, display: &Display) -> End {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return End::Refused(error.into()),
    };
    let stop = CancellationToken::new();
    let shown = show(options, display, &stop);
    tokio::pin!(shown);
    tokio::select! {
        end = &mut shown => return end,
        () = signals.next() => {}
    }
    display.tell("stops everything; one more Ctrl-C ends it at once");
    stop.cancel();
    tokio::select! {
        end = shown => end,
        () = signals.next() => End::Interrupted,
    }
}

async fn show(options: &Options, display: &Display, stop: &CancellationToken) -> End {
    let source = options.source();
    if let Err(end) = has_something_to_record(&source, stop).await {
        return end;
    }
    display.now(format_args!("makes room in {}", options.data.display()));
    let ground = match Ground::prepare(&options.data) {
        Ok(ground) => ground,
        Err(error) => return End::Refused(error),
    };
    let started = tokio::select! {
        biased;
        () = stop.cancelled() => return End::Interrupted,
        started = Installation::start(&source, ground, display) => started,
    };
    let installation = match started {
        Ok(installation) => installation,
        Err(error) => return End::Failed(error),
    };
    let end = play(&installation, options.once, display, stop).await;
    let logs = installation.root().join("log");
    display.step("everything stops");
    let stopped = installation.stop().await;
    let end = match (end, stopped) {
        (End::Failed(error), _) | (_, Err(error)) => {
            End::Failed(anyhow!("{error:#} (logs in {})", logs.display()))
        }
        (end, Ok(())) => end,
    };
    if matches!(end, End::Held) {
        display.held("nothing is left running");
        display.tell(titles::HELD);
    }
    end
}

/// Looks whether a channel that is not the demo's own is live, before anything is replaced or started.
async fn has_something_to_record(source: &Source, stop: &CancellationToken) -> Result<(), End> {
    let Some(remote) = Remote::of(source).map_err(End::Refused)? else {
        return Ok(());
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(End::Interrupted),
        live = remote.is_live() => live.map_err(End::Failed),
    }
}

/// Tells the story of `installation` and what follows it.
async fn play(
    installation: &Installation,
    once: bool,
    display: &Display,
    stop: &CancellationToken,
) -> End {
    let story = Story::new(installation, display);
    let told = async {
        story.tell().await?;
        if once { story.conclude().await } else { Ok(()) }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => return End::Interrupted,
        trouble = installation.trouble() => return End::Failed(trouble),
        told = told => match told {
            Ok(()) if once => return End::Held,
            Ok(()) => {}
            Err(error) => return End::Failed(error),
        },
    }
    tokio::select! {
        biased;
        () = stop.cancelled() => End::Held,
        trouble = installation.trouble() => End::Failed(trouble),
        () = story::stay(&story) => End::Held,
    }
}

/// What asks the demo to end: Ctrl-C, SIGTERM, and the terminal's end.
struct Signals([Signal; 3]);

impl Signals {
    fn listen() -> std::io::Result<Self> {
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
