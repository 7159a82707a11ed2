//! Looks at an installation from outside, over HTTP, like a player does.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use common::base::time::{TimeRange, Timestamp};
use common::format::hls::{MediaPlaylist, MultivariantPlaylist};
use common::io::http::client::{Client, Options};
use common::metrics::Metrics;
use url::{Position, Url};

/// More than any answer that is looked at.
const MAX_BYTES: usize = 16 << 20;
/// As long as a person would wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// What may lie between two segments that join (`docs/STORAGE.md`).
const TOLERANCE_MICROS: i64 = 10_000;

/// Something that reads over HTTP; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    client: Client,
}

impl Viewer {
    pub(crate) fn new() -> Self {
        let options = Options { headers_timeout: PATIENCE, read_timeout: PATIENCE };
        Self { client: Client::new(&Metrics::empty(), options) }
    }

    /// What is at `url`, as text.
    ///
    /// # Errors
    ///
    /// When no answer comes, or another than 200.
    pub(crate) async fn text(&self, url: &Url) -> anyhow::Result<String> {
        let get = async || -> anyhow::Result<String> {
            let answer = self.client.send("viewer", self.client.get(url.clone())).await?;
            ensure!(answer.status() == 200, "it answers {}", answer.status());
            Ok(answer.text(MAX_BYTES).await?)
        };
        get().await.with_context(|| format!("read {}", plain(url)))
    }

    /// The media playlist at `url`.
    ///
    /// # Errors
    ///
    /// When there is none, or a segment has no date or duration.
    pub(crate) async fn media(&self, url: &Url) -> anyhow::Result<Shown> {
        let text = self.text(url).await?;
        let list = MediaPlaylist::parse(text.as_bytes());
        list.map_err(Into::into)
            .and_then(|list| Shown::of(&list))
            .with_context(|| format!("read the playlist {}", plain(url)))
    }

    /// The multivariant playlist at `url`.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) async fn multivariant(&self, url: &Url) -> anyhow::Result<MultivariantPlaylist> {
        let text = self.text(url).await?;
        let list = MultivariantPlaylist::parse(text.as_bytes());
        list.with_context(|| format!("read the multivariant playlist {}", plain(url)))
    }
}

/// What a media playlist shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The segments, in order.
    pub(crate) segments: Vec<TimeRange>,
    /// Where the playlist says that something is missing between two segments.
    pub(crate) holes: Vec<TimeRange>,
    /// Whether it says that nothing will be added.
    pub(crate) ended: bool,
}

impl Shown {
    /// Reads what `list` shows, and whether its discontinuities are where its dates say that
    /// something is missing.
    fn of(list: &MediaPlaylist) -> anyhow::Result<Self> {
        let mut shown = Self { segments: Vec::new(), holes: Vec::new(), ended: list.end_list };
        for segment in &list.segments {
            let start = segment.program_date_time.context("a segment has no date")?;
            let seconds = segment.duration.context("a segment has no duration")?;
            let duration = common::format::segment::MediaDuration::from_seconds(seconds);
            let end = start + duration.context("a segment has an absurd duration")?.delta();
            let span = TimeRange::new(start, end).context("a segment lasts no time")?;
            let before = shown.end().filter(|before| differ(*before, start));
            match (before, segment.discontinuity) {
                (Some(before), true) if before < start => {
                    shown.holes.extend(TimeRange::new(before, start));
                }
                // a publisher may announce a discontinuity where nothing is missing
                (None, _) => {}
                (Some(before), _) => bail!("{before} is followed by {start} without a word"),
            }
            shown.segments.push(span);
        }
        Ok(shown)
    }

    /// The first instant that is shown.
    pub(crate) fn start(&self) -> Option<Timestamp> {
        self.segments.first().map(|span| span.start())
    }

    /// The first instant after what is shown.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        self.segments.last().map(|span| span.end())
    }

    /// Whether all of `range` is shown, without a hole.
    pub(crate) fn covers(&self, range: TimeRange) -> bool {
        let is_within = self.start().is_some_and(|start| start <= range.start())
            && self.end().is_some_and(|end| range.end() <= end);
        let is_hit = |hole: &TimeRange| hole.start() < range.end() && range.start() < hole.end();
        is_within && !self.holes.iter().any(is_hit)
    }
}

/// An address without what may be a secret.
fn plain(url: &Url) -> String {
    format!("{}://{}", url.scheme(), &url[Position::BeforeHost..Position::AfterPath])
}

fn differ(a: Timestamp, b: Timestamp) -> bool {
    (a.micros() - b.micros()).abs() > TOLERANCE_MICROS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A playlist of 2 s segments that start at these seconds; a `!` marks a discontinuity.
    fn shown(starts: &[&str]) -> anyhow::Result<Shown> {
        let segment = |start: &&str| {
            let discontinuity = if start.starts_with('!') { "#EXT-X-DISCONTINUITY\n" } else { "" };
            let date = at(start.trim_start_matches('!'));
            format!("{discontinuity}#EXT-X-PROGRAM-DATE-TIME:{date}\n#EXTINF:2.0,\nx.ts\n")
        };
        let segments: String = starts.iter().map(segment).collect();
        let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n{segments}");
        Shown::of(&MediaPlaylist::parse(text.as_bytes()).unwrap())
    }

    fn at(second: &str) -> String {
        format!("2026-11-20T10:00:{second}Z")
    }

    fn range(start: &str, end: &str) -> TimeRange {
        let time = |second: &str| Timestamp::parse_http(&at(second)).unwrap();
        TimeRange::new(time(start), time(end)).unwrap()
    }

    #[test]
    fn holes_are_what_playlists_say_is_missing() {
        let whole = shown(&["00", "02", "04.005", "06.001"]).unwrap();
        assert_eq!(whole.holes, []);
        assert!(whole.covers(range("01", "07.5")));
        assert!(!whole.covers(range("01", "08.5")));

        let holed = shown(&["00", "02", "!08", "10"]).unwrap();
        assert_eq!(holed.holes, [range("04", "08")]);
        assert!(holed.covers(range("01", "04")) && holed.covers(range("08", "12")));
        assert!(!holed.covers(range("03", "09")) && !holed.covers(range("05", "06")));
    }

    #[test]
    fn a_playlist_that_contradicts_itself_shows_nothing() {
        shown(&["00", "08"]).unwrap_err();
        shown(&["00", "!01"]).unwrap_err();
    }
}
