//! Scripts made from a seed: a few troubles of any kind, early enough to be over before the end.
//!
//! What would make it impossible to say what is right is left out: a channel without dates keeps to
//! one numbering, and what needs the list to be there comes when it is.

use super::{Addressed, Dated, Dice, Entry, Leaves, Marks, Method, Script, Shape, What};
use crate::origin::faults::{ListFault, Scope, SegmentFault, Until};
use crate::origin::footage::{Clip, SEGMENTS};

/// The script of `seed`.
pub(super) fn script(seed: u64) -> Script {
    let dice = &mut Dice::new(seed);
    let mut script = Script { seed: Some(seed), ..Script::healthy(shape(dice)) };
    let mut at = dice.between(3, 8);
    for _ in 0..dice.between(1, 4) {
        let count = dice.between(1, 4);
        let (fault, until) = segment_fault(dice);
        script = script.segments(at..at + count, fault, until);
        at += count + dice.between(0, 5);
    }
    if script.shape.dated != Dated::Each {
        return script;
    }
    if dice.chance(60) {
        script = change(dice, script);
    }
    let mut second = i64::from(dice.between(5, 10));
    for _ in 0..dice.between(0, 3) {
        let (fault, mut scope, mut seconds) = list_fault(dice);
        if script.shape.entry == Entry::Media && scope == Scope::OldAddresses {
            // there is no other address
            (scope, seconds) = (Scope::MediaPlaylists, seconds.min(5));
        }
        script = script.lists(second..second.saturating_add(seconds), fault, scope);
        second += seconds.min(8) + i64::from(dice.between(4, 8));
    }
    if script.shape.entry != Entry::Media && dice.chance(5) {
        script = script.moving(i64::from(dice.between(6, 20)));
    }
    script
}

fn shape(dice: &mut Dice) -> Shape {
    let window = usize::try_from(dice.between(8, 15)).unwrap_or(8);
    let twitch = dice.chance(40);
    let clip = if dice.chance(60) {
        Clip::Ts
    } else {
        dice.pick(&[Clip::Fmp4, Clip::LargeTs, Clip::Hevc])
    };
    let marks =
        [(true, true, false), (true, false, false), (false, true, false), (false, false, true)];
    let (titles, date_ranges, scte35) = dice.pick(&marks);
    Shape {
        entry: match (twitch, dice.chance(70)) {
            (true, _) => Entry::Twitch,
            (false, true) => Entry::Multivariant,
            (false, false) => Entry::Media,
        },
        window,
        backlog: if dice.chance(5) { 200 } else { i32::try_from(window).unwrap_or(8) },
        first_number: dice.pick(&[0, 1, 1000, 1 << 31, (1 << 53) - 20]),
        clip,
        offset: usize::try_from(dice.roll()).unwrap_or(0) % SEGMENTS,
        dated: match dice.between(0, 100) {
            0..90 => Dated::Each,
            90..95 => Dated::Every(4),
            _ => Dated::Never,
        },
        addressed: match dice.between(0, 100) {
            0..80 => Addressed::ByIndex,
            80..90 => Addressed::ByNumber,
            other => Addressed::ByRange { honoured: other < 95 },
        },
        marks: Marks { titles, date_ranges, scte35 },
        pre_roll: if twitch && dice.chance(50) { dice.between(2, 6) } else { 0 },
        blocking_reload: dice.chance(10),
        gzip: dice.chance(10),
        crlf: dice.chance(10),
        ..Shape::default()
    }
}

fn segment_fault(dice: &mut Dice) -> (SegmentFault, Until) {
    use SegmentFault as F;
    let quick = [
        F::Reset,
        F::PromisesMore,
        F::PromisesLess,
        F::CleanCut,
        F::CleanCutAtPacket,
        F::CutChunks,
        F::Empty,
        F::Html,
        F::Status(429),
        F::Status(500),
        F::Status(503),
    ];
    let refusals = [F::Status(403), F::Status(404), F::Status(410), F::RedirectLoop];
    match dice.between(0, 100) {
        0..45 => {
            let attempts = u32::try_from(dice.between(1, 4)).unwrap_or(1);
            (dice.pick(&quick), Until::Attempts(attempts))
        }
        45..55 => (dice.pick(&[F::Silence, F::StallInBody, F::Drip(90)]), Until::Attempts(1)),
        55..70 => (
            dice.pick(&refusals),
            Until::Millis(u32::try_from(dice.between(500, 5000)).unwrap_or(500)),
        ),
        70..80 => (dice.pick(&[F::Drip(3), F::Redirect, F::NoLength, F::Chunked]), Until::Ever),
        80..90 => (dice.pick(&refusals), Until::Ever),
        _ => (dice.pick(&quick), Until::Ever),
    }
}

fn list_fault(dice: &mut Dice) -> (ListFault, Scope, i64) {
    use ListFault as F;
    let seconds = i64::from(dice.between(2, 9));
    match dice.between(0, 100) {
        // a token that expired never comes back
        0..20 => (F::Status(403), Scope::OldAddresses, i64::MAX / 2000),
        20..35 => (F::Frozen, Scope::OldAddresses, seconds + 6),
        35..45 => (
            dice.pick(&[F::Silence, F::Endless, F::Html, F::Garbage]),
            Scope::OldAddresses,
            seconds + 6,
        ),
        45..55 => (
            F::Lagging(u32::try_from(dice.between(1, 4)).unwrap_or(1)),
            Scope::MediaPlaylists,
            seconds,
        ),
        55..60 => (F::Redirect, Scope::MediaPlaylists, seconds),
        60..63 => (F::Huge, Scope::MediaPlaylists, 4),
        63..80 => {
            let faults = [
                F::Status(500),
                F::Status(503),
                F::Status(404),
                F::Silence,
                F::Html,
                F::RedirectLoop,
            ];
            (dice.pick(&faults), Scope::MediaPlaylists, seconds)
        }
        80..90 => {
            (dice.pick(&[F::Status(500), F::Status(404), F::Silence]), Scope::Channel, seconds)
        }
        // longer than any list lasts
        _ => (dice.pick(&[F::Status(503), F::Status(404)]), Scope::Channel, 18),
    }
}

fn change(dice: &mut Dice, script: Script) -> Script {
    let at = dice.between(8, 22);
    let announced = dice.chance(70);
    let is_twitch = script.shape.entry == Entry::Twitch;
    let what = match dice.between(0, 100) {
        0..15 => {
            let leaves = dice.pick(&[Leaves::List, Leaves::EndList, Leaves::Nothing]);
            let pause =
                i64::from(if leaves == Leaves::List { 2000 } else { dice.between(4000, 12_000) });
            What::Restart { number: dice.pick(&[0, 7, 1 << 40]), pause, leaves }
        }
        15..25 => What::SkipNumbers(dice.between(6, 10)),
        25..40 => What::ClockJump {
            by: i64::from(dice.pick(&[-20_500, -1_500, 1_500, 30_000])),
            announced,
        },
        40..60 => {
            // an initialization section, once there is one, holds to the end of a list (RFC 8216 §4.3.2.5)
            let clips = [Clip::Fmp4, Clip::LargeFmp4, Clip::Hevc, Clip::Ts, Clip::LargeTs];
            let clips = if script.shape.clip.is_fmp4() { &clips[..3] } else { &clips };
            What::Show { clip: dice.pick(clips), announced }
        }
        60..70 => What::Gap(dice.between(1, 4)),
        70..85 if script.shape.clip == Clip::Ts && script.shape.addressed == Addressed::ByIndex => {
            What::Encrypt {
                count: dice.between(2, 6),
                method: dice.pick(&[Method::Aes128, Method::Aes128, Method::SampleAes]),
            }
        }
        _ if is_twitch => What::MidRoll(dice.between(2, 7)),
        _ => What::Gap(1),
    };
    script.change(at, what)
}
