//! Scripts written by hand: one for each thing that publishers are known to do.
//!
//! They fit a run of 50 seconds: what goes wrong does so early enough to be over before the end.

use super::{Addressed, Dated, Entry, Leaves, Marks, Method, Script, Shape, What};
use crate::origin::faults::{ListFault as L, Scope, SegmentFault as S, Until};
use crate::origin::footage::Clip;

/// A script with a name that can be a channel's.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What it is about.
    pub name: &'static str,
    /// What happens.
    pub script: Script,
}

/// All of them.
pub fn scenarios() -> Vec<Scenario> {
    let groups = [
        broken_segments(),
        refused_segments(),
        lists(),
        looks(),
        streams(),
        dates(),
        formats(),
        sections(),
        advertisements(),
        ends(),
    ];
    let all = groups.into_iter().flatten();
    all.map(|(name, script)| Scenario { name, script }).collect()
}

type Named = (&'static str, Script);

fn plain() -> Script {
    Script::healthy(Shape::default())
}

fn shaped(change: impl FnOnce(&mut Shape)) -> Script {
    let mut shape = Shape::default();
    change(&mut shape);
    Script::healthy(shape)
}

fn of_clip(clip: Clip) -> Script {
    shaped(|shape| shape.clip = clip)
}

/// A list that holds too little to sit anything out.
fn short() -> Script {
    shaped(|shape| shape.window = 6)
}

fn on_twitch(pre_roll: i32) -> Script {
    shaped(|shape| (shape.entry, shape.pre_roll, shape.window) = (Entry::Twitch, pre_roll, 12))
}

fn broken_segments() -> Vec<Named> {
    let once = Until::Attempts(1);
    vec![
        ("silent_at_first", plain().segments(8..10, S::Silence, once)),
        ("stalls_in_body", plain().segments(8..10, S::StallInBody, once)),
        ("stalls_for_good", plain().segments(8..9, S::Silence, Until::Ever)),
        ("slow_but_whole", plain().segments(8..12, S::Drip(3), Until::Ever)),
        ("far_too_slow_at_first", plain().segments(8..10, S::Drip(100), once)),
        ("reset_in_body", plain().segments(8..11, S::Reset, Until::Attempts(2))),
        ("reset_for_good", plain().segments(8..10, S::Reset, Until::Ever)),
        ("promises_more", plain().segments(8..11, S::PromisesMore, once)),
        ("promises_less", plain().segments(8..11, S::PromisesLess, once)),
        ("cut_cleanly", plain().segments(8..11, S::CleanCut, once)),
        ("cut_at_a_packet", plain().segments(8..11, S::CleanCutAtPacket, once)),
        ("cut_at_a_packet_for_good", plain().segments(8..10, S::CleanCutAtPacket, Until::Ever)),
        ("cut_at_a_box", of_clip(Clip::Fmp4).segments(8..11, S::CleanCutAtPacket, once)),
        ("cut_chunks", plain().segments(8..11, S::CutChunks, once)),
        ("empty_at_first", plain().segments(8..11, S::Empty, once)),
        ("empty_for_good", plain().segments(8..10, S::Empty, Until::Ever)),
        ("a_page_at_first", plain().segments(8..11, S::Html, once)),
        ("a_page_for_good", plain().segments(8..10, S::Html, Until::Ever)),
        ("without_length", plain().segments(5..15, S::NoLength, Until::Ever)),
        ("in_chunks", plain().segments(5..15, S::Chunked, Until::Ever)),
    ]
}

fn refused_segments() -> Vec<Named> {
    let passing = Until::Millis(4000);
    vec![
        ("forbidden_for_a_while", plain().segments(8..11, S::Status(403), passing)),
        ("missing_for_a_while", plain().segments(8..11, S::Status(404), passing)),
        ("forbidden_for_good", plain().segments(8..10, S::Status(403), Until::Ever)),
        ("missing_for_good", plain().segments(8..10, S::Status(404), Until::Ever)),
        ("too_many_requests", plain().segments(8..11, S::Status(429), Until::Attempts(3))),
        ("server_error", plain().segments(8..11, S::Status(500), Until::Attempts(3))),
        (
            "unavailable_past_the_list",
            plain().segments(8..10, S::Status(503), Until::Millis(14_000)),
        ),
        ("redirected", plain().segments(5..15, S::Redirect, Until::Ever)),
        ("redirected_in_a_circle", plain().segments(8..10, S::RedirectLoop, passing)),
    ]
}

fn lists() -> Vec<Named> {
    let (old, all, channel) = (Scope::OldAddresses, Scope::MediaPlaylists, Scope::Channel);
    vec![
        ("token_expires", plain().lists(10..1000, L::Status(403), old)),
        ("token_expires_in_a_short_list", short().lists(10..1000, L::Status(403), old)),
        ("address_changes", plain().moving(10)),
        ("list_gone_at_old_address", plain().lists(10..1000, L::Status(404), old)),
        // gone from it before a recorder looks for another that waits for longer than it should
        (
            "list_stale_at_old_address",
            shaped(|shape| shape.window = 8).lists(10..30, L::Frozen, old),
        ),
        ("list_slow_at_old_address", plain().lists(10..30, L::Silence, old)),
        ("list_without_end", plain().lists(10..30, L::Endless, old)),
        ("edge_lags", plain().lists(8..25, L::Lagging(3), all)),
        ("list_redirected", plain().lists(8..20, L::Redirect, all)),
        ("list_redirected_in_a_circle", plain().lists(10..13, L::RedirectLoop, all)),
        ("list_fails_briefly", short().lists(10..12, L::Status(503), old)),
        ("list_fails_for_a_while", plain().lists(10..14, L::Status(500), all)),
        ("list_fails_for_long", short().lists(10..25, L::Status(503), all)),
        ("list_is_a_page", plain().lists(10..14, L::Html, all)),
        ("list_is_garbage", plain().lists(10..14, L::Garbage, all)),
        ("list_of_50_mb", plain().lists(10..14, L::Huge, all)),
        ("list_forbidden_for_long", short().lists(10..25, L::Status(403), channel)),
        ("offline_for_a_while", short().lists(10..25, L::Status(404), channel)),
        ("list_compressed", shaped(|shape| shape.gzip = true)),
        ("list_of_dos", shaped(|shape| shape.crlf = true)),
        ("list_skips", shaped(|shape| (shape.skips, shape.window) = (true, 20))),
        ("thousand_old_segments", shaped(|shape| (shape.window, shape.backlog) = (1000, 1000))),
        ("blocking_reload", shaped(|shape| shape.blocking_reload = true)),
        ("only_a_media_playlist", shaped(|shape| shape.entry = Entry::Media)),
        ("not_important", shaped(|shape| shape.important = false)),
    ]
}

/// What is asked for before a media playlist, needed at the beginning or when a token expires.
fn looks() -> Vec<Named> {
    let (multivariant, token) = (Scope::Multivariant, Scope::Token);
    let expiring = |script: Script| script.lists(10..1000, L::Status(403), Scope::OldAddresses);
    let twitch = || {
        let mut script = on_twitch(0);
        script.shape.window = 6;
        script
    };
    vec![
        ("looks_of_50_mb_at_first", plain().lists(0..8, L::Huge, multivariant)),
        ("looks_of_50_mb", expiring(plain()).lists(9..18, L::Huge, multivariant)),
        ("looks_without_end", expiring(plain()).lists(9..18, L::Endless, multivariant)),
        ("looks_are_a_page", expiring(short()).lists(9..18, L::Html, multivariant)),
        // nobody has to look, and nothing is lost
        ("looks_fail_unneeded", plain().lists(5..1000, L::Endless, multivariant)),
        ("lists_gone_on_twitch", twitch().lists(10..18, L::Status(404), Scope::MediaPlaylists)),
        ("tokens_fail_at_first", twitch().lists(0..8, L::Status(503), token)),
        ("tokens_are_a_page", expiring(twitch()).lists(9..18, L::Html, token)),
        ("tokens_change_their_form", expiring(twitch()).lists(9..18, L::Json, token)),
        ("tokens_fail", expiring(twitch()).lists(9..18, L::Status(500), token)),
        ("tokens_stall", expiring(twitch()).lists(9..18, L::Silence, token)),
        ("tokens_of_50_mb", expiring(twitch()).lists(9..18, L::Huge, token)),
        ("tokens_are_gone", expiring(twitch()).lists(9..18, L::Status(404), token)),
    ]
}

fn streams() -> Vec<Named> {
    let restart = |number, pause, leaves| What::Restart { number, pause, leaves };
    let jump = |by, announced| What::ClockJump { by, announced };
    let by_number = || shaped(|shape| shape.addressed = Addressed::ByNumber);
    vec![
        ("numbers_reset", plain().change(12, restart(0, 2000, Leaves::List))),
        ("addresses_used_again", {
            let mut script = by_number().change(12, restart(0, 2000, Leaves::List));
            script.shape.first_number = 0;
            script
        }),
        // one is asked for rarely by the time that something else is at its address
        ("addresses_used_again_late", {
            let mut script = by_number().change(20, restart(14, 2000, Leaves::List));
            (script.shape.first_number, script.shape.window) = (0, 30);
            script.segments(8..9, S::Status(404), Until::Ever)
        }),
        ("numbers_skipped", plain().change(12, What::SkipNumbers(8))),
        ("ends_and_begins_again", plain().change(10, restart(0, 9000, Leaves::EndList))),
        ("ends_goes_and_comes_back", plain().change(10, restart(0, 12_000, Leaves::Nothing))),
        ("clock_jumps_ahead", plain().change(12, jump(30_000, false))),
        ("clock_jumps_back", plain().change(12, jump(-20_500, false))),
        ("clock_jumps_a_little", plain().change(12, jump(250, false))),
        ("clock_jump_announced", plain().change(12, jump(30_000, true))),
        ("clock_jumps_on_twitch", on_twitch(0).change(12, jump(1500, false))),
        // the address that is looked for because of the jump expires, too
        ("clock_jumps_and_no_more", {
            let script = on_twitch(0).change(13, jump(-20_500, false));
            script.lists(14..1000, L::Status(403), Scope::OldAddresses)
        }),
        ("gaps", plain().change(12, What::Gap(3))),
        ("picture_stands_still", plain().change(12, What::Still(8))),
        ("segments_listed_again", plain().change(12, What::Again(1)).change(18, What::Again(2))),
        ("target_thrice_the_segment", shaped(|shape| (shape.target, shape.window) = (3, 15))),
        ("target_thrice_on_twitch", {
            let mut script = on_twitch(0);
            (script.shape.target, script.shape.window) = (3, 15);
            script
        }),
    ]
}

fn dates() -> Vec<Named> {
    let dated = |dated| shaped(|shape| shape.dated = dated);
    let lost = |from, until| dated(Dated::Lost { from, until });
    let on_twitch = |dated| {
        let mut script = on_twitch(0);
        script.shape.dated = dated;
        script
    };
    vec![
        ("never_dated", dated(Dated::Never)),
        ("never_dated_with_troubles", {
            let script = dated(Dated::Never).segments(8..10, S::Reset, Until::Attempts(2));
            script.segments(14..15, S::CleanCut, Until::Attempts(1))
        }),
        ("sometimes_dated", dated(Dated::Every(4))),
        ("dates_lost_for_a_while", lost(10, 14)),
        // for longer than a list lasts
        ("dates_lost_for_long", lost(10, 28)),
        ("dates_lost_on_twitch", on_twitch(Dated::Lost { from: 10, until: 30 })),
        ("dates_lost_for_good", lost(10, 1000)),
    ]
}

/// Initialization sections that do not come, come damaged, or change.
fn sections() -> Vec<Named> {
    let mp4 = || of_clip(Clip::Fmp4);
    let growing = |announced| mp4().change(12, What::Show { clip: Clip::LargeFmp4, announced });
    vec![
        ("section_missing_at_first", mp4().sections(0..5, S::Status(404))),
        ("section_missing", growing(true).sections(11..16, S::Status(404))),
        ("section_forbidden", growing(true).sections(11..16, S::Status(403))),
        ("section_unavailable", growing(true).sections(11..16, S::Status(503))),
        ("section_cut", growing(true).sections(11..16, S::CleanCut)),
        ("section_promises_more", growing(true).sections(11..16, S::PromisesMore)),
        ("section_is_a_page", growing(true).sections(11..16, S::Html)),
        ("section_empty", growing(true).sections(11..16, S::Empty)),
        // too late to be asked for again after the 30 s that a section may take
        ("section_stalls", {
            let large = What::Show { clip: Clip::LargeFmp4, announced: true };
            mp4().change(24, large).sections(23..26, S::Silence)
        }),
        // the second request for it, too, and only what is asked for after those 30 s is answered
        ("section_stalls_again", {
            let large = What::Show { clip: Clip::LargeFmp4, announced: true };
            mp4().change(6, large).sections(5..14, S::Silence)
        }),
        ("section_moves_untold", growing(false)),
        // nothing but its numbers tells that the encoder began anew
        ("section_changes_untold", {
            let anew = What::Restart { number: 0, pause: 2000, leaves: Leaves::List };
            let large = What::Show { clip: Clip::LargeFmp4, announced: false };
            let mut script = mp4().change(12, anew).change(12, large);
            script.shape.shared_section = true;
            script
        }),
        ("section_changes_in_place", {
            let mut script = growing(true);
            script.shape.shared_section = true;
            script
        }),
    ]
}

/// What lasts until the recorder is stopped.
fn ends() -> Vec<Named> {
    let channel = Scope::Channel;
    let gone = |leaves| What::Restart { number: 0, pause: 1_000_000, leaves };
    vec![
        ("off_at_the_end", plain().change(18, gone(Leaves::Nothing))),
        ("ended_at_the_end", plain().change(18, gone(Leaves::EndList))),
        ("off_at_the_end_on_twitch", on_twitch(0).change(18, gone(Leaves::Nothing))),
        ("missing_at_the_end", plain().lists(18..1000, L::Status(404), channel)),
        ("refused_at_the_end", plain().lists(18..1000, L::Status(403), channel)),
        ("a_page_at_the_end", plain().lists(18..1000, L::Html, channel)),
        ("failing_at_the_end", plain().lists(18..1000, L::Status(503), channel)),
        ("tokens_changed_at_the_end", {
            let script = on_twitch(0).lists(18..1000, L::Json, Scope::Token);
            script.lists(18..1000, L::Status(404), Scope::MediaPlaylists)
        }),
        ("twitch_gone_at_the_end", on_twitch(0).lists(18..1000, L::Status(404), channel)),
    ]
}

fn formats() -> Vec<Named> {
    let show = |clip, announced| What::Show { clip, announced };
    let encrypt = |count, method| What::Encrypt { count, method };
    let ranges = |honoured| shaped(|shape| shape.addressed = Addressed::ByRange { honoured });
    vec![
        ("fragmented_mp4", of_clip(Clip::Fmp4)),
        ("hevc", of_clip(Clip::Hevc)),
        ("picture_grows", plain().change(12, show(Clip::LargeTs, true))),
        ("picture_grows_in_mp4", of_clip(Clip::Fmp4).change(12, show(Clip::LargeFmp4, true))),
        ("codec_changes", of_clip(Clip::Fmp4).change(12, show(Clip::Hevc, true))),
        ("container_changes", plain().change(12, show(Clip::Fmp4, true))),
        ("container_changes_untold", plain().change(12, show(Clip::Fmp4, false))),
        ("encrypted", plain().change(8, encrypt(10, Method::Aes128))),
        ("encrypted_by_number", {
            let mut script = plain().change(8, encrypt(10, Method::Aes128ByNumber));
            script.shape.first_number = 0;
            script
        }),
        ("encrypted_beyond_us", plain().change(8, encrypt(4, Method::SampleAes))),
        ("key_refused", {
            let mut script = plain().change(8, encrypt(4, Method::Aes128));
            script.shape.key_status = Some(403);
            script
        }),
        ("byte_ranges", ranges(true)),
        ("byte_ranges_ignored", ranges(false)),
    ]
}

fn advertisements() -> Vec<Named> {
    let marked = |titles, date_ranges, scte35| {
        let mut script = on_twitch(0).change(12, What::MidRoll(6));
        script.shape.marks = Marks { titles, date_ranges, scte35 };
        script
    };
    vec![
        ("ads_by_title", marked(true, false, false)),
        ("ads_by_date_range", marked(false, true, false)),
        ("ads_by_scte35", marked(false, false, true)),
        ("ads_before_all", on_twitch(5)),
        ("ads_on_reconnect", on_twitch(5).lists(15..1000, L::Status(403), Scope::OldAddresses)),
        ("ads_beside_an_old_list", on_twitch(4).lists(15..22, L::Frozen, Scope::OldAddresses)),
    ]
}
