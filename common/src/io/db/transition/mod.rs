//! Every state transition of an event, one function each.
//!
//! A transition is one UPDATE that names the expected state, the holder and every input that was
//! relied on. When any of them is not so any more, no row changes and the outcome is
//! [`Transition::Lost`]: someone was faster. After an error whose
//! [outcome is unknown](super::DbError::outcome_is_unknown), asking again may say `Lost` because the
//! first request did get through; whoever asks again must look at the row then.

mod by_cutters;
mod by_people;
mod of_publications;

pub use by_cutters::{claim, fail, finalize, give_back, give_back_all};
pub use by_people::{Metadata, Submission, cancel, modify, submit};
pub use of_publications::{Published, done, modification_done, not_published, transcoding};

/// What became of a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "someone may have been faster"]
pub enum Transition {
    /// The row is in the new state.
    Done,
    /// The row was not as expected, and was not touched.
    Lost,
}

impl Transition {
    fn of_rows(changed: u64) -> Self {
        if changed == 0 { Self::Lost } else { Self::Done }
    }
}
