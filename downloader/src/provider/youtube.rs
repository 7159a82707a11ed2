//! YouTube: what it streams at an address is found by another program, yt-dlp or one that answers like it.
//!
//! How YouTube hands out addresses changes several times a year, and yt-dlp is where people keep up with
//! it. So it can be replaced without replacing us, and when it fails, its own words are handed on, with
//! what it lacks: a runtime that it suddenly needs must not look like a channel that is offline.

use std::path::Path;
use std::time::Duration;

use common::io::process::{self, Bounds, Ended, RunError};
use url::Url;

mod complaint;
mod formats;

use super::{Offer, ResolveError};
use complaint::Complaint;

/// How much the program may answer, how much of what it complains about is kept, in bytes, and how long
/// it may take.
const BOUNDS: Bounds =
    Bounds { answer_bytes: 16 << 20, complaint_bytes: 16 << 10, patience: Duration::from_mins(1) };

/// The qualities of what is streamed at `url` right now, as `program` finds them.
///
/// Cancel safety: dropping the future ends the program and what it started.
pub(super) async fn resolve(program: &Path, url: &Url) -> Result<Offer, ResolveError> {
    let mut command = process::command(program);
    // the address of a channel may lead to several videos; the first is the one that is live
    command.args(["--dump-json", "--no-playlist", "--playlist-items", "1"]);
    // after this nothing is taken for an option
    command.arg("--").arg(url.as_str());
    match process::run(command, BOUNDS).await {
        Ok(ended) => understand(program, &ended),
        Err(error @ RunError::Start { .. }) => Err(ResolveError::Changed(format!(
            "{error}; install yt-dlp, or give another program with --yt-dlp"
        ))),
        // it has time-outs of its own for the network, so this is something else
        Err(RunError::Slow { complaint, patience }) => {
            Err(Complaint::read(&complaint).hung(program, patience))
        }
        Err(error) => Err(broken(program, &error.to_string())),
    }
}

fn understand(program: &Path, ended: &Ended) -> Result<Offer, ResolveError> {
    let complaint = Complaint::read(&ended.complaint);
    if !ended.status.success() {
        return Err(complaint.explain(program, ended.status));
    }
    let offer = formats::read(&ended.answer).map_err(|odd| odd.explain(program, &complaint))?;
    Ok(match complaint.warning(program) {
        Some(warning) => offer.warn_of(warning),
        None => offer,
    })
}

/// The program did not do what it is there for.
fn broken(program: &Path, problem: &str) -> ResolveError {
    let name = program.display();
    let advice = "bring it up to date, or give another program with --yt-dlp";
    ResolveError::Changed(format!("{name} finds no addresses: {problem}; {advice}"))
}

#[cfg(test)]
mod tests;
