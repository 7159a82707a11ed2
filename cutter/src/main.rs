//! The cutter's process: options, configuration, then cutting until it is asked to stop.

use std::process::ExitCode;

use cutter::config::Config;

fn main() -> ExitCode {
    common::service::main("cutter", Config::new, cutter::run)
}
