//! What yt-dlp writes to standard error, and which state it tells of. Pure.
//!
//! It exits with 1 whatever happened, so all there is are its words. Those that it takes from YouTube are
//! in English unless its configuration says otherwise. What none of the lists knows is taken for a change,
//! which somebody will look at.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::broken;
use crate::foreign::clean;
use crate::provider::ResolveError;

/// YouTube will have a stream, or had one.
const OFFLINE: [&str; 9] = [
    "will begin in",
    "will begin shortly",
    "premieres in",
    "premiere will begin",
    "is not currently live",
    "event has ended",
    "stream has ended",
    "stream recording is not available",
    "is offline",
];
/// YouTube shows it to others.
const REFUSED: [&str; 17] = [
    "private video",
    "video is private",
    "members-only",
    "members only",
    "channel's members",
    "join this channel",
    "sign in",
    "login required",
    "registered users",
    "confirm your age",
    "age-restricted",
    "inappropriate",
    "in your country",
    "geo restriction",
    "requires payment",
    "captcha",
    "drm protected",
];
/// YouTube wants to be asked later.
const LATER: [&str; 3] = ["try again later", "rate-limited", "too many requests"];
/// YouTube was not reached.
const UNREACHABLE: [&str; 14] = [
    "timed out",
    "timeout",
    "connection refused",
    "connection reset",
    "connection aborted",
    "remote end closed",
    "network is unreachable",
    "no route to host",
    "name resolution",
    "name or service not known",
    "failed to resolve",
    "getaddrinfo",
    "unable to connect",
    "ssl:",
];
/// Something that yt-dlp needs to understand YouTube is not there: its words, and what to do.
const MISSING: [(&str, &str); 4] = [
    ("javascript runtime", "install a JavaScript runtime that yt-dlp can use, such as deno"),
    ("js runtime", "install a JavaScript runtime that yt-dlp can use, such as deno"),
    ("challenge solver", "install yt-dlp with its challenge solver scripts"),
    ("challenge solving failed", "install yt-dlp with its challenge solver scripts"),
];

/// How many of the last lines are told of a program that hangs.
const END_LINES: usize = 2;

/// What was written to standard error.
#[derive(Debug)]
pub(super) struct Complaint {
    /// The last line that is an error, without its `ERROR: `.
    error: Option<String>,
    /// The last line of any kind.
    last_line: Option<String>,
    /// The last lines but such warnings, in their order.
    end: Vec<String>,
    /// The lines that are warnings of something that is missing, without their `WARNING: `.
    warnings: Vec<String>,
}

impl Complaint {
    pub(super) fn read(stderr: &str) -> Self {
        let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
        let marked = |mark: &'static str| {
            lines.clone().filter_map(move |line| line.strip_prefix(mark)).map(str::trim)
        };
        let mut warnings: Vec<String> = Vec::new();
        for warning in marked("WARNING:").filter(|warning| missing(warning).is_some()).map(clean) {
            if !warnings.contains(&warning) && warnings.len() < 3 {
                warnings.push(warning);
            }
        }
        let is_known = |line: &&str| line.starts_with("WARNING:") && missing(line).is_some();
        let others = lines.clone().filter(|line| !is_known(line));
        let mut end: Vec<String> = others.rev().take(END_LINES).map(clean).collect();
        end.reverse();
        Self {
            error: marked("ERROR:").next_back().map(clean),
            last_line: lines.clone().next_back().map(clean),
            end,
            warnings,
        }
    }

    /// What is missing although `program` found something, in one sentence.
    pub(super) fn warning(&self, program: &Path) -> Option<String> {
        let (name, warnings) = (program.display(), self.warnings.join("; "));
        let warns = !warnings.is_empty();
        warns.then(|| format!("{name} found the channel, but warns: {warnings}"))
    }

    /// The state that a program tells of which did not end within `patience`.
    pub(super) fn hung(&self, program: &Path, patience: Duration) -> ResolveError {
        let said = match (self.end.as_slice(), self.warnings.as_slice()) {
            ([], []) => "said nothing".to_owned(),
            ([], _) => "warned".to_owned(),
            (end, _) => format!("last said: {}", end.join("; ")),
        };
        let seconds = patience.as_secs();
        self.broken(program, &format!("it did not end within {seconds} s, and {said}"))
    }

    /// The state that a program tells of which ended with a `status` other than success.
    pub(super) fn explain(&self, program: &Path, status: ExitStatus) -> ResolveError {
        if status.code().is_none() {
            // the system ends what takes too much memory in this way
            return self.broken(program, &format!("it was ended from outside ({status})"));
        }
        let Some(error) = &self.error else {
            let said = self.last_line.as_deref().unwrap_or("it said nothing");
            return self.broken(program, &format!("it ended with {status}: {said}"));
        };
        match kind(error) {
            Kind::Offline => ResolveError::Offline(self.with_warnings(error)),
            Kind::Refused => ResolveError::Refused(self.with_warnings(error)),
            Kind::Unreachable => ResolveError::Unreachable(self.with_warnings(error)),
            Kind::Changed => self.broken(program, error),
        }
    }

    /// For what makes no sense: the program's words, and what to do about what it lacks.
    pub(super) fn broken(&self, program: &Path, problem: &str) -> ResolveError {
        let mut warnings = self.warnings.iter().map(String::as_str);
        let lacks = missing(problem).or_else(|| warnings.find_map(missing));
        let needs_python = || problem.to_ascii_lowercase().contains("python");
        let python = "install the Python that it needs";
        let Some(install) = lacks.or_else(|| needs_python().then_some(python)) else {
            return broken(program, problem);
        };
        let (name, problem) = (program.display(), self.with_warnings(problem));
        ResolveError::Changed(format!(
            "{name} finds no addresses: {problem}; {install}, or give another program with --yt-dlp"
        ))
    }

    fn with_warnings(&self, text: &str) -> String {
        let parts = [text].into_iter().chain(self.warnings.iter().map(String::as_str));
        parts.collect::<Vec<_>>().join("; ")
    }
}

/// What to install, where a line says that something is missing.
fn missing(line: &str) -> Option<&'static str> {
    let line = line.to_ascii_lowercase();
    MISSING.iter().find(|(words, _)| line.contains(words)).map(|(_, install)| *install)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Offline,
    Refused,
    Changed,
    Unreachable,
}

fn kind(error: &str) -> Kind {
    let error = error.to_ascii_lowercase().replace('\u{2019}', "'");
    let has = |list: &[&str]| list.iter().any(|words| error.contains(words));
    if has(&OFFLINE) {
        return Kind::Offline;
    }
    if has(&LATER) {
        return Kind::Unreachable;
    }
    if has(&REFUSED) {
        return Kind::Refused;
    }
    match http_status(&error) {
        Some(408 | 425 | 429 | 500..) => Kind::Unreachable,
        Some(401 | 403 | 451) => Kind::Refused,
        None if has(&UNREACHABLE) => Kind::Unreachable,
        Some(_) | None => Kind::Changed,
    }
}

/// The status in `http error 503: …`.
fn http_status(error: &str) -> Option<u16> {
    let (_, rest) = error.split_once("http error ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}
