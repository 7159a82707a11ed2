//! How ffmpeg is told to broadcast.

use std::time::Duration;

use common::base::time::Timestamp;
use rustix::process::Signal;

use super::LIST;
use super::picture::{Picture, Quality};
use crate::place::{Kind, Place};
use crate::requirements::FONT;
use crate::supervisor::{Ending, Program, Restart};

/// How long the first segment may take: its own length, and ffmpeg's start on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// What ffmpeg's exit status is after it was asked to end.
const ENDED_BY_SIGNAL: i32 = 255;

/// The encoder; `now` is the time that its clock begins with.
pub(super) fn program(picture: Picture, place: &Place, now: Timestamp) -> anyhow::Result<Program> {
    let folder = place.origin();
    for quality in picture.qualities() {
        std::fs::create_dir(folder.join(quality.name))?;
    }
    Ok(Program {
        title: "the origin's encoder".to_owned(),
        executable: "ffmpeg".into(),
        arguments: arguments(picture, now).into_iter().map(Into::into).collect(),
        folder,
        log: place.folder(Kind::Log, "origin")?.join("encoder.log"),
        pid_file: place.folder(Kind::Run, "origin")?.join("encoder.pid"),
        restart: Restart::Never,
        ending: Ending { signal: Signal::INT, status: ENDED_BY_SIGNAL },
    })
}

fn arguments(picture: Picture, now: Timestamp) -> Vec<String> {
    let qualities = picture.qualities();
    let mut arguments = words("-hide_banner -nostdin -loglevel warning");
    arguments.extend(inputs(&qualities[0]));
    arguments.extend(["-filter_complex_threads".into(), "1".into()]);
    arguments.extend(["-filter_complex".into(), filter(&qualities, now)]);
    arguments.extend(words("-map [best] -map 1:a -map [half] -map 1:a"));
    arguments.extend(codecs(&qualities));
    arguments.extend(muxer(&qualities));
    arguments
}

/// The moving picture, and a beep of a tenth of a second each second.
fn inputs(best: &Quality) -> Vec<String> {
    let picture = format!("testsrc2=size={}:rate={}", best.resolution, Picture::RATE);
    let beep = "aevalsrc=0.4*sin(2*PI*880*t)*lt(mod(t\\,1)\\,0.1):s=48000";
    let input = |source: &str| ["-re", "-f", "lavfi", "-i", source].map(str::to_owned);
    [input(&picture), input(beep)].concat()
}

/// Burns the clock and the number of the picture in, then makes the smaller version.
fn filter([best, half]: &[Quality; 2], now: Timestamp) -> String {
    // in drawtext's %{…} a colon separates arguments, so those around the pieces of a time are
    // escaped, once for the text; the quotes keep the rest of the graph's syntax away
    let (seconds, micros) = (now.micros() / 1_000_000, now.micros() % 1_000_000);
    let clock = format!("%{{pts\\:gmtime\\:{seconds}.{micros:06}\\:%T}} UTC  %{{n}}");
    let size = best.resolution.height / 12;
    let border = size / 5;
    format!(
        "[0:v]drawtext=fontfile={FONT}:fontsize={size}:fontcolor=white:box=1:boxcolor=black@0.6:\
         boxborderw={border}:x=(w-tw)/2:y=h*0.72:text='{clock}',split=2[best][copy];\
         [copy]scale={}:{}:flags=fast_bilinear[half]",
        half.resolution.width, half.resolution.height
    )
}

/// H.264 with B-frames, whose groups of pictures are closed and one segment long, and AAC.
fn codecs(qualities: &[Quality; 2]) -> Vec<String> {
    let group = Picture::SEGMENT_PICTURES;
    let mut arguments = words(&format!(
        "-c:v libx264 -preset veryfast -pix_fmt yuv420p -threads 1 -bf 2 -g {group} \
         -keyint_min {group} -sc_threshold 0 -flags +cgop -x264-params b-pyramid=none \
         -c:a aac -b:a 96k"
    ));
    for (index, quality) in qualities.iter().enumerate() {
        let rate = quality.bit_rate;
        let limits =
            format!("-b:v:{index} {rate} -maxrate:v:{index} {rate} -bufsize:v:{index} {rate}");
        arguments.extend(words(&limits));
    }
    arguments
}

/// Segments and lists, each visible only once it is whole; nothing is ever deleted.
fn muxer(qualities: &[Quality; 2]) -> Vec<String> {
    let [best, half] = qualities.each_ref().map(|quality| quality.name.as_str());
    let mut arguments = words(&format!(
        "-f hls -hls_time {} -hls_list_size 0 -hls_flags \
         program_date_time+temp_file+independent_segments -hls_segment_filename %v/%06d.ts",
        Picture::SEGMENT_SECONDS
    ));
    arguments.push("-var_stream_map".to_owned());
    arguments.push(format!("v:0,a:0,name:{best} v:1,a:1,name:{half}"));
    arguments.push(format!("%v/{LIST}"));
    arguments
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
