//! Shows all of Wubloader working, by one command.

use std::process::ExitCode;

fn main() -> ExitCode {
    match common::service::parse("demo", std::env::args_os()) {
        Ok(options) => demo::run(&options),
        Err(status) => status,
    }
}
