//! One attempt at a segment: ask, take in what comes, judge it.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use common::format::media::examiner::Finding;
use common::io::http::client::{Answer, Client};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::body::{Body, End};
use super::cipher::{BLOCK, Decryptor};
use super::gathered::Gathered;
use super::handing::Handing;
use super::intake::{Closed, Intake, Lost};
use super::request::{self, Part};
use super::{Fetched, Fetcher, Means};
use crate::planner::Job;

/// Why a segment is suspect that may be another.
const OVERWRITTEN: &str = "its address was used again meanwhile";

/// What every attempt at a segment begins with.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) job: &'a Job,
    pub(super) url: Url,
    /// The initialization section.
    pub(super) front: Bytes,
    /// Key and initialization vector.
    pub(super) decryption: Option<([u8; BLOCK], [u8; BLOCK])>,
}

impl Fetcher {
    /// Makes one attempt over `client`; sets `answered` once the headers have come.
    ///
    /// Cancel safety: dropped in between, nothing of it is left, unless it was just being published.
    pub(super) async fn attempt(
        &self,
        plan: &Plan<'_>,
        client: &Client,
        answered: &AtomicBool,
    ) -> Result<Fetched, Lost> {
        let patience = &self.means.patience;
        let began = Instant::now();
        let deadline = began + patience.whole.hard;
        let client = client.with_headers_timeout(patience.headers.hard);
        let range = plan.job.segment.byte_range.as_ref();
        let asked = request::send(&client, "segment", plan.url.clone(), range);
        let asked = tokio::select! {
            biased;
            () = self.means.cut_off() => Err(super::stopped()),
            asked = timeout_at(deadline, asked) => asked.unwrap_or_else(|_| Err(super::too_slow())),
        };
        let (answer, part) = asked.map_err(Lost::nothing)?;
        answered.store(true, Ordering::Relaxed);
        let overwritten = &plan.job.overwritten;
        if overwritten.is_certain() {
            return Err(Lost::nothing(super::gone()));
        }
        let mut handing = Handing::new(self, plan);
        let means = &self.means;
        let gathered = Gathered::new(&means.gathering);
        let mut receiver = Receiver { means, answer, part, received: 0, gathered };
        let end = receiver.receive(&mut handing, deadline).await;
        let body = Body {
            received: receiver.received,
            expected: receiver.part.expected(),
            end,
            finding: Finding::Unknown,
            garbled: None,
            shortfall: None,
            promised: plan.job.promised,
            version: plan.job.version,
            took: began.elapsed(),
            doubt: plan.job.doubt.or_else(|| overwritten.is_likely().then_some(OVERWRITTEN)),
            size: 0,
            best_partial: plan.job.best_partial,
        };
        let rest = receiver.gathered.take();
        match handing.close(rest, body).await {
            Closed::Whole(fetched) => Ok(fetched),
            Closed::Short(lost) => Err(lost),
        }
    }

    pub(super) fn intake(&self, plan: &Plan<'_>) -> Intake {
        let decryptor = plan.decryption.as_ref().map(|(key, iv)| Decryptor::new(key, *iv));
        let (holding, stop) = (self.means.holding.clone(), self.means.stop.clone());
        let front = plan.front.clone();
        Intake::new(self.target(plan.job), holding, self.rank, stop, front, decryptor)
    }
}

/// A body on its way in.
struct Receiver<'a> {
    means: &'a Means,
    answer: Answer,
    part: Part,
    /// Bytes of the segment itself.
    received: u64,
    gathered: Gathered,
}

impl Receiver<'_> {
    /// Receives the body until it ends, one way or another; leaves the last of it gathered.
    async fn receive(&mut self, handing: &mut Handing<'_>, deadline: Instant) -> End {
        let mut cut_off = std::pin::pin!(self.means.cut_off());
        let largest = self.means.largest;
        if self.part.expected().is_some_and(|expected| expected > largest) {
            return End::TooLong;
        }
        while !self.part.is_complete() {
            let idle = Instant::now() + self.means.patience.idle;
            let chunk = tokio::select! {
                biased;
                () = &mut cut_off => return End::Stopped,
                chunk = timeout_at(deadline.min(idle), self.answer.chunk()) => chunk,
            };
            match chunk {
                Ok(Ok(Some(chunk))) => {
                    let piece = self.part.cut(chunk);
                    self.received += piece.len() as u64;
                    self.gathered.add(piece);
                }
                Ok(Ok(None)) => break,
                Ok(Err(error)) if !error.is_timeout() => {
                    return End::Broken(error.to_string());
                }
                Ok(Err(_)) | Err(_) => return End::TooSlow,
            }
            if self.received > largest {
                return End::TooLong;
            }
            if self.gathered.is_much(self.means.in_memory()) {
                let pieces = self.gathered.take();
                if let Err(failure) = handing.take_in(pieces).await {
                    return End::Disk(failure);
                }
            }
        }
        End::Clean
    }
}
