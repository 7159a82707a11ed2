//! Players read what the nodes serve, while the broadcast runs and after it ended.

use common::io::process;
use demo::{Display, Ground, Installation, Source};

use crate::support::{Process, body, eventually, world_readable_folder};

/// How much of a broadcast that goes on is read: more than is listed when it begins, so that the
/// list has to be loaded again.
const SECONDS: &str = "8";

#[tokio::test]
async fn players_read_live_and_finished_playlists() {
    let folder = world_readable_folder();
    let ground = Ground::prepare(&folder.path().join("demo-data")).unwrap();
    let picture = Source::TestPicture("180".parse().unwrap());
    let display = Display::to_stdout(0);
    let installation = Installation::start(&picture, ground, &display).await.unwrap();
    let origin = installation.origin.as_ref().unwrap();
    let playlists = playlists(&installation);
    for url in &playlists {
        let is_there = async || body(url).await.map(drop);
        eventually("the playlist is there", is_there).await;
    }
    let live = playlists.iter().map(|url| ffmpeg(&["-re"], url, &["-t", SECONDS]));
    for player in live.collect::<Vec<_>>() {
        reads(player).await;
    }

    origin.end().await.unwrap();
    let whole = common_span(&installation);
    for url in &playlists {
        let url = format!("{url}?{whole}");
        if !url.contains("demo.m3u8") {
            let ended = async || body(&url).await?.contains("#EXT-X-ENDLIST").then_some(());
            eventually("the playlist says that it ends", ended).await;
        }
        reads(ffmpeg(&[], &url, &[])).await;
    }
    reads(ffplay(&format!("{}?{whole}", playlists[0]))).await;
    installation.stop().await.unwrap();
}

/// The multivariant playlist and the media playlists of both nodes.
fn playlists(installation: &Installation) -> Vec<String> {
    let of_node = |node| {
        let qualities = installation.channel.qualities.iter();
        let media = qualities.map(move |quality| installation.media_playlist(node, quality));
        [installation.playlist(node)].into_iter().chain(media).map(String::from)
    };
    installation.nodes.iter().flat_map(of_node).collect()
}

/// The span that was broadcast in every quality, as a query.
fn common_span(installation: &Installation) -> String {
    let origin = installation.origin.as_ref().unwrap();
    let qualities = installation.channel.qualities.iter();
    let published: Vec<_> = qualities.map(|quality| origin.published(quality).unwrap()).collect();
    let start = published.iter().map(|segments| segments[0].start).max().unwrap();
    let end = published.iter().map(|segments| segments.last().unwrap().end()).min().unwrap();
    format!("start={start}&end={end}")
}

/// A program that reads and decodes everything that a playlist has.
fn ffmpeg(pace: &[&str], url: &str, limits: &[&str]) -> Process {
    let mut command = process::command("ffmpeg");
    command.args(["-nostdin", "-v", "error"]).args(pace).args(["-i", url, "-map", "0"]);
    command.args(limits).args(["-f", "null", "-"]);
    Process::start(command)
}

/// A player with neither a window nor a loudspeaker, which takes as long as the video does. Of a
/// broadcast that goes on it would never have enough.
fn ffplay(url: &str) -> Process {
    let mut command = process::command("ffplay");
    command.env("SDL_VIDEODRIVER", "dummy").env("SDL_AUDIODRIVER", "dummy");
    command.args(["-v", "error", "-autoexit", "-nodisp", url]);
    Process::start(command)
}

/// Waits for the end of a player, which must have nothing to complain about.
async fn reads(mut player: Process) {
    let code = player.exit_code().await;
    let complaints = player.stderr().all();
    assert!(code == Some(0) && complaints.is_empty(), "{player:?} ended with {code:?}");
}
