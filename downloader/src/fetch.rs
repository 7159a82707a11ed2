//! Fetching one segment: from its address to a published file, or to a reason why not.
//!
//! Everything about an attempt is bounded: waiting for headers, pauses, the whole, the size. The
//! body goes to a temp file while it arrives; how it ended and what it looks like decide the name
//! under which it is published ([`judge`]).
//!
//! When the downloader stops, an attempt has [`STOP_GRACE`] to end; what has arrived by then is kept
//! as partial, since the segment may be gone before we are back.

use std::io;
use std::pin::pin;
use std::time::Duration;

use common::io::http::client::{Answer, Client};
use common::io::store::notes::Why;
use common::io::store::{Feed, Store, TempSegment};
use common::service::CancellationToken;
use tokio::time::Instant;

mod body;
mod init;
mod inspect;
mod request;

use body::{Body, End, Verdict, judge};
use init::InitSections;
use inspect::Inspector;
use request::{Part, locate};

use crate::planner::{Attempt, Failure, Job, Retry, Saved};

/// How long headers may take at the first attempt; each further one waits twice as long, up to
/// [`LONGEST_HEADERS_TIMEOUT`], so that a slow origin gets its time and a sick connection does not.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_HEADERS_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a body may pause.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an attempt may take as a whole.
const WHOLE_TIMEOUT: Duration = Duration::from_mins(4);
/// How long an attempt may go on after the downloader was asked to stop.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(1);
/// The largest segment that is taken, in bytes.
const MAX_SEGMENT_BYTES: u64 = 256 << 20;

/// Fetches the segments of one feed.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    store: Store,
    feed: Feed,
    init_sections: InitSections,
    stop: CancellationToken,
}

impl Fetcher {
    pub(crate) fn new(client: Client, store: Store, feed: Feed, stop: CancellationToken) -> Self {
        Self { client, store, feed, init_sections: InitSections::default(), stop }
    }

    /// Fetches the segment of `job` once and publishes what came of it.
    ///
    /// Cancel safety: dropped before its end, nothing is published.
    pub(crate) async fn fetch(&self, job: &Job) -> Attempt {
        let began = Instant::now();
        let mut cut_off = pin!(async {
            self.stop.cancelled().await;
            tokio::time::sleep(STOP_GRACE).await;
        });
        let asked = tokio::select! {
            biased;
            () = &mut cut_off => Err(stopped()),
            asked = tokio::time::timeout_at(began + WHOLE_TIMEOUT, self.ask(job)) => {
                asked.unwrap_or_else(|_| Err(too_slow()))
            }
        };
        let (init, answer, part) = match asked {
            Ok(asked) => asked,
            Err(failure) => return Attempt { saved: None, failure: Some(failure) },
        };
        let mut segment = match self.begin(job, &init).await {
            Ok(segment) => segment,
            Err(error) => return Attempt { saved: None, failure: Some(disk(&error)) },
        };
        let mut receiver = Receiver { answer, part, inspector: Inspector::default(), received: 0 };
        let end = receiver.receive(&mut segment, began + WHOLE_TIMEOUT, cut_off).await;
        let verdict = judge(&Body {
            received: receiver.received,
            expected: receiver.part.expected(),
            end,
            finding: receiver.inspector.finish(),
            took: began.elapsed(),
            certain: job.certain,
            best_partial: job.best_partial,
        });
        publish(segment, verdict).await
    }

    /// Gets the initialization section, if there is one, and the headers of the segment's answer.
    async fn ask(&self, job: &Job) -> Result<(bytes::Bytes, Answer, Part), Failure> {
        let patience = HEADERS_TIMEOUT * 2_u32.saturating_pow(job.attempt.saturating_sub(1).min(8));
        let client = self.client.with_headers_timeout(patience.min(LONGEST_HEADERS_TIMEOUT));
        let init = match &job.segment.map {
            Some(map) => self.init_sections.get(&client, job, map).await?,
            None => bytes::Bytes::new(),
        };
        let url = locate(&job.base, &job.segment.uri)?;
        let (answer, part) =
            request::send(&client, "segment", url, job.segment.byte_range.as_ref()).await?;
        Ok((init, answer, part))
    }

    async fn begin(&self, job: &Job, init: &[u8]) -> io::Result<TempSegment> {
        let mut segment = self.store.begin_segment(&self.feed, job.start, job.duration).await?;
        segment.write(init).await?;
        Ok(segment)
    }
}

/// A body on its way into a file.
struct Receiver {
    answer: Answer,
    part: Part,
    inspector: Inspector,
    /// Bytes of the segment itself.
    received: u64,
}

impl Receiver {
    /// Writes the body into `segment` until it ends, one way or another.
    async fn receive(
        &mut self,
        segment: &mut TempSegment,
        deadline: Instant,
        mut cut_off: std::pin::Pin<&mut impl Future<Output = ()>>,
    ) -> End {
        if self.part.expected().is_some_and(|expected| expected > MAX_SEGMENT_BYTES) {
            return End::TooLong;
        }
        while !self.part.is_complete() {
            let idle = Instant::now() + IDLE_TIMEOUT;
            let chunk = tokio::select! {
                biased;
                () = &mut cut_off => return End::Stopped,
                chunk = tokio::time::timeout_at(deadline.min(idle), self.answer.chunk()) => chunk,
            };
            let chunk = match chunk {
                Ok(Ok(Some(chunk))) => self.part.cut(chunk),
                Ok(Ok(None)) => return End::Clean,
                Ok(Err(error)) if !error.is_timeout() => return End::Broken(error.to_string()),
                Ok(Err(_)) | Err(_) => return End::TooSlow,
            };
            self.received += chunk.len() as u64;
            if self.received > MAX_SEGMENT_BYTES {
                return End::TooLong;
            }
            self.inspector.feed(&chunk);
            if let Err(error) = segment.write(&chunk).await {
                return End::Disk(disk(&error));
            }
        }
        End::Clean
    }
}

async fn publish(segment: TempSegment, verdict: Verdict) -> Attempt {
    let (completeness, failure) = match verdict {
        Verdict::Publish(completeness, failure) => (completeness, failure),
        Verdict::Discard(failure) => return Attempt { saved: None, failure: Some(failure) },
    };
    match segment.publish(completeness).await {
        Ok(published) => {
            let saved =
                Saved { completeness, size: published.size, is_new: !published.already_there };
            Attempt { saved: Some(saved), failure }
        }
        Err(error) => Attempt { saved: None, failure: Some(disk(&error)) },
    }
}

/// The disk refused; it is asked again later, whatever the reason.
fn disk(error: &io::Error) -> Failure {
    let detail = format!("cannot be stored: {error}");
    Failure { why: Why::DiskFull, detail, retry: Retry::Later }
}

fn too_slow() -> Failure {
    Failure { why: Why::TimeOut, detail: "too slow".to_owned(), retry: Retry::Later }
}

fn stopped() -> Failure {
    let detail = "the downloader was stopped".to_owned();
    Failure { why: Why::Stopped, detail, retry: Retry::Never }
}

#[cfg(test)]
mod tests;
