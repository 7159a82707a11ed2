//! Players without a window: ffmpeg and mpv, each of which tells which pictures it saw.

use std::process::Output;
use std::time::Duration;

use common::io::process;
use tokio::process::Command;
use tokio::time::timeout;

use super::strip;

/// How long a player may take: longer than any film here, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(90);

/// Reads and decodes all that `url` lists with ffmpeg, which must have nothing to complain about;
/// returns the numbers of the pictures.
pub(super) async fn ffmpeg(url: &str) -> Vec<usize> {
    let mut command = process::command("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-i", url]);
    command.args(["-map", "0:v:0", "-vf", strip::CUT_OUT, "-fps_mode", "passthrough"]);
    command.args(["-f", "rawvideo", "pipe:1", "-map", "0:a:0", "-f", "null", "-"]);
    numbers(&without_complaint(command).await.stdout)
}

/// Plays the pictures of `url` with mpv as fast as it can; returns their numbers.
pub(super) async fn mpv(url: &str) -> Vec<usize> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let strips = folder.path().join("strips");
    let mut command = process::command("mpv");
    command.args(["--no-config", "--msg-level=all=error", "--untimed", "--no-audio"]);
    command.arg(format!("--vf=lavfi=[{}]", strip::CUT_OUT));
    command.args(["--of=rawvideo", "--ovc=rawvideo"]).arg(format!("--o={}", strips.display()));
    command.arg(url);
    silent(command).await;
    numbers(&std::fs::read(strips).expect("mpv wrote it"))
}

/// Plays `url` with mpv, picture and sound, somewhat faster than it is. Where the timestamps of the
/// sound jump, mpv goes on in the midst of a group of pictures, which its decoder remarks upon.
pub(super) async fn mpv_aloud(url: &str) {
    let mut command = process::command("mpv");
    command.args(["--no-config", "--msg-level=all=error,ffmpeg/video=fatal"]);
    command.args(["--vo=null", "--ao=null", "--speed=4", url]);
    silent(command).await;
}

/// mpv complains in either place.
async fn silent(command: Command) {
    let output = without_complaint(command).await;
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Runs a player to its end, which must be a good one.
async fn without_complaint(mut command: Command) -> Output {
    let output = timeout(PATIENCE, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{command:?} does not end"));
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}; run: make setup"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{command:?}: {} {said}", output.status);
    output
}

/// The numbers that strips tell, which came one after the other.
fn numbers(strips: &[u8]) -> Vec<usize> {
    let number = |strip: &[u8]| strip::number(strip).unwrap_or_else(|| panic!("{strip:?}"));
    strips.chunks(strip::COLUMNS).map(number).collect()
}
