//! Both nodes record.

use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use chrono::TimeDelta;
use url::Url;

use super::{Story, titles};
use crate::node::{Node, Role};
use crate::poll::poll;

/// How long the services may take until they serve.
const START: Duration = Duration::from_mins(1);
/// How long the first segments may take; a real channel may have long ones.
const RECORD: Duration = Duration::from_secs(90);
/// How much of each quality a node must show before the story goes on. The event will begin a
/// little before the outage.
const ENOUGH: TimeDelta = TimeDelta::seconds(8);

pub(super) async fn begins(story: &Story<'_>) -> anyhow::Result<()> {
    let Story { installation, display, .. } = story;
    display.step(titles::RECORDING);
    for node in &installation.nodes {
        for role in Role::ALL {
            serves(story, node, role).await?;
        }
        let url = node.url(Role::Restreamer);
        display.tell(format_args!("   {node} serves at {url} what is in {}", base(node)));
    }
    for node in &installation.nodes {
        for quality in &installation.channel.qualities {
            let url = installation.media_playlist(node, quality);
            records(story, node, quality, &url).await?;
        }
    }
    display.held("both playlists grow");
    Ok(())
}

async fn serves(story: &Story<'_>, node: &Node, role: Role) -> anyhow::Result<()> {
    let health = node.url(role).join("healthz").context("make an address")?;
    let service = node.service(role);
    let failure = format!("{} does not serve", service.title());
    let look = async || story.viewer.text(&health).await.map(drop);
    let served = poll(&failure, START, look).await;
    served.map_err(|error| anyhow!("{error:#}; its last words: {}", service.last_words()))
}

async fn records(story: &Story<'_>, node: &Node, quality: &str, url: &Url) -> anyhow::Result<()> {
    let downloader = node.service(Role::Downloader);
    let failure = format!("{node} does not record {quality}");
    let recorded = poll(&failure, RECORD, async || {
        let shown = story.viewer.media(url).await?;
        let count = shown.segments.len();
        story.display.now(format_args!("{node} shows {count} segments of {quality}"));
        let length = shown.start().zip(shown.end()).map(|(start, end)| end - start);
        ensure!(length >= Some(ENOUGH), "its playlist shows {count} segments");
        Ok(())
    });
    recorded.await.map_err(|error| {
        anyhow!("{error:#}; last words of its downloader: {}", downloader.last_words())
    })
}

fn base(node: &Node) -> String {
    node.store().base().display().to_string()
}
