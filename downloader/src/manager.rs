//! The workers of one channel: one to a quality, each looked after on its own, for ever.

use std::sync::Arc;
use std::time::Duration;

use common::base::backoff::jittered;
use common::format::folder::FolderName;
use common::io::store::Feed;
use common::io::store::notes::Why;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::Shared;
use crate::config::Channel;
use crate::provider::{Provider, ResolveError};
use crate::recorder::Recorder;
use crate::trouble::Severity;
use crate::worker::{self, End};

/// How often a channel is looked for that should always be up, and any other.
const IMPORTANT_INTERVAL: Duration = Duration::from_secs(5);
const ORDINARY_INTERVAL: Duration = Duration::from_secs(20);
/// How long after a worker that had brought news ended the channel is looked for again.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Records all qualities of `channel` until the downloader stops.
///
/// # Errors
///
/// Never: trouble with a channel is logged and met with patience.
///
/// # Panics
///
/// When a part of it does.
pub(crate) async fn run(
    shared: Arc<Shared>,
    channel: Channel,
    qualities: Vec<FolderName>,
) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    for quality in qualities {
        let span = tracing::info_span!("record", channel = %channel.name, %quality);
        let feed = Feed { channel: channel.name.clone(), quality };
        let sweep = sweep(Arc::clone(&shared), feed.clone());
        tasks.spawn(sweep.instrument(span.clone()));
        let manager = Manager {
            shared: Arc::clone(&shared),
            provider: Provider::new(&channel.source, &shared.twitch),
            important: channel.important,
            told_of_sound: false,
        };
        tasks.spawn(manager.record(feed).instrument(span));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    Ok(())
}

/// Removes what earlier processes left half-written.
async fn sweep(shared: Arc<Shared>, feed: Feed) {
    let now = shared.clock.now();
    match shared.store.blocking(move |store| store.sweep_temp_files(&feed, now)).await {
        Ok(0) => {}
        Ok(removed) => tracing::info!(removed, "removed what was left half-written"),
        Err(error) => tracing::warn!("cannot look for what was left half-written: {error}"),
    }
}

/// Looks after one quality of a channel.
struct Manager {
    shared: Arc<Shared>,
    provider: Provider,
    important: bool,
    /// Whether it was told that the sound is elsewhere.
    told_of_sound: bool,
}

impl Manager {
    async fn record(mut self, feed: Feed) {
        let quality = feed.quality.clone();
        let mut recorder = Recorder::open(&self.shared, feed).await;
        while let Some(wait) = self.follow_once(&mut recorder, quality.as_str()).await {
            let wait = jittered(wait, &mut rand::rng());
            if recorder.work_while(tokio::time::sleep(wait)).await.is_none() {
                break;
            }
        }
        recorder.finish().await;
    }

    /// Finds the quality and follows it as long as that goes well; returns how long to wait before the
    /// next try, `None` when the downloader stops.
    async fn follow_once(&mut self, recorder: &mut Recorder, quality: &str) -> Option<Duration> {
        let provider = self.provider.clone();
        let client = self.shared.client.clone();
        let offer = match recorder.work_while(provider.resolve(&client)).await? {
            Ok(offer) => offer,
            Err(error) => {
                self.not_found(&error, recorder);
                return Some(self.interval());
            }
        };
        let chosen = match offer.choose(quality) {
            Ok(chosen) => chosen,
            Err(error) => {
                recorder.trouble().met(Severity::Degraded, &format!("cannot record: {error}"));
                return Some(self.interval());
            }
        };
        if chosen.lacks_sound && !self.told_of_sound {
            self.told_of_sound = true;
            let message = "records pictures without sound: the sound is a rendition of its own, \
                which is not recorded; choose another quality if there is one that has both";
            tracing::warn!("{message}");
        }
        let host = chosen.url.host_str().unwrap_or_default();
        tracing::debug!(host, "follows a media playlist");
        let followed = worker::follow(recorder, &client, &chosen.url).await;
        tell_end(&followed.end, recorder)?;
        Some(if followed.brought_news { AT_ONCE } else { self.interval() })
    }

    fn interval(&self) -> Duration {
        if self.important { IMPORTANT_INTERVAL } else { ORDINARY_INTERVAL }
    }

    fn not_found(&self, error: &ResolveError, recorder: &mut Recorder) {
        let mut severity = Severity::Degraded;
        if let ResolveError::Offline(_) = error {
            recorder.interrupted(Why::Offline);
            if !self.important {
                severity = Severity::Normal;
            }
        }
        recorder.trouble().met(severity, &format!("cannot record: {error}"));
    }
}

/// Tells why a worker ended; `None` when that is because the downloader stops.
fn tell_end(end: &End, recorder: &mut Recorder) -> Option<()> {
    match end {
        End::Stopped => return None,
        End::Ended => {
            recorder.interrupted(Why::Offline);
            let message = "the stream has ended; waits for it to begin again";
            recorder.trouble().met(Severity::Normal, message);
        }
        End::Stale(patience) => {
            let seconds = patience.as_secs();
            let message = format!(
                "the media playlist brought nothing new for {seconds} s; looks for the channel anew"
            );
            recorder.trouble().met(Severity::Degraded, &message);
        }
        End::Failed(error) => {
            let message =
                format!("cannot load the media playlist ({error}); looks for the channel anew");
            recorder.trouble().met(Severity::Degraded, &message);
        }
    }
    Some(())
}
