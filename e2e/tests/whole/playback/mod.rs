//! Players play what a restreamer serves: hls.js in a browser, ffmpeg and mpv.
//!
//! Every picture is numbered, so that it is not only known that a player was content, but also which
//! pictures it showed, and at which time of the broadcast.

use std::ops::Range;

mod broadcast;
mod browser;
mod change;
mod finished;
mod footage;
mod live;
mod readers;
mod seat;
mod strip;

/// How many pictures too early a moment may be found: hls.js dates a segment by its first sound, and
/// encoders let the sound begin a little earlier than the picture.
const PICTURES_OFF: usize = 2;

/// A stretch of a recording: of what it is made, and which segments of it are there.
type Stretch = (footage::Make, Range<usize>);

/// Numbers as ranges, which are easier to read.
fn runs(numbers: &[usize]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for number in numbers.iter().copied() {
        match runs.last_mut() {
            Some(run) if run.end == number => run.end += 1,
            _ => runs.push(number..number + 1),
        }
    }
    runs
}
