//! What a body that has ended is worth. Pure.

use std::time::Duration;

use common::format::media::examiner::Finding;
use common::format::segment::{Completeness, MediaDuration};
use common::io::store::notes::Why;

use crate::planner::{Failure, Retry};

/// A transfer as long as this may have been cut off by a server that ends connections after a
/// minute, without either side noticing.
const SUSPICIOUSLY_LONG: Duration = Duration::from_secs(59);

/// How a body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As far as the transport tells, at its end.
    Clean,
    /// By an error of the transport.
    Broken(String),
    /// It paused for too long, or took too long as a whole.
    TooSlow,
    /// We are stopping.
    Stopped,
    /// It is larger than a segment may be.
    TooLong,
    /// It could not be written.
    Disk(Failure),
}

/// All that is known of a body that has ended.
#[derive(Clone, Debug)]
pub(super) struct Body {
    /// Bytes that came, without those of an initialization section.
    pub(super) received: u64,
    /// How many there should be, if anyone said.
    pub(super) expected: Option<u64>,
    pub(super) end: End,
    pub(super) finding: Finding,
    /// What is wrong with its encryption.
    pub(super) garbled: Option<&'static str>,
    /// How its media time falls short of what the list promises, if it does.
    pub(super) shortfall: Option<String>,
    /// What the list promises, if it does.
    pub(super) promised: Option<MediaDuration>,
    /// The list's EXT-X-VERSION, which says how exact that is.
    pub(super) version: Option<u64>,
    pub(super) took: Duration,
    /// Why it is suspect, however whole it is.
    pub(super) doubt: Option<&'static str>,
    /// Bytes that would be stored.
    pub(super) size: u64,
    /// The size of the longest partial copy that there is.
    pub(super) best_partial: u64,
}

impl Body {
    /// Whether all of it came, as far as the transport tells.
    pub(super) fn is_complete(&self) -> bool {
        let is_short = self.expected.is_some_and(|expected| self.received < expected);
        self.end == End::Clean && self.received > 0 && !is_short
    }
}

/// What is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Publish it; with a failure, a better copy is wanted.
    Publish(Completeness, Option<Failure>),
    /// Drop it.
    Discard(Failure),
}

/// Decides by the rules of `docs/STORAGE.md`: nothing that is known or suspected to be damaged passes
/// as full.
pub(super) fn judge(body: &Body) -> Verdict {
    let failure = |why, detail: &str, retry| Failure { why, detail: detail.to_owned(), retry };
    let later = |why, detail: &str| failure(why, detail, Retry::Later);
    match &body.end {
        End::Disk(failure) => Verdict::Discard(failure.clone()),
        End::TooLong => Verdict::Discard(failure(Why::Damaged, "too large", Retry::Never)),
        // an error page does not become video by being cut off
        _ if body.finding == Finding::Text => {
            Verdict::Discard(later(Why::Damaged, "a text came instead of media"))
        }
        End::Broken(error) => partial(body, later(Why::Truncated, error)),
        End::TooSlow => partial(body, later(Why::TimeOut, "too slow")),
        End::Stopped => partial(body, super::stopped()),
        End::Clean => ended_cleanly(body, later),
    }
}

fn ended_cleanly(body: &Body, later: impl Fn(Why, &str) -> Failure) -> Verdict {
    let suspect = |failure| Verdict::Publish(Completeness::Suspect, failure);
    // nothing went wrong on the way, so it may well be how the publisher has it
    let odd = |why, detail: &str| Failure { retry: Retry::AFewTimes, ..later(why, detail) };
    if body.expected.is_some_and(|expected| body.received < expected) {
        return partial(body, later(Why::Truncated, "shorter than promised"));
    }
    if body.received == 0 {
        // an edge that does not have it yet says so in this way, too, whether it is still listed or not
        return suspect(Some(later(Why::Damaged, "empty")));
    }
    if let Some(problem) = body.garbled {
        return suspect(Some(odd(Why::Damaged, problem)));
    }
    let is_slow = body.took >= SUSPICIOUSLY_LONG;
    match body.finding {
        // nobody said how long it is, so this is how a connection looks that was cut
        Finding::Torn if body.expected.is_none() => {
            partial(body, odd(Why::Truncated, "ends within a packet or box"))
        }
        Finding::Torn => suspect(Some(odd(Why::Damaged, "ends within a packet or box"))),
        Finding::Broken { at } => {
            suspect(Some(odd(Why::Damaged, &format!("out of step at byte {at}"))))
        }
        Finding::Unknown => suspect(Some(odd(Why::Damaged, "nothing that is known as media"))),
        // a text was discarded before
        Finding::Sound | Finding::Text => match (&body.shortfall, is_slow, body.doubt) {
            (Some(shortfall), ..) => suspect(Some(odd(Why::Truncated, shortfall))),
            (None, true, _) => {
                suspect(Some(later(Why::TimeOut, "took a minute, and may have been cut off")))
            }
            (None, false, Some(_)) => suspect(None),
            (None, false, None) => Verdict::Publish(Completeness::Full, None),
        },
    }
}

/// Some video beats none, but not a copy that is longer.
fn partial(body: &Body, failure: Failure) -> Verdict {
    if body.received > 0 && body.size > body.best_partial {
        Verdict::Publish(Completeness::Partial, Some(failure))
    } else {
        Verdict::Discard(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Body {
        Body {
            promised: None,
            version: None,
            received: 188,
            expected: Some(188),
            end: End::Clean,
            finding: Finding::Sound,
            garbled: None,
            shortfall: None,
            took: Duration::from_secs(1),
            doubt: None,
            size: 188,
            best_partial: 0,
        }
    }

    /// The completeness, if it is published, and the reason for wanting more, if there is one.
    fn verdict(body: &Body) -> (Option<Completeness>, Option<Why>) {
        match judge(body) {
            Verdict::Publish(completeness, failure) => (Some(completeness), failure.map(|f| f.why)),
            Verdict::Discard(failure) => (None, Some(failure.why)),
        }
    }

    #[test]
    fn only_what_nothing_speaks_against_is_full() {
        use Completeness::{Full, Partial, Suspect};
        let broken = End::Broken("reset".to_owned());
        let torn = Finding::Torn;
        let at = Finding::Broken { at: 188 };
        let slow = Duration::from_secs(59);
        let short = Some("0.5 s of 2 s".to_owned());
        let cases = [
            (good(), Some(Full), None),
            (Body { expected: None, ..good() }, Some(Full), None),
            (Body { received: 100, ..good() }, Some(Partial), Some(Why::Truncated)),
            (Body { received: 0, expected: Some(0), ..good() }, Some(Suspect), Some(Why::Damaged)),
            (Body { received: 0, expected: None, ..good() }, Some(Suspect), Some(Why::Damaged)),
            (Body { received: 0, ..good() }, None, Some(Why::Truncated)),
            (Body { finding: torn, expected: None, ..good() }, Some(Partial), Some(Why::Truncated)),
            (Body { finding: torn, ..good() }, Some(Suspect), Some(Why::Damaged)),
            (Body { finding: at, ..good() }, Some(Suspect), Some(Why::Damaged)),
            (Body { took: slow, ..good() }, Some(Suspect), Some(Why::TimeOut)),
            (Body { finding: Finding::Unknown, ..good() }, Some(Suspect), Some(Why::Damaged)),
            (Body { garbled: Some("garbled"), ..good() }, Some(Suspect), Some(Why::Damaged)),
            (Body { shortfall: short.clone(), ..good() }, Some(Suspect), Some(Why::Truncated)),
            (
                Body { shortfall: short, doubt: Some("placed"), ..good() },
                Some(Suspect),
                Some(Why::Truncated),
            ),
            (Body { doubt: Some("placed"), ..good() }, Some(Suspect), None),
            (Body { end: broken.clone(), ..good() }, Some(Partial), Some(Why::Truncated)),
            (Body { end: broken, received: 0, ..good() }, None, Some(Why::Truncated)),
            (Body { end: End::TooSlow, ..good() }, Some(Partial), Some(Why::TimeOut)),
            (Body { end: End::Stopped, ..good() }, Some(Partial), Some(Why::Stopped)),
            (Body { end: End::TooLong, ..good() }, None, Some(Why::Damaged)),
            (Body { finding: Finding::Text, ..good() }, None, Some(Why::Damaged)),
        ];
        for (body, completeness, why) in cases {
            assert_eq!(verdict(&body), (completeness, why), "{body:?}");
        }
    }

    #[test]
    fn an_empty_body_is_asked_for_again_listed_or_not() {
        let empty = Body { received: 0, expected: Some(0), ..good() };
        let Verdict::Publish(_, Some(failure)) = judge(&empty) else { panic!("it is suspect") };
        assert_eq!(failure.retry, Retry::Later);
    }

    #[test]
    fn a_shorter_partial_copy_is_worth_nothing() {
        let partial = |best_partial| {
            let end = End::Broken("reset".to_owned());
            verdict(&Body { end, best_partial, ..good() }).0
        };
        assert_eq!(partial(187), Some(Completeness::Partial));
        assert_eq!(partial(188), None);
    }
}
