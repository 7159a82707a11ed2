//! The downloader's process: options, configuration, then recording until it is asked to stop.

use std::process::ExitCode;

use downloader::config::Config;

fn main() -> ExitCode {
    common::service::main("downloader", Config::new, downloader::run)
}
