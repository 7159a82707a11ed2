//! When to load a playlist again (RFC 8216 §6.3.4). Pure.

use std::time::Duration;

use common::format::hls::MediaPlaylist;

/// Whatever a list says, it is not loaded more often than this.
const SHORTEST: Duration = Duration::from_millis(500);
/// Whatever a list says, it is not loaded less often than this.
const LONGEST: Duration = Duration::from_mins(1);
/// For a list that gives no target duration.
const DEFAULT_TARGET: f64 = 2.0;

/// A list's target duration, within reason.
pub(crate) fn target_duration(list: &MediaPlaylist) -> Duration {
    let seconds = list.target_duration.unwrap_or(DEFAULT_TARGET);
    Duration::from_secs_f64(seconds.clamp(SHORTEST.as_secs_f64(), LONGEST.as_secs_f64()))
}

/// How long after the loading of `list` began to load it again: its target duration if it brought
/// news, else half of that.
///
/// A list that drops segments must hold three target durations (§6.2.2); from one that holds less we
/// would lose segments by waiting that long, so a third of what it holds is the limit then.
pub(crate) fn delay(list: &MediaPlaylist, changed: bool) -> Duration {
    let target = target_duration(list);
    if !changed {
        return (target / 2).max(SHORTEST);
    }
    let held: f64 = list.segments.iter().filter_map(|segment| segment.duration).sum();
    if list.media_sequence == 0 || held <= 0.0 {
        return target;
    }
    let third = Duration::try_from_secs_f64(held / 3.0).unwrap_or(LONGEST);
    target.min(third).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use common::format::hls::Segment;

    use super::*;

    fn list(target: Option<f64>, first: u64, durations: &[f64]) -> MediaPlaylist {
        let segment = |duration: &f64| Segment { duration: Some(*duration), ..Segment::default() };
        MediaPlaylist {
            target_duration: target,
            media_sequence: first,
            segments: durations.iter().map(segment).collect(),
            ..MediaPlaylist::default()
        }
    }

    #[test]
    fn the_target_duration_after_news_else_half_of_it() {
        let list = list(Some(6.0), 4, &[6.0, 6.0, 6.0]);
        assert_eq!(delay(&list, true), Duration::from_secs(6));
        assert_eq!(delay(&list, false), Duration::from_secs(3));
    }

    #[test]
    fn absurd_target_durations_are_bounded() {
        assert_eq!(delay(&list(Some(0.0), 0, &[]), true), Duration::from_millis(500));
        assert_eq!(delay(&list(Some(1e12), 0, &[]), true), Duration::from_mins(1));
        assert_eq!(delay(&list(None, 0, &[]), true), Duration::from_secs(2));
    }

    #[test]
    fn a_list_that_holds_too_little_is_loaded_before_it_is_gone() {
        assert_eq!(delay(&list(Some(10.0), 4, &[2.0; 6]), true), Duration::from_secs(4));
        assert_eq!(delay(&list(Some(10.0), 0, &[2.0]), true), Duration::from_secs(10), "it begins");
        assert_eq!(delay(&list(Some(10.0), 4, &[f64::MAX; 2]), true), Duration::from_secs(10));
    }
}
