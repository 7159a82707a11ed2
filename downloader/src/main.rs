//! The downloader's process: options, configuration, then recording until it is asked to stop.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use downloader::config::Config;

/// One thread waits for the network. What costs time, hashing and storing, has threads of its own; more of
/// these would only wake one another.
const THREADS: NonZeroUsize = NonZeroUsize::MIN;

fn main() -> ExitCode {
    common::service::main_on(Some(THREADS), "downloader", Config::new, downloader::run)
}
