//! One channel at work: which answer a request gets, and what is recorded of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use common::base::time::Timestamp;

use super::answer::{Answer, gzip};
use super::faults::ListFault;
use super::footage::Footage;
use super::http::Request;
use super::list::{Address, Writer, multivariant, with_crlf};
use super::record::{ListRequest, Record};
use super::script::{Entry, Script};
use super::stream::{Published, Stream};

mod resources;

/// How long a list that was asked for early may be held, in milliseconds: three target durations.
const LONGEST_HOLD: i64 = 3000;

/// A channel.
#[derive(Debug)]
pub struct Channel {
    /// Its first path component.
    pub name: String,
    /// What it does.
    pub script: Script,
    /// What it publishes.
    pub stream: Stream,
    epoch: Timestamp,
    footage: &'static Footage,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    record: Record,
    addresses: Vec<Address>,
}

/// Where in the record an answer belongs, to be completed when it has ended.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    /// It is not recorded.
    Nothing,
    /// The list at that place; with the indices that it names, and those in whose place it names
    /// advertisements.
    List(usize, Vec<i32>, Vec<i32>),
    /// The segment of that index, the answer at that place, and whether it is whole once it has ended.
    Segment(i32, usize, bool),
}

impl Channel {
    /// A channel whose dates count from `epoch`.
    pub(super) fn new(
        name: String,
        script: Script,
        seconds: i64,
        epoch: Timestamp,
        footage: &'static Footage,
    ) -> Self {
        let stream = Stream::of(&script, seconds);
        // the address that was always there
        let first = Address { handed_out: i64::MIN, pre_roll: None };
        let state = State { record: Record::default(), addresses: vec![first] };
        Self { name, script, stream, epoch, footage, state: Mutex::new(state) }
    }

    /// What was recorded so far.
    pub fn record(&self) -> Record {
        self.state().record.clone()
    }

    /// How long a request should be held before it is answered, in milliseconds.
    pub(super) fn hold(&self, request: &Request, now: i64) -> i64 {
        let Some(number) = request.number::<u64>("_HLS_msn") else { return 0 };
        if !self.script.shape.blocking_reload {
            return 0;
        }
        let awaited = self.stream.segments.iter().find(|s| s.number == number && s.at > now);
        awaited.map_or(0, |segment| (segment.at - now).clamp(0, LONGEST_HOLD))
    }

    /// The answer to `request`, whose path goes on with `rest` after the channel's name, at `now`.
    pub(super) fn answer(&self, request: &Request, rest: &str, now: i64) -> (Answer, Pending) {
        let mut parts = rest.split('/');
        let (Some(first), second, third) = (parts.next(), parts.next(), parts.next()) else {
            return (Answer::status(404), Pending::Nothing);
        };
        if first == "index.m3u8" {
            return (self.multivariant(request, now), Pending::Nothing);
        }
        let is_present = first == self.generation(now);
        match (second, third) {
            (Some("live.m3u8"), None) => self.list(request, now, is_present),
            (Some("key.bin"), None) => (self.key(), Pending::Nothing),
            (Some("s"), Some(name)) => self.resource(request, name, now, is_present),
            _ => (Answer::status(404), Pending::Nothing),
        }
    }

    /// Completes the record of an answer that has ended at `now`.
    pub(super) fn ended(&self, pending: Pending, now: i64, was_taken: bool) {
        let mut state = self.state();
        let record = &mut state.record;
        match pending {
            Pending::Nothing => {}
            Pending::Segment(index, place, is_whole) => {
                let answers = record.segments.get_mut(&index).map(|segment| &mut segment.answers);
                if let Some(answer) = answers.and_then(|answers| answers.get_mut(place)) {
                    answer.ended = Some(now);
                    answer.is_whole = is_whole && was_taken;
                }
            }
            Pending::List(place, programme, advertisements) => {
                let Some(list) = record.lists.get_mut(place) else { return };
                list.ended = Some(now);
                let address = list.address;
                if !was_taken {
                    return;
                }
                let first =
                    programme.first().into_iter().chain(advertisements.first()).min().copied();
                for index in programme {
                    record.segments.entry(index).or_default().listed.push(now);
                }
                for index in advertisements {
                    let segment = record.segments.entry(index).or_default();
                    segment.listed_as_advertisement.push(now);
                    segment.advertised_at.insert(address);
                }
                let gone = record.segments.range_mut(..first.unwrap_or(i32::MIN));
                gone.for_each(|(_, segment)| segment.unlisted = segment.unlisted.or(Some(now)));
            }
        }
    }

    fn generation(&self, now: i64) -> &'static str {
        if self.script.moves.is_some_and(|moves| now >= moves) { "g1" } else { "g0" }
    }

    fn multivariant(&self, request: &Request, now: i64) -> Answer {
        let mut state = self.state();
        state.record.multivariants.push(now);
        let hop = request.number::<u8>("hop").is_some();
        if let Some(trouble) = self.script.channel_trouble(now).filter(|_| !hop)
            && let Some(answer) = fault_of_list(trouble.fault, &request.path, "#EXTM3U\n")
        {
            return answer;
        }
        let Some(view) = self.stream.view(now) else { return Answer::offline() };
        let edge = view.segments.last().map_or(0, |newest| newest.index);
        let pre_roll = self.script.shape.pre_roll;
        let pre_roll = (pre_roll > 0).then(|| edge - 2..edge - 2 + pre_roll);
        let token = state.addresses.len();
        state.addresses.push(Address { handed_out: now, pre_roll });
        let address = format!("/{}/{}/live.m3u8?token={token}", self.name, self.generation(now));
        let second = if self.script.shape.second_quality {
            format!("/{}_64p/g0/live.m3u8?token={token}", self.name)
        } else {
            format!("{address}&quality=64p")
        };
        Answer::new(200, &PLAYLIST, multivariant(&address, &second).as_bytes())
    }

    /// What is answered to whoever asks for a token for this channel.
    pub(super) fn token(&self, now: i64) -> Answer {
        self.state().record.tokens.push(now);
        let trouble = self.script.token_trouble(now);
        let answer = trouble.and_then(|trouble| fault_of_list(trouble.fault, "/gql", TOKEN));
        answer.unwrap_or_else(|| Answer::new(200, &[], TOKEN.as_bytes()))
    }

    fn list(&self, request: &Request, now: i64, is_present: bool) -> (Answer, Pending) {
        let mut state = self.state();
        let place = state.record.lists.len();
        let at = request.number::<usize>("token").unwrap_or(0).min(state.addresses.len() - 1);
        let address = state.addresses[at].clone();
        let hop = request.number::<u8>("hop").is_some();
        let (answer, programme, advertisements) =
            self.list_answer(request, &address, now, place, hop, is_present);
        let mut named: Vec<i32> = programme.iter().chain(&advertisements).copied().collect();
        named.sort_unstable();
        state.record.lists.push(ListRequest {
            asked: now,
            ended: None,
            address: at,
            is_blocking: request.number::<u64>("_HLS_msn").is_some(),
            is_redirect: answer.what == "302",
            shown: named.first().copied().zip(named.last().copied()),
            what: answer.what.clone(),
        });
        (answer, Pending::List(place, programme, advertisements))
    }

    fn list_answer(
        &self,
        request: &Request,
        address: &Address,
        now: i64,
        count: usize,
        hop: bool,
        is_present: bool,
    ) -> (Answer, Vec<i32>, Vec<i32>) {
        let nothing = |answer| (answer, Vec::new(), Vec::new());
        if !is_present {
            return nothing(Answer::status(404));
        }
        let trouble = self.script.list_trouble(now, address.handed_out).filter(|_| !hop);
        let shown_at = match trouble.map(|trouble| (trouble.fault, trouble.during.start)) {
            Some((ListFault::Frozen, began)) => began,
            Some((ListFault::Lagging(lag), _)) if count % 2 == 1 => now - i64::from(lag) * 1000,
            _ => now,
        };
        let Some(view) = self.stream.view(shown_at) else { return nothing(Answer::status(404)) };
        let (script, epoch, footage) = (&self.script, self.epoch, self.footage);
        let writer = Writer { script, epoch, footage, folder: "s" };
        let text = writer.media(&view, address);
        if let Some(trouble) = trouble {
            let target = target_of(request);
            if let Some(answer) = fault_of_list(trouble.fault, &target, &text) {
                return nothing(answer);
            }
        }
        let (advertisements, programme): (Vec<&Published>, Vec<&Published>) =
            writer.named(&view, address).into_iter().partition(|s| address.is_advertisement(s));
        let indices = |segments: Vec<&Published>| segments.iter().map(|s| s.index).collect();
        (self.packed(&text), indices(programme), indices(advertisements))
    }

    fn packed(&self, text: &str) -> Answer {
        let shape = &self.script.shape;
        let text = if shape.crlf { with_crlf(text) } else { text.to_owned() };
        if !shape.gzip {
            return Answer::new(200, &PLAYLIST, text.as_bytes());
        }
        let headers = [PLAYLIST[0], ("Content-Encoding", "gzip")];
        Answer::new(200, &headers, &gzip(text.as_bytes()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The channel and the quality that a recorder knows it as.
    pub fn feed(&self) -> (&str, &str) {
        match self.name.strip_suffix("_64p").filter(|_| self.script.shape.entry == Entry::Beside) {
            Some(name) => (name, "64p"),
            None => (&self.name, "source"),
        }
    }

    /// What to tell a recorder that is to record this channel from an origin at `base`; nothing, if another
    /// channel names it.
    pub fn argument(&self, base: &str) -> Option<String> {
        let name = &self.name;
        let mark = if self.script.shape.important { "!" } else { "" };
        match self.script.shape.entry {
            Entry::Twitch => Some(format!("{name}{mark}")),
            Entry::Multivariant => Some(format!("{name}{mark}:url:{base}/{name}/index.m3u8")),
            Entry::Media => Some(format!("{name}{mark}:url:{base}/{name}/g0/live.m3u8")),
            Entry::Beside => None,
        }
    }
}

const TOKEN: &str = r#"{"data":{"streamPlaybackAccessToken":{"signature":"s","value":"v"}}}"#;
const PLAYLIST: [(&str, &str); 1] = [("Content-Type", "application/vnd.apple.mpegurl")];

/// Where a request came, to be told to go elsewhere.
fn target_of(request: &Request) -> String {
    let query: Vec<String> =
        request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}?{}", request.path, query.join("&"))
}

/// What is answered instead of the list `text` for `target`, if it is not a list after all.
fn fault_of_list(fault: ListFault, target: &str, text: &str) -> Option<Answer> {
    let mark = if target.contains('?') { '&' } else { '?' };
    Some(match fault {
        ListFault::Status(status) => Answer::status(status),
        ListFault::Silence => Answer::silence(),
        ListFault::Endless => Answer::endless(text),
        ListFault::Huge => Answer::huge(text),
        ListFault::Html => Answer::page(),
        ListFault::Garbage => Answer::garbage(),
        ListFault::Json => Answer::json(),
        ListFault::Redirect => Answer::redirect(&format!("{target}{mark}hop=1")),
        ListFault::RedirectLoop => Answer::redirect(target),
        ListFault::Frozen | ListFault::Lagging(_) => return None,
    })
}
