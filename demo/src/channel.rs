//! What the nodes record, as their services are told, and whether there is anything to record.

use anyhow::{Context, ensure};
use common::format::folder::FolderName;
use common::format::hls::Playlist;
use url::Url;

use crate::node::Channel;
use crate::options::Source;
use crate::viewer::Viewer;

/// The name of a channel that has none of its own.
const NAME: &str = "demo";
/// What the best quality of any channel is called.
pub(crate) const SOURCE: &str = "source";

/// A Twitch channel, of which the best quality is recorded.
pub(crate) fn twitch(name: &FolderName) -> Channel {
    Channel {
        name: name.to_string(),
        for_downloader: name.to_string(),
        qualities: vec![SOURCE.to_owned()],
    }
}

/// The channel that the playlist at `url` is of.
pub(crate) fn hls(url: &Url, qualities: Vec<String>) -> Channel {
    Channel { name: NAME.to_owned(), for_downloader: format!("{NAME}!:url:{url}"), qualities }
}

/// Looks whether there is something to record, before anything is started for it.
///
/// # Errors
///
/// Says in one line what was found instead.
pub(crate) async fn is_live(source: &Source) -> anyhow::Result<()> {
    match source {
        Source::Url(url) => has_segments(&Viewer::new(), url).await,
        Source::TestPicture(_) | Source::Twitch(_) => Ok(()),
    }
}

async fn has_segments(viewer: &Viewer, url: &Url) -> anyhow::Result<()> {
    let text = viewer.text(url).await?;
    let list = Playlist::parse(text.as_bytes()).with_context(|| format!("read {url}"))?;
    let list = match list {
        Playlist::Media(list) => list,
        Playlist::Multivariant(list) => {
            let best = list.variants.iter().max_by_key(|variant| variant.bandwidth);
            let best = best.with_context(|| format!("{url} names no variant"))?;
            let media = url.join(&best.uri).context("read the address of the best variant")?;
            let text = viewer.text(&media).await?;
            let list = Playlist::parse(text.as_bytes()).with_context(|| format!("read {media}"))?;
            match list {
                Playlist::Media(list) => list,
                Playlist::Multivariant(_) => anyhow::bail!("{media} is no media playlist"),
            }
        }
    };
    ensure!(!list.end_list, "{url} has ended, so there is nothing to record; give a live one");
    ensure!(!list.segments.is_empty(), "{url} lists no segment, so there is nothing to record");
    Ok(())
}
