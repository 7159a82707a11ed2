//! Whether segments were asked for soon after they were published.
//!
//! Where nothing goes wrong, a list is loaded when the next segment is due: each segment on a channel whose
//! lists may be loaded that often, and else as many at a time as a target duration has. What that means for one
//! segment is up to chance, but half of them must not wait for longer than half of the time between loads.

use super::rates::between_loads;
use super::{Case, GRACE};

/// What is wrong with how soon segments were asked for; where something goes wrong with the channel, that
/// is why.
pub(super) fn violations(case: &Case<'_>) -> Option<String> {
    let script = case.script;
    let troubles = script.segment_troubles.len() + script.list_troubles.len();
    let is_well = troubles + script.changes.len() + script.section_troubles.len() == 0
        && script.moves.is_none()
        && script.shape.pre_roll == 0;
    let first = case.record.lists.first().filter(|_| is_well)?.asked;
    let due = case.stream.segments.iter().filter(|s| s.at > first && s.at < case.stopped - GRACE);
    let asked = |index| Some(case.record.segments.get(&index)?.answers.first()?.asked);
    // what was never asked for is told elsewhere
    let mut after: Vec<i64> = due.filter_map(|s| Some(asked(s.index)? - s.at)).collect();
    after.sort_unstable();
    // half of them, since a busy machine delays any of them
    let median = *after.get(after.len() / 2)?;
    let most = between_loads(&script.shape) / 2;
    (median > most).then(|| {
        format!("half of the segments were asked for later than {median} ms, where {most} are due")
    })
}
