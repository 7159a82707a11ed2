//! Players play what a restreamer serves: hls.js in a browser, ffmpeg and mpv.
//!
//! Every picture is numbered, so that it is not only known that a player was content, but also which
//! pictures it showed, and at which time of the broadcast.

mod broadcast;
mod browser;
mod finished;
mod footage;
mod live;
mod readers;
mod seat;
mod strip;
