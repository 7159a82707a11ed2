//! What was asked for lately, for as long as there is room.

use std::collections::VecDeque;

/// Values by key; those that were not asked for longest make room for others.
#[derive(Clone, Debug)]
pub(crate) struct Recent<K, V> {
    /// The one asked for last at the end.
    entries: VecDeque<(K, V)>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self { entries: VecDeque::new() }
    }
}

impl<K: PartialEq, V> Recent<K, V> {
    /// The value of `key`, which is now the one asked for last.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        let entry = self.take(key)?;
        self.entries.push_back(entry);
        self.entries.back().map(|(_, value)| value)
    }

    /// Keeps `value` as that of `key`.
    pub(crate) fn put(&mut self, key: K, value: V) {
        self.take(&key);
        self.entries.push_back((key, value));
    }

    /// Forgets values until the others weigh at most `most`.
    pub(crate) fn make_room(&mut self, most: usize, weight: impl Fn(&V) -> usize) {
        let mut all: usize = self.entries.iter().map(|(_, value)| weight(value)).sum();
        while all > most
            && let Some((_, coldest)) = self.entries.pop_front()
        {
            all -= weight(&coldest);
        }
    }

    fn take(&mut self, key: &K) -> Option<(K, V)> {
        let at = self.entries.iter().position(|(known, _)| known == key)?;
        self.entries.remove(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coldest_make_room() {
        let mut recent = Recent::default();
        for (key, weight) in [("a", 1), ("b", 2), ("c", 3)] {
            recent.put(key, weight);
        }
        assert_eq!(recent.get(&"a"), Some(&1));
        recent.make_room(4, |weight| *weight);
        assert_eq!(["b", "c", "a"].map(|key| recent.get(&key).copied()), [None, Some(3), Some(1)]);
        recent.put("c", 4);
        assert_eq!(recent.get(&"c"), Some(&4), "one value for a key");
        recent.make_room(4, |weight| *weight);
        assert_eq!(["a", "c"].map(|key| recent.get(&key).copied()), [None, Some(4)]);
        recent.make_room(0, |weight| *weight);
        assert_eq!(recent.get(&"c"), None);
    }
}
