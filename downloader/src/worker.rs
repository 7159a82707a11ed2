//! Following one media playlist: load it, hand it to the recorder, wait as long as it asks for.

use std::time::Duration;

use common::format::hls::PlaylistError;
use common::io::http::client::Client;
use tokio::time::Instant;
use url::Url;

use crate::planner;
use crate::provider::{LoadError, load};
use crate::recorder::Recorder;

/// After how many failures in a row another address is asked for.
const MAX_FAILURES: u32 = 5;
/// How long to wait after the first failure; longer after each further one.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// A list without news for three target durations is stale, but never before this.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(10);

/// How a worker fared.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) end: End,
    /// Whether any list told something that was not known from those before it.
    pub(crate) brought_news: bool,
}

/// Why a worker ended. The manager looks for the channel again, whatever it was.
#[derive(Debug)]
pub(crate) enum End {
    /// The downloader stops.
    Stopped,
    /// The list says that nothing will be added to it.
    Ended,
    /// The list brought no news for that long.
    Stale(Duration),
    /// It can no longer be loaded.
    Failed(LoadError),
}

/// Follows the media playlist at `url` while that goes well.
pub(crate) async fn follow(recorder: &mut Recorder, client: &Client, url: &Url) -> Followed {
    let mut brought_news = false;
    let end = follow_to_end(recorder, client, url, &mut brought_news).await;
    Followed { end, brought_news }
}

async fn follow_to_end(
    recorder: &mut Recorder,
    client: &Client,
    url: &Url,
    brought_news: &mut bool,
) -> End {
    let mut failures = 0;
    let mut last_news = Instant::now();
    loop {
        let began = Instant::now();
        let Some(loaded) = recorder.work_while(load(client, url)).await else {
            return End::Stopped;
        };
        let wait = match loaded {
            Ok((list, base)) => {
                failures = 0;
                let changed = recorder.take_in(&list, base).await;
                if changed {
                    *brought_news = true;
                    last_news = Instant::now();
                }
                if list.end_list {
                    return End::Ended;
                }
                let patience = (planner::target_duration(&list) * 3).max(SHORTEST_PATIENCE);
                if last_news.elapsed() > patience {
                    return End::Stale(patience);
                }
                planner::delay(&list, changed)
            }
            Err(error) => {
                failures += 1;
                if is_final(&error) || failures >= MAX_FAILURES {
                    return End::Failed(error);
                }
                tracing::debug!("cannot load the media playlist: {error}");
                // counted from the end of this try, unlike the wait after a success
                began.elapsed() + FIRST_RETRY * 2_u32.pow(failures - 1)
            }
        };
        if recorder.work_while(tokio::time::sleep_until(began + wait)).await.is_none() {
            return End::Stopped;
        }
    }
}

/// Whether loading from the same address again is useless.
fn is_final(error: &LoadError) -> bool {
    match error {
        LoadError::Status(status) => matches!(status, 401 | 403 | 404 | 410 | 451),
        LoadError::Playlist(error) => matches!(error, PlaylistError::WrongKind { .. }),
        LoadError::Http(_) | LoadError::Slow => false,
    }
}
