//! Multivariant playlists: the qualities of a channel, each as its newest segments show it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use common::base::hash::ContentHash;
use common::base::time::TimeRange;
use common::format::folder::FolderName;
use common::format::hls::{
    MultivariantWriter, RenditionEntry, RenditionKind, VariantEntry, WriteError,
};
use common::format::media::{StreamInfo, stream_info};
use common::io::store::{Feed, Store};
use common::plan::listing::{HourListing, Segment};

use crate::uri::escaped;

/// Of how many segments the bandwidth is measured.
const MEASURED_SEGMENTS: usize = 10;

/// How many hours are looked through for segments to measure: empty ones are rare and quick.
const MEASURED_HOURS: usize = 400;

/// Shorter segments tell nothing about the bandwidth.
const MIN_SECONDS: f64 = 0.1;

/// How much of a segment is read for what it shows: some seconds of any stream.
const EXAMINED_BYTES: u64 = 4 << 20;

/// How many of the newest segments are read for it, at most.
const EXAMINED_SEGMENTS: usize = 3;

/// How many qualities of a channel are told of: a dozen is many.
const MAX_QUALITIES: usize = 100;

/// How many qualities' looks are kept.
const REMEMBERED: usize = 1000;

/// Of how many segments it is kept what they show.
const REMEMBERED_SEGMENTS: usize = 10_000;

/// The text of a playlist, and a number that differs where the text does.
#[derive(Clone, Debug)]
pub(crate) struct Multivariant {
    pub(crate) digest: u64,
    pub(crate) text: Bytes,
}

/// A quality that can be played.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    quality: FolderName,
    look: Look,
}

/// What a player is told of a quality.
#[derive(Clone, Debug, PartialEq)]
struct Look {
    bandwidth: Bandwidth,
    info: StreamInfo,
}

/// Bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bandwidth {
    peak: u64,
    average: u64,
}

/// What qualities looked like in their newest segment; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks {
    known: Arc<Mutex<HashMap<Feed, (ContentHash, Look)>>>,
    /// What segments show, also where that is nothing.
    shown: Arc<Mutex<HashMap<ContentHash, StreamInfo>>>,
}

impl Looks {
    /// The qualities of `channel` that can have video in `range`, `source` first and then by bandwidth,
    /// the highest first. Of more than [`MAX_QUALITIES`], `source` and the first others by name are looked
    /// at. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When the disk cannot be read, or nobody waits for it any more.
    pub(crate) fn variants(
        &self,
        store: &Store,
        channel: &FolderName,
        range: TimeRange,
    ) -> io::Result<Vec<Variant>> {
        let mut variants = Vec::new();
        for quality in playable(store, channel)? {
            let feed = Feed { channel: channel.clone(), quality };
            if let Some(look) = self.newest(store, &feed, range)? {
                variants.push(Variant { quality: feed.quality, look });
            }
        }
        variants.sort_by_key(|variant| {
            (variant.quality.as_str() != "source", Reverse(variant.look.bandwidth.peak))
        });
        Ok(variants)
    }

    /// What the newest segments near `range` show, `None` when there are none.
    fn newest(&self, store: &Store, feed: &Feed, range: TimeRange) -> io::Result<Option<Look>> {
        let hours = store.hours(feed)?;
        let newest = hours.into_iter().rev().filter(|hour| range.may_lie_in(*hour));
        for hour in newest.take(MEASURED_HOURS) {
            let listing = store.hour(feed, hour)?;
            let Some(last) = listing.segments().next_back() else { continue };
            if let Some(look) = self.known(feed, last.hash()) {
                return Ok(Some(look));
            }
            if let Some(look) = examine(store, feed, &listing, self) {
                // what was not looked at, for whatever reason, may be seen the next time
                store.check_awaited()?;
                if self.is_settled(&look, &listing) {
                    self.remember(feed, last.hash(), &look);
                }
                return Ok(Some(look));
            }
        }
        Ok(None)
    }

    fn known(&self, feed: &Feed, newest: ContentHash) -> Option<Look> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(feed).filter(|(hash, _)| *hash == newest).map(|(_, look)| look.clone())
    }

    fn remember(&self, feed: &Feed, newest: ContentHash, look: &Look) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(feed.clone(), (newest, look.clone()));
    }

    /// What `segment` shows, if its codecs are known. `read` reads it, unless that was done before; `None`
    /// where it could not.
    fn shown(
        &self,
        store: &Store,
        segment: Segment<'_>,
        read: impl FnOnce(Segment<'_>) -> Option<StreamInfo>,
    ) -> Option<StreamInfo> {
        store.check_awaited().ok()?;
        let known = self.segments().get(&segment.hash()).cloned();
        let info = if let Some(info) = known {
            info
        } else {
            let info = read(segment)?;
            let mut segments = self.segments();
            if segments.len() >= REMEMBERED_SEGMENTS {
                segments.clear();
            }
            segments.insert(segment.hash(), info.clone());
            info
        };
        Some(info).filter(|info| info.codecs.is_some())
    }

    /// Whether looking again would show no more than `look`: not where a segment could not be read.
    fn is_settled(&self, look: &Look, listing: &HourListing) -> bool {
        let segments = self.segments();
        let mut newest = listing.segments().rev().take(EXAMINED_SEGMENTS);
        look.info.codecs.is_some() || newest.all(|segment| segments.contains_key(&segment.hash()))
    }

    fn segments(&self) -> MutexGuard<'_, HashMap<ContentHash, StreamInfo>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The qualities of `channel` that may be told of.
fn playable(store: &Store, channel: &FolderName) -> io::Result<Vec<FolderName>> {
    let mut qualities = store.qualities(channel)?;
    qualities.retain(|quality| quality.as_str() != "chat");
    if qualities.len() > MAX_QUALITIES {
        let count = qualities.len();
        tracing::warn!(%channel, count, "of more than {MAX_QUALITIES} qualities only those are told of");
        qualities.sort_by_key(|quality| quality.as_str() != "source");
        qualities.truncate(MAX_QUALITIES);
    }
    Ok(qualities)
}

/// What the newest segments of an hour show; `None` when none of them can be measured.
fn examine(store: &Store, feed: &Feed, listing: &HourListing, looks: &Looks) -> Option<Look> {
    let open =
        |segment: Segment<'_>| store.open_in_hour(feed, listing.hour(), &segment.file_name()).ok();
    let measured = |segment: Segment<'_>| {
        Some((open(segment)?.metadata().ok()?.len(), segment.duration().seconds()))
    };
    let newest = || listing.segments().rev().take(MEASURED_SEGMENTS);
    let bandwidth = Bandwidth::of(newest().filter_map(measured))?;
    let shown = |segment: Segment<'_>| {
        let mut bytes = Vec::new();
        open(segment)?.take(EXAMINED_BYTES).read_to_end(&mut bytes).ok()?;
        Some(stream_info(&bytes))
    };
    let mut examined = newest().take(EXAMINED_SEGMENTS);
    let info = examined.find_map(|segment| looks.shown(store, segment, shown)).unwrap_or_default();
    Some(Look { bandwidth, info })
}

impl Bandwidth {
    /// The bandwidth of segments given as bytes and seconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a bandwidth need not be exact, and saturates"
    )]
    fn of(segments: impl Iterator<Item = (u64, f64)>) -> Option<Self> {
        let (mut peak, mut bits_in_all, mut seconds_in_all) = (0.0_f64, 0.0, 0.0);
        for (bytes, seconds) in segments {
            if bytes == 0 || seconds < MIN_SECONDS {
                continue;
            }
            let bits = bytes as f64 * 8.0;
            peak = peak.max(bits / seconds);
            bits_in_all += bits;
            seconds_in_all += seconds;
        }
        let average = bits_in_all / seconds_in_all;
        (peak > 0.0).then(|| Self { peak: peak.ceil() as u64, average: average.ceil() as u64 })
    }
}

/// The playlist of `variants` of `channel`, whose media playlists are asked for with `query`.
///
/// # Errors
///
/// When a name cannot stand in a playlist.
pub(crate) fn write(
    channel: &FolderName,
    variants: &[Variant],
    query: &str,
) -> Result<String, WriteError> {
    let mut writer = MultivariantWriter::new();
    for Variant { quality, look: Look { bandwidth, info } } in variants {
        let quality = quality.as_str();
        // a rendition without an address of its own is what gives a variant its name
        let named = writer.rendition(&RenditionEntry {
            kind: RenditionKind::Video,
            group_id: quality,
            name: quality,
            uri: None,
            default: true,
        });
        let uri =
            format!("/playlist/{}/{}.m3u8{query}", escaped(channel.as_str()), escaped(quality));
        writer.variant(&VariantEntry {
            uri: &uri,
            bandwidth: bandwidth.peak,
            average_bandwidth: Some(bandwidth.average),
            resolution: info.resolution,
            frame_rate: info.frame_rate,
            codecs: info.codecs.as_deref(),
            // a name with a quote cannot be told, but its video can be played
            video: named.is_ok().then_some(quality),
        })?;
    }
    Ok(writer.finish())
}

#[cfg(test)]
mod tests {
    use common::io::store::Access;

    use super::*;

    #[test]
    fn the_bandwidth_is_that_of_real_segments() {
        let bandwidth = Bandwidth::of([(1000, 2.0), (3000, 2.0), (0, 2.0), (500, 0.0)].into_iter());
        assert_eq!(bandwidth, Some(Bandwidth { peak: 12_000, average: 8_000 }));
        assert_eq!(Bandwidth::of([(0, 2.0), (500, 0.0)].into_iter()), None);
        assert_eq!(Bandwidth::of([].into_iter()), None);
    }

    #[test]
    fn a_name_that_cannot_be_told_is_still_played() {
        let bandwidth = Bandwidth { peak: 2, average: 1 };
        let look = Look { bandwidth, info: StreamInfo::default() };
        let variant =
            |quality: &str| Variant { quality: quality.parse().unwrap(), look: look.clone() };
        let variants = [variant("source"), variant("a\"b")];
        let text = write(&"chan nel".parse().unwrap(), &variants, "?end=x").unwrap();
        assert_eq!(
            text,
            "#EXTM3U\n\
             #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"source\",NAME=\"source\",DEFAULT=YES,AUTOSELECT=YES\n\
             #EXT-X-STREAM-INF:BANDWIDTH=2,AVERAGE-BANDWIDTH=1,VIDEO=\"source\"\n\
             /playlist/chan%20nel/source.m3u8?end=x\n\
             #EXT-X-STREAM-INF:BANDWIDTH=2,AVERAGE-BANDWIDTH=1\n\
             /playlist/chan%20nel/a%22b.m3u8?end=x\n"
        );
    }

    #[test]
    fn what_could_not_be_read_is_tried_again_and_what_shows_nothing_is_not() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Read).unwrap();
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let hour = "2026-11-20T10".parse().unwrap();
        let name = "00:00.000000-2.0-full-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU.ts";
        std::fs::create_dir_all(store.hour_path(&feed, hour)).unwrap();
        std::fs::write(store.hour_path(&feed, hour).join(name), b"video").unwrap();
        let listing = store.hour(&feed, hour).unwrap();
        let segment = listing.segments().next().unwrap();
        let looks = Looks::default();
        let bandwidth = Bandwidth { peak: 2, average: 1 };
        let look = Look { bandwidth, info: StreamInfo::default() };
        assert_eq!(looks.shown(&store, segment, |_| None), None);
        assert!(!looks.is_settled(&look, &listing));
        assert_eq!(looks.shown(&store, segment, |_| Some(StreamInfo::default())), None);
        assert!(looks.is_settled(&look, &listing));
        assert_eq!(looks.shown(&store, segment, |_| panic!("it was read")), None);
    }
}
