//! Speaking of names that were skipped, once and not in every pass.

use std::collections::HashMap;

use crate::folder::Skipped;
use crate::node::Node;
use crate::shared::Shared;

/// How many places are remembered.
const REMEMBERED: usize = 10_000;

/// How many names of a node's listings were skipped when that was last said.
#[derive(Debug, Default)]
pub(crate) struct Skips(HashMap<String, usize>);

impl Skips {
    /// Counts the names that were skipped in the listing of `place`, and warns if their number is new.
    pub(crate) fn tell(
        &mut self,
        shared: &Shared,
        node: &Node,
        place: impl FnOnce() -> String,
        skipped: &Skipped,
    ) {
        let Skipped { count, example: Some(example) } = skipped else { return };
        shared.metrics.names_skipped(node, *count);
        let place = place();
        if self.is_news(&place, *count) {
            tracing::warn!(
                %node,
                place,
                count,
                example = ?example,
                "names in a listing have no place in the store and are skipped"
            );
        }
    }

    fn is_news(&mut self, place: &str, count: usize) -> bool {
        if self.0.get(place) == Some(&count) {
            return false;
        }
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(place.to_owned(), count);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_new_number_is_news() {
        let mut skips = Skips::default();
        assert!(skips.is_news("a", 1));
        assert!(!skips.is_news("a", 1));
        assert!(skips.is_news("b", 1));
        assert!(skips.is_news("a", 2));
        for place in 0..REMEMBERED {
            assert!(skips.is_news(&place.to_string(), 1));
        }
        assert!(skips.0.len() <= REMEMBERED);
    }
}
