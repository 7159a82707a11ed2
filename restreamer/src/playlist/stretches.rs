//! Where a media playlist has to be taken apart for players that cannot follow it.
//!
//! HLS lets the container and the initialization section change at a discontinuity (RFC 8216 §4.3.2.3).
//! Players in use keep to those that a playlist begins with; docs/decisions/0010 says which of them, and
//! what becomes of the rest.

use common::base::time::Timestamp;
use common::format::media::{Container, Tables};
use common::format::segment::Completeness;
use common::plan::listing::{Format, KnownHead, Segment};

use super::media::MediaPlaylist;
use super::span::Asked;

/// What a player has to go on with: all MPEG-TS is alike, and in fragmented MP4 it is what the
/// initialization section says.
type Kind = Format;

/// What to ask for instead of `asked`, whose playlist is given, one after the other: each has one
/// container and, in fragmented MP4, one initialization section. All but the last have an end that is
/// reached, so that a player goes on to the next; the last is as open as `asked`.
pub(crate) fn stretches(playlist: &MediaPlaylist, asked: Asked) -> Vec<Asked> {
    let mut stretches = vec![asked];
    let mut last: Option<Last> = None;
    for part in &playlist.parts {
        let heads = part.listing().heads().view();
        for segment in part.segments() {
            let head = heads.get(segment.index()).unwrap_or(KnownHead::UNKNOWN);
            let kind = kind_of(head.format);
            last = Some(match last {
                Some(last) if last.kind.zip(kind).is_some_and(|(last, now)| last != now) => {
                    split(&mut stretches, last, segment.start());
                    Last::of(segment, kind)
                }
                Some(last) => last.followed_by(segment, kind),
                None => Last::of(segment, kind),
            });
        }
    }
    if let [first, _, ..] = &mut stretches[..] {
        let begin = playlist.parts.first().map(|part| part.first().start());
        *first = Asked { start: first.start.or(begin), last_seconds: None, ..*first };
    }
    stretches
}

/// How far a stretch has come.
#[derive(Clone, Copy)]
struct Last {
    kind: Option<Kind>,
    /// The end of its last segment, and of its last full one.
    end: Timestamp,
    full_end: Option<Timestamp>,
}

impl Last {
    fn of(segment: Segment<'_>, kind: Option<Kind>) -> Self {
        let end = segment.end();
        let is_full = segment.completeness() == Completeness::Full;
        Self { kind, end, full_end: is_full.then_some(end) }
    }

    fn followed_by(self, segment: Segment<'_>, kind: Option<Kind>) -> Self {
        let next = Self::of(segment, kind.or(self.kind));
        Self { full_end: next.full_end.or(self.full_end), ..next }
    }
}

/// Ends the last of `stretches`, which came as far as `last`, before a segment that starts at `start`.
///
/// No segment may be selected for both sides, even if they overlap a little. A playlist ends only with a
/// full segment, so that what is damaged in front of the change is left out.
fn split(stretches: &mut Vec<Asked>, last: Last, start: Timestamp) {
    let stretch = stretches.last_mut().expect("there is always one");
    let whole_end = stretch.end.replace(last.full_end.unwrap_or(last.end).min(start));
    stretches.push(Asked { start: Some(last.end.max(start)), end: whole_end, last_seconds: None });
}

/// `None` for what goes on with whatever is before it.
fn kind_of(format: Format) -> Option<Kind> {
    match format.container {
        Container::MpegTs { .. } => {
            let container = Container::MpegTs { tables: Tables::default() };
            Some(Format { container, fingerprint: None })
        }
        Container::Fmp4 { init_bytes: 0 } | Container::Unknown => None,
        Container::Fmp4 { .. } => Some(format),
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::tests::{MP4, OTHER_MP4, TS, parts, playlist};
    use super::*;
    use common::format::media::Head;

    /// Seconds after ten o'clock.
    fn seconds(time: Option<Timestamp>) -> Option<i64> {
        time.map(|time| (time - time.hour().start()).num_seconds())
    }

    fn of(heads: &[Head], asked: Asked) -> Vec<(Option<i64>, Option<i64>)> {
        let stretches = stretches(&playlist(parts(0, heads)), asked);
        stretches.iter().map(|one| (seconds(one.start), seconds(one.end))).collect()
    }

    #[test]
    fn each_has_one_container_and_one_initialization_section() {
        let other = Head { format: OTHER_MP4.format, ..MP4 };
        let heads = [TS, TS, MP4, MP4, other, TS];
        let all = Asked::default();
        assert_eq!(
            of(&heads, all),
            [(Some(0), Some(4)), (Some(4), Some(8)), (Some(8), Some(10)), (Some(10), None)]
        );
    }

    #[test]
    fn what_every_player_follows_stays_in_one() {
        let other_ts = Head { format: Some(9), ..TS };
        let bare = Head { container: Container::Fmp4 { init_bytes: 0 }, format: None, ..MP4 };
        let unknown = Head { container: Container::Unknown, format: None, ..TS };
        let asked = Asked { last_seconds: Some(600), ..Asked::default() };
        for heads in [&[TS, other_ts, unknown, TS][..], &[unknown, MP4, bare, unknown, MP4], &[]] {
            assert_eq!(stretches(&playlist(parts(0, heads)), asked), [asked], "{heads:?}");
        }
        assert_eq!(of(&[TS, unknown, MP4], asked), [(Some(0), Some(4)), (Some(4), None)]);
    }

    #[test]
    fn neighbours_that_overlap_a_little_are_told_apart() {
        let at = |millis| Timestamp::MIN + chrono::TimeDelta::milliseconds(millis);
        for (end, start, expected) in [(2003, 2000, (2000, 2003)), (2000, 2600, (2000, 2600))] {
            let mut stretches = vec![Asked { end: Some(at(9000)), ..Asked::default() }];
            let last = Last { kind: None, end: at(end), full_end: Some(at(end)) };
            split(&mut stretches, last, at(start));
            assert_eq!(stretches[0].end, Some(at(expected.0)));
            assert_eq!(stretches[1].start, Some(at(expected.1)));
            assert_eq!(stretches[1].end, Some(at(9000)));
        }
    }
}
