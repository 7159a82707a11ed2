//! Other programs, and what they make of media.

use std::path::Path;
use std::process::{Output, Stdio};

use common::io::process;
use tokio::io::AsyncWriteExt;

use super::source::SOUND_RATE;

/// Runs ffmpeg and returns what it writes to standard output; nothing may be complained about.
pub(crate) async fn ffmpeg(arguments: &str, input: Vec<u8>) -> Vec<u8> {
    run("ffmpeg", &format!("-nostdin -v error -xerror -y {arguments}"), input).await
}

/// As [`ffmpeg`], of any program.
async fn run(program: &str, arguments: &str, input: Vec<u8>) -> Vec<u8> {
    let output = ran(program, arguments, input).await;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments}: {complaint}");
    assert_eq!(complaint, "", "{program} {arguments}");
    output.stdout
}

/// Runs a program to its end.
pub(crate) async fn ran(program: &str, arguments: &str, input: Vec<u8>) -> Output {
    let mut command = process::command(program);
    command.args(arguments.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let fed = async move {
        // one that has seen enough need not read all
        let _ = stdin.write_all(&input).await;
    };
    let ((), output) = tokio::join!(fed, child.wait_with_output());
    output.unwrap()
}

/// What is shown in a video.
pub(crate) async fn decoded_pictures(path: &Path) -> Vec<u8> {
    let arguments = format!(
        "-i {} -map 0:v:0 -fps_mode passthrough -f rawvideo -pix_fmt yuv420p pipe:1",
        path.display()
    );
    ffmpeg(&arguments, Vec::new()).await
}

/// What is shown in a video that may be damaged.
pub(crate) async fn decoded_with_damage(path: &Path) -> Vec<u8> {
    let arguments = format!(
        "-nostdin -v quiet -i {} -map 0:v:0 -fps_mode passthrough -f rawvideo -pix_fmt yuv420p pipe:1",
        path.display()
    );
    run("ffmpeg", &arguments, Vec::new()).await
}

/// What is heard in a video from its first picture on, if that is shown `lead` seconds after the first sound.
pub(crate) async fn decoded_sound(path: &Path) -> Vec<i16> {
    let arguments = format!(
        "-i {} -map 0:a:0 -af aresample={SOUND_RATE}:async=1:min_hard_comp=0.01 -ac 1 -f s16le pipe:1",
        path.display()
    );
    let bytes = ffmpeg(&arguments, Vec::new()).await;
    let (samples, _) = bytes.as_chunks();
    samples.iter().map(|sample| i16::from_le_bytes(*sample)).collect()
}

/// When packets are decoded and shown, in ticks, as ffprobe tells.
pub(crate) async fn stamps(path: &Path, stream: char) -> Vec<(i64, i64)> {
    let arguments = format!(
        "-v quiet -select_streams {stream}:0 -show_entries packet=pts,dts -of csv=p=0 {}",
        path.display()
    );
    let told = String::from_utf8(run("ffprobe", &arguments, Vec::new()).await).unwrap();
    // where some pictures of a stream are reordered and some are not, it does not believe that the first one is decoded
    // when it is shown, and tells no time
    let pair = |line: &str| {
        let (pts, rest) = line.split_once(',')?;
        let dts = rest.split(',').next()?;
        let pts = pts.parse().ok()?;
        Some((pts, if dts == "N/A" { i64::MIN } else { dts.parse().ok()? }))
    };
    told.lines().filter_map(pair).collect()
}
