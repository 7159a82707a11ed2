//! The broadcast ends, and everything is compared.

use std::ffi::OsStr;
use std::time::Duration;

use anyhow::{Context, ensure};
use common::base::time::TimeRange;
use url::Url;

use super::{Story, titles};
use crate::ffmpeg;
use crate::node::{Node, Role};
use crate::poll::poll;
use crate::verify::{self, Expected};

/// How long the nodes may take until they hold the same: what a node lacks at the end is fetched
/// only when it is old enough, after a restart at worst.
const CONVERGE: Duration = Duration::from_mins(3);

/// Both nodes hold the same, and all that the origin served since they began to record.
pub(super) async fn all_is_there(story: &Story<'_>) -> anyhow::Result<()> {
    let display = story.display;
    display.step(titles::END);
    end_of_recording(story).await?;
    let [a, b] = story.installation.nodes.each_ref().map(|node| node.store().base().to_owned());
    let expected = expected(story).await?;
    let failure = "the nodes do not hold the same";
    let found = poll(failure, CONVERGE, async || {
        let (a, b, expected) = (a.clone(), b.clone(), expected.clone());
        tokio::task::spawn_blocking(move || verify::names(&a, &b, expected.as_ref())).await?
    });
    let found = found.await?;
    let files = found.len();
    let compared = tokio::task::spawn_blocking(move || verify::bytes(&a, &b, &found)).await?;
    let bytes = compared?;
    let of_origin = if story.installation.origin.is_some() { " and as the origin" } else { "" };
    display.held(format_args!(
        "{files} files of {} kB, byte for byte the same on both nodes{of_origin}",
        bytes / 1000
    ));
    Ok(())
}

/// The origin ends its broadcast; of a real channel, the nodes just stop recording.
async fn end_of_recording(story: &Story<'_>) -> anyhow::Result<()> {
    if let Some(origin) = &story.installation.origin {
        return origin.end().await.context("end the broadcast");
    }
    for node in &story.installation.nodes {
        let stopped = node.service(Role::Downloader).stop().await;
        stopped.map_err(anyhow::Error::msg).context("stop recording")?;
    }
    Ok(())
}

/// What the stores must hold, hashed anew from what the origin published.
async fn expected(story: &Story<'_>) -> anyhow::Result<Option<Expected>> {
    let Some(origin) = &story.installation.origin else {
        return Ok(None);
    };
    let channel = &story.installation.channel;
    let published = channel.qualities.iter().map(|quality| origin.published(quality));
    let published = published.collect::<anyhow::Result<Vec<_>>>()?;
    let hash = move || published.iter().map(|quality| verify::names_of(quality)).collect();
    let names: anyhow::Result<Vec<Vec<String>>> = tokio::task::spawn_blocking(hash).await?;
    let qualities = channel.qualities.iter().cloned().zip(names?).collect();
    Ok(Some(Expected { channel: channel.name.clone(), qualities }))
}

/// Players read the finished playlists of both nodes without a complaint.
pub(super) async fn players_read_it(story: &Story<'_>) -> anyhow::Result<()> {
    let display = story.display;
    display.step("players read the finished playlists of both nodes");
    for node in &story.installation.nodes {
        let url = finished(story, node).await.with_context(|| format!("{node}'s playlist"))?;
        let played = ffmpeg::plays(OsStr::new(url.as_str())).await;
        played.with_context(|| format!("play {url}"))?;
        display.tell(format_args!("   {url}"));
    }
    display.held("every picture and every sound decoded without an error");
    Ok(())
}

/// The multivariant playlist over what a node holds of all qualities, each of which says that it
/// ends.
async fn finished(story: &Story<'_>, node: &Node) -> anyhow::Result<Url> {
    let mut url = story.installation.playlist(node);
    let whole = whole(story, node).await?;
    url.query_pairs_mut()
        .append_pair("start", &whole.start().to_string())
        .append_pair("end", &whole.end().to_string());
    let list = story.viewer.multivariant(&url).await?;
    let (qualities, recorded) = (list.variants.len(), story.installation.channel.qualities.len());
    ensure!(qualities == recorded, "it names {qualities} qualities of {recorded}");
    for variant in &list.variants {
        let media = url.join(&variant.uri).context("read a variant's address")?;
        let shown = story.viewer.media(&media).await?;
        ensure!(shown.ended, "{media} has no end");
        ensure!(shown.holes.is_empty(), "{media} has holes: {:?}", shown.holes);
    }
    Ok(url)
}

/// The span that a node shows in every quality.
async fn whole(story: &Story<'_>, node: &Node) -> anyhow::Result<TimeRange> {
    let mut whole: Option<TimeRange> = None;
    for quality in &story.installation.channel.qualities {
        let url = story.installation.media_playlist(node, quality);
        let shown = story.viewer.media(&url).await?;
        let (start, end) = shown.start().zip(shown.end()).context("a playlist is empty")?;
        let (start, end) =
            whole.map_or((start, end), |so_far| (start.max(so_far.start()), end.min(so_far.end())));
        whole = Some(TimeRange::new(start, end).context("the qualities have no time in common")?);
    }
    whole.context("there is no quality")
}
