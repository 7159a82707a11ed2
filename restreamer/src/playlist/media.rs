//! Media playlists: the best segments of a span.

use std::io;

use chrono::TimeDelta;
use common::base::digest::Digest;
use common::base::time::{Hour, Timestamp};
use common::format::hls::target_duration;
use common::format::media::Container;
use common::io::store::{Feed, Store};
use common::plan::listing::{Format, KnownHead, Segment};
use common::plan::select::{Part, Selection, best_segments};

use super::live::LivePlaylists;
use super::marks::Marks;
use super::span::{Asked, Span};
use super::text::turn;
use crate::error::ApiError;

/// How many hours one playlist may span: more than two weeks.
const MAX_HOURS: usize = 400;

/// How many target durations, and at least how many seconds, before its end a growing playlist may
/// skip what its reader knows (RFC 8216bis §4.4.3.8 demands six target durations). A reader that was
/// away for half of that time asks for the whole list again.
const SKIP_BOUNDARY: (u64, u64) = (6, 60);

/// What a media playlist lists.
#[derive(Clone, Debug)]
pub(crate) struct MediaPlaylist {
    pub(super) feed: Feed,
    /// In order; what is known of their segments' heads was read.
    pub(super) parts: Vec<Part>,
    pub(super) contents: Contents,
    pub(super) marks: Marks,
    /// The starts of those segments that were announced and are stored no longer; sorted.
    pub(super) gaps: Vec<Timestamp>,
    pub(super) media_sequence: u64,
    pub(super) discontinuity_sequence: u64,
    /// Seconds.
    pub(super) target_duration: u64,
    pub(super) end: End,
    /// Whether whoever reloads it may ask for what is new alone.
    pub(super) grows: bool,
}

/// What may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// More segments.
    Open,
    /// Nothing at the end, but something might fill a hole.
    Over,
    /// Nothing at all.
    Complete,
}

impl MediaPlaylist {
    /// The playlist of what is stored of `feed` in the span `asked` for. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When the span cannot be told or is too long, or the disk cannot be read.
    pub(crate) fn read(
        store: &Store,
        feed: &Feed,
        asked: Asked,
        now: Timestamp,
        live: &LivePlaylists,
    ) -> Result<Self, ApiError> {
        // a reader who is told that nothing is stored comes again, too
        live.asked_again(feed, asked, now);
        let mut hours = store.hours(feed).map_err(ApiError::internal("list hours"))?;
        let listing = |hour| store.hour(feed, hour).map_err(ApiError::internal("list segments"));
        let first_of = |hour| Ok(listing(hour)?.segments().next().map(Segment::start));
        let span = Span::new(asked, &hours, now, first_of)?;
        hours.retain(|hour| span.range.is_some_and(|range| range.may_lie_in(*hour)));
        if hours.len() > MAX_HOURS {
            let problem = format!("more than {MAX_HOURS} recorded hours lie between it and start");
            return Err(ApiError::parameter("end", problem));
        }
        let read = match (live.follow(feed, asked, span, now), span.range) {
            (Some(followed), _) => followed.advance(store, feed, hours, now),
            (None, Some(range)) => {
                let listings: Result<Vec<_>, _> = hours.iter().copied().map(listing).collect();
                Self::finished(store, feed, best_segments(&listings?, range), &hours)
            }
            (None, None) => Ok(Self::nothing_yet(feed)),
        };
        read.map_err(ApiError::internal("read segments"))
    }

    /// A playlist that begins after all that is known.
    fn nothing_yet(feed: &Feed) -> Self {
        Self {
            feed: feed.clone(),
            parts: Vec::new(),
            contents: Contents::default(),
            marks: Marks::AsFound(Vec::new()),
            gaps: Vec::new(),
            media_sequence: 0,
            discontinuity_sequence: 0,
            target_duration: 1,
            end: End::Open,
            grows: true,
        }
    }

    /// The playlist of a span that is over.
    fn finished(
        store: &Store,
        feed: &Feed,
        selection: Selection,
        hours: &[Hour],
    ) -> io::Result<Self> {
        let end = match (selection.reaches_end(), selection.is_whole()) {
            (false, _) => End::Open,
            (true, false) => End::Over,
            (true, true) => End::Complete,
        };
        let parts = selection.into_parts();
        read_heads(store, feed, &parts)?;
        Ok(Self {
            target_duration: longest(&parts),
            marks: Marks::AsFound(store.discontinuities(feed, hours)),
            contents: Contents::of(&parts),
            parts,
            end,
            grows: false,
            ..Self::nothing_yet(feed)
        })
    }

    /// How many segments it lists.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Seconds before its end beyond which a reader may ask to skip what it knows.
    pub(super) fn can_skip_until(&self) -> Option<u64> {
        let (targets, seconds) = SKIP_BOUNDARY;
        self.grows.then(|| (targets * self.target_duration).max(seconds))
    }

    /// How many segments at the front a reader may skip that asks for what is new: not those that end
    /// within the boundary, and none from the first gap on, which may have been none when it was read.
    pub(crate) fn skippable(&self) -> usize {
        let end = self.parts.last().map(|part| part.last().end());
        let Some((boundary, end)) = self.can_skip_until().zip(end) else { return 0 };
        let boundary = TimeDelta::seconds(i64::try_from(boundary).unwrap_or(i64::MAX / 1000));
        let limit = end - boundary;
        let is_before_gaps = |start: Timestamp| self.gaps.first().is_none_or(|gap| start < *gap);
        let is_known =
            |segment: &Segment<'_>| segment.end() < limit && is_before_gaps(segment.start());
        let mut count = 0;
        for part in &self.parts {
            // most of a long playlist is hours that need no look at their segments
            if part.end() < limit && is_before_gaps(part.last().start()) {
                count += part.len();
            } else {
                return count + part.segments().take_while(is_known).count();
            }
        }
        count
    }

    /// Whether the segment that starts there is announced and stored no longer.
    pub(super) fn is_gap(&self, start: Timestamp) -> bool {
        self.gaps.binary_search(&start).is_ok()
    }

    /// A number that differs where the text does.
    pub(crate) fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        digest.mix_text(self.feed.channel.as_str());
        digest.mix_text(self.feed.quality.as_str());
        for part in &self.parts {
            digest.mix(part.digest());
        }
        for instants in [self.marks.instants(), &self.gaps] {
            digest.mix(instants.len() as u64);
            for instant in instants {
                digest.mix(instant.micros().unsigned_abs());
            }
        }
        let kind = u64::from(self.grows) | (self.end as u64) << 1;
        for number in [self.media_sequence, self.discontinuity_sequence, self.target_duration, kind]
        {
            digest.mix(number);
        }
        digest
            .mix(u64::from(self.contents.has_maps) | u64::from(self.contents.is_independent) << 1);
        digest.finish()
    }
}

/// What the segments of a playlist are, as far as its header says it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contents {
    /// Whether any is fragmented MP4.
    pub(super) has_maps: bool,
    /// Whether it is certain that every one can be played without those before it; not where there is
    /// none.
    pub(super) is_independent: bool,
}

impl Contents {
    /// What the segments of `parts` are, whose heads were read. It looks at each of them.
    pub(super) fn of(parts: &[Part]) -> Self {
        let mut contents = Self { has_maps: false, is_independent: !parts.is_empty() };
        for part in parts {
            let heads = part.listing().heads().view();
            let is_mp4 = |format: &Format| matches!(format.container, Container::Fmp4 { .. });
            contents.has_maps |= heads.formats().iter().any(is_mp4);
            contents.is_independent &= part
                .picks()
                .iter()
                .all(|pick| heads.get(*pick).is_some_and(|head| head.independent));
        }
        contents
    }
}

/// Reads what must be known of the segments of `parts`. Blocks on the disk.
///
/// # Errors
///
/// When this process lacks what it takes to open a file.
pub(super) fn read_heads(store: &Store, feed: &Feed, parts: &[Part]) -> io::Result<()> {
    parts.iter().try_for_each(|part| store.read_heads(feed, part.listing(), part.picks()))?;
    let Some((listing, first)) = parts.first().map(|part| (part.listing(), part.first())) else {
        return Ok(());
    };
    let view = listing.heads().view();
    let is_mp4 = |head: KnownHead| matches!(head.format.container, Container::Fmp4 { .. });
    if view.get(first.index()).is_some_and(is_mp4) {
        // what its initialization section is named by
        let before = listing.line_before(first).take_while(|before| turn(*before) == turn(first));
        store.read_heads(feed, listing, &before.map(Segment::index).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The least target duration for the segments of `parts`, in seconds.
pub(super) fn longest(parts: &[Part]) -> u64 {
    target_duration(parts.iter().map(|part| part.longest().seconds()))
}
