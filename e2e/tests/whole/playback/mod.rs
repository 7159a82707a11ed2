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
