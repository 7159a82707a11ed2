//! What scripts promise whoever runs them.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_seed_is_one_script() {
    assert_eq!(Script::from_seed(5), Script::from_seed(5));
    let scripts: Vec<Script> = (0..200).map(Script::from_seed).collect();
    let different = |at: usize| (at + 1..200).all(|other| scripts[at] != scripts[other]);
    assert!((0..200).all(different));
}

#[test]
fn mixes_have_every_kind_of_trouble() {
    let mut kinds = BTreeSet::new();
    for script in (0..2000).map(Script::from_seed) {
        let segments = script.segment_troubles.iter().map(|trouble| format!("{:?}", trouble.fault));
        let lists = script.list_troubles.iter().map(|trouble| format!("{:?}", trouble.fault));
        let changes = script.changes.iter().map(|change| format!("{:?}", change.what));
        let kind = |text: String| text.split([' ', '(']).next().unwrap_or_default().to_owned();
        kinds.extend(segments.chain(lists).chain(changes).map(kind));
    }
    for kind in [
        "Silence",
        "StallInBody",
        "Drip",
        "Reset",
        "PromisesMore",
        "PromisesLess",
        "CleanCut",
        "CleanCutAtPacket",
        "CutChunks",
        "Empty",
        "Html",
        "Status",
        "Redirect",
        "RedirectLoop",
        "NoLength",
        "Chunked",
        "Endless",
        "Huge",
        "Garbage",
        "Frozen",
        "Lagging",
        "Restart",
        "SkipNumbers",
        "ClockJump",
        "Show",
        "Gap",
        "Encrypt",
        "MidRoll",
    ] {
        assert!(kinds.contains(kind), "no {kind} in {kinds:?}");
    }
}

#[test]
fn a_mix_is_well_again_before_the_end() {
    for script in (0..2000).map(Script::from_seed) {
        let last = script.segment_troubles.iter().map(|trouble| trouble.segments.end).max();
        assert!(last.is_none_or(|last| last <= 30), "{script:?}");
        let fixed = script.shape.entry == Entry::Media;
        let ever = script.list_troubles.iter().any(|trouble| trouble.during.end > 100_000);
        assert!(!(fixed && (ever || script.moves.is_some())), "nothing helps: {script:?}");
    }
}

#[test]
fn scenarios_have_names_that_channels_can_have() {
    let names: Vec<&str> = scenarios().iter().map(|scenario| scenario.name).collect();
    let different: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(different.len(), names.len());
    for scenario in scenarios() {
        let name = scenario.name;
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
        // the longest name that a channel on Twitch can have
        assert!(scenario.script.shape.entry != Entry::Twitch || name.len() <= 25, "{name}");
    }
}
