//! What the recorder told while it ran, by metrics and in `/healthz`: it must be what happened.

use common::base::time::Timestamp;
use common::io::store::notes::{Note, Why};

use super::outages::back_after;
use super::{Case, SECOND};
use crate::origin::faults::{ListFault, ListTrouble, Scope};
use crate::origin::script::{Entry, Leaves};
use crate::origin::told::Told;

/// How long something must have lasted, or be over, so that the recorder's state must show it, in
/// milliseconds.
const LASTING: i64 = 16_000;
/// How often an advertisement must have been listed so that the recorder has seen it.
const SEEN: usize = 3;

/// What is wrong with what was told, if the recorder was asked.
pub(super) fn violations(case: &Case<'_>) -> Vec<String> {
    let Some(told) = case.told else { return Vec::new() };
    let mut all: Vec<String> = state(case, told).into_iter().collect();
    all.extend(health(told));
    all.extend(offline(case, told));
    all.extend(Why::ALL.into_iter().filter_map(|why| missed(case, told, why)));
    all.extend(advertisements(case, told));
    all
}

/// The state must be that of the channel, where that has been the same for a while.
fn state(case: &Case<'_>, told: &Told) -> Option<String> {
    let expected = lasting(case)?;
    (told.status != [expected])
        .then(|| format!("feed_status says {:?}, but the channel is {expected}", told.status))
}

/// The state that the channel has been in for a while.
fn lasting(case: &Case<'_>) -> Option<&'static str> {
    let before = case.stopped - LASTING;
    let script = case.script;
    let off = case.stream.pauses.iter().find(|pause| pause.until > before);
    if let Some(off) = off {
        let lasts = off.from <= before && off.until > case.stopped && off.leaves != Leaves::List;
        return lasts.then_some("offline");
    }
    let harmful = script.list_troubles.iter().filter(|trouble| !trouble.fault.is_harmless());
    let late: Vec<&ListTrouble> = harmful
        .filter(|trouble| trouble.scope != Scope::OldAddresses && !trouble.scope.is_of_looks())
        .filter(|trouble| trouble.during.end + back_after(script.shape.important) > before)
        .collect();
    let [trouble] = late[..] else { return if late.is_empty() { well(case) } else { None } };
    let lasts = trouble.during.start <= before && trouble.during.end > case.stopped;
    let mut looks =
        script.list_troubles.iter().filter(|trouble| trouble.scope != Scope::OldAddresses);
    // who cannot even ask for a token meets nothing else
    let look = looks.find(|other| other.scope == Scope::Token).unwrap_or(trouble);
    let is_looked_for = look.scope != Scope::MediaPlaylists;
    (lasts && is_looked_for && look.during == trouble.during).then(|| of_look(case, look))
}

/// The state of a channel with whose lists nothing has been wrong for a while, if nothing else has.
fn well(case: &Case<'_>) -> Option<&'static str> {
    let recent = i32::try_from((case.stopped - LASTING) / SECOND).unwrap_or(i32::MAX);
    let mut segments = case.script.segment_troubles.iter();
    let mut changes = case.script.changes.iter();
    let is_well = segments.all(|trouble| trouble.segments.end < recent)
        && changes.all(|change| change.at + 10 < recent)
        && case.script.moves.is_none_or(|at| at < case.stopped - LASTING);
    is_well.then_some("up")
}

/// The state in which a look ends that meets `trouble`.
fn of_look(case: &Case<'_>, trouble: &ListTrouble) -> &'static str {
    let is_twitch = case.script.shape.entry == Entry::Twitch;
    match trouble.fault {
        ListFault::Status(401 | 403 | 451) => "refused",
        // Twitch has words for it
        ListFault::Status(404 | 410) if !is_twitch => "offline",
        ListFault::Status(408 | 425 | 429 | 500..)
        | ListFault::Silence
        | ListFault::Endless
        | ListFault::RedirectLoop => "unreachable",
        _ => "changed",
    }
}

/// `/healthz` must tell the same state.
fn health(told: &Told) -> Option<String> {
    let is_same = told.status.first().is_some_and(|status| told.health.starts_with(status));
    (!is_same).then(|| {
        format!("/healthz says {:?} where feed_status says {:?}", told.health, told.status)
    })
}

/// Nobody must be told that a channel is offline that never said so: that is what hides that we are broken.
fn offline(case: &Case<'_>, told: &Told) -> Option<String> {
    // where nothing else could say so, that a list is not there does
    let is_enough = case.script.shape.entry != Entry::Twitch;
    let says_so = |trouble: &ListTrouble| {
        let is_looked_at = matches!(trouble.scope, Scope::Channel | Scope::Multivariant);
        (is_looked_at || is_enough) && of_look(case, trouble) == "offline"
    };
    let mut pauses = case.stream.pauses.iter();
    if pauses.any(|pause| pause.leaves != Leaves::List)
        || case.script.list_troubles.iter().any(says_so)
    {
        return None;
    }
    let is_told = told.status.iter().chain(&told.lookup).any(|status| status == "offline")
        || told.missed.get("offline").is_some_and(|count| *count > 0);
    is_told.then(|| format!("it is told to be offline, which it never was: {told:?}"))
}

/// What was counted as missed must be what is noted, for each reason. Neighbours are one note.
fn missed(case: &Case<'_>, told: &Told, why: Why) -> Option<String> {
    let counted = told.missed.get(why.token()).copied().unwrap_or(0);
    let (before, after) = told.asked;
    let least = noted(case, why, before).count() as u64;
    let most: u64 = noted(case, why, after).map(pieces).sum();
    (!(least..=most).contains(&counted)).then(|| {
        format!(
            "segments_missed_total has {counted} for the reason {}, but {least} notes were written, of \
             at most {most} pieces",
            why.token()
        )
    })
}

/// How long each note with that reason is that was learned by `then`, in seconds.
fn noted<'a>(case: &'a Case<'_>, why: Why, then: Timestamp) -> impl Iterator<Item = f64> + 'a {
    case.held.notes.iter().filter_map(move |note| match note {
        Note::Missing { duration, why: of, learned, .. } if *of == why && *learned <= then => {
            Some(*duration)
        }
        _ => None,
    })
}

/// How many segments a note can be of.
fn pieces(seconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some hours at most"
    )]
    let whole = seconds.max(0.0).ceil() as u64;
    whole.max(1)
}

/// Each advertisement must be counted, once for each address that showed it.
fn advertisements(case: &Case<'_>, told: &Told) -> Option<String> {
    let shown = case.record.segments.values();
    let shown = shown.filter(|segment| !segment.listed_as_advertisement.is_empty());
    let (mut least, mut most) = (0, 0);
    for segment in shown {
        // what was recorded from another address is not ignored
        let is_ignored = segment.listed.is_empty();
        least += u64::from(is_ignored && segment.listed_as_advertisement.len() >= SEEN);
        most += segment.advertised_at.len() as u64;
    }
    let counted = told.advertisements;
    (!(least..=most).contains(&counted)).then(|| {
        format!(
            "ad_segments_ignored_total is {counted}, but {least} advertisements were shown, at most \
             {most} counted at each address"
        )
    })
}
