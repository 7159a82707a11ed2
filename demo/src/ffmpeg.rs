//! Asks ffmpeg's programs about videos and playlists, as independent witnesses.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Output;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use serde::Deserialize;

use crate::child;

/// The pictures of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pictures {
    /// How many there are.
    pub(crate) count: usize,
    /// From the first one until the last one was shown.
    pub(crate) duration: TimeDelta,
}

/// What `ffprobe -of json -show_entries packet=…` answers.
#[derive(Debug, Deserialize)]
struct Packets {
    packets: Vec<Packet>,
}

#[derive(Debug, Deserialize)]
struct Packet {
    pts_time: Option<String>,
    duration_time: Option<String>,
}

/// Counts the pictures of the video at `path`.
///
/// # Errors
///
/// When it cannot be read whole, or holds a picture without a time.
pub(crate) async fn pictures(path: &Path) -> anyhow::Result<Pictures> {
    let entries = "packet=pts_time,duration_time";
    let arguments = ["-v", "error", "-of", "json", "-select_streams", "v:0", "-show_entries"];
    let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    arguments.extend([entries.into(), path.into()]);
    let output = run("ffprobe", &arguments).await?;
    let packets: Packets = serde_json::from_slice(&output.stdout).context("read its answer")?;
    measure(&packets)
}

fn measure(packets: &Packets) -> anyhow::Result<Pictures> {
    let mut span: Option<(i64, i64)> = None;
    for packet in &packets.packets {
        let start = micros(packet.pts_time.as_deref())?;
        let end = start + micros(packet.duration_time.as_deref())?;
        span = Some(span.map_or((start, end), |(first, last)| (first.min(start), last.max(end))));
    }
    let (first, last) = span.context("the video has no picture")?;
    let duration = TimeDelta::microseconds(last - first);
    Ok(Pictures { count: packets.packets.len(), duration })
}

#[expect(clippy::cast_possible_truncation, reason = "times in a video are far below the limit")]
fn micros(seconds: Option<&str>) -> anyhow::Result<i64> {
    let seconds: f64 = seconds.context("a picture has no time")?.parse()?;
    Ok((seconds * 1e6).round() as i64)
}

/// Decodes everything that is at `address`, a path or an HTTP address.
///
/// # Errors
///
/// When ffmpeg finds anything to complain about.
pub(crate) async fn plays(address: &OsStr) -> anyhow::Result<()> {
    let mut arguments: Vec<OsString> = ["-nostdin", "-v", "error", "-i"].map(Into::into).to_vec();
    arguments.push(address.to_owned());
    arguments.extend(["-map", "0", "-f", "null", "-"].map(Into::into));
    run("ffmpeg", &arguments).await.map(drop)
}

/// Runs one of ffmpeg's programs; a single line of complaint is a failure.
async fn run(program: &str, arguments: &[OsString]) -> anyhow::Result<Output> {
    let output = child::command(program).args(arguments).output().await;
    let output = output.with_context(|| format!("run {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().next().unwrap_or_default();
    ensure!(output.status.success(), "{program} failed ({}): {first}", output.status);
    ensure!(first.is_empty(), "{program} complains: {first}");
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_measured_in_the_order_in_which_they_are_shown() {
        let answer = r#"{"packets": [
            {"pts_time": "1.466667", "duration_time": "0.033333"},
            {"pts_time": "1.566667", "duration_time": "0.033333"},
            {"pts_time": "1.500000", "duration_time": "0.033333"},
            {"pts_time": "1.533333", "duration_time": "0.033333"}]}"#;
        let pictures = measure(&serde_json::from_str(answer).unwrap()).unwrap();
        assert_eq!(pictures.count, 4);
        assert_eq!(pictures.duration, TimeDelta::microseconds(133_333));
        measure(&serde_json::from_str(r#"{"packets": []}"#).unwrap()).unwrap_err();
    }
}
