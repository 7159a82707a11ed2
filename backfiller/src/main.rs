//! The backfiller's command line; everything it does is in the library.

use std::process::ExitCode;

use backfiller::config::{Config, Options};

fn main() -> ExitCode {
    common::service::main::<Options, _, _>("backfiller", Config::new, backfiller::run)
}
