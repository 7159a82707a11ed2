//! The restreamer: serves what is stored.

use std::process::ExitCode;

use common::service;
use restreamer::{Config, Options};

fn main() -> ExitCode {
    service::main::<Options, _, _>("restreamer", Config::new, restreamer::run)
}
