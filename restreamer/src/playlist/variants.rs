//! Multivariant playlists: the qualities of a channel, each as its newest segments show it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

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

/// How many qualities' looks are kept.
const REMEMBERED: usize = 1000;

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
}

impl Looks {
    /// The qualities of `channel` that can have video in `range`, `source` first and then by bandwidth,
    /// the highest first. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When the disk cannot be read.
    pub(crate) fn variants(
        &self,
        store: &Store,
        channel: &FolderName,
        range: TimeRange,
    ) -> io::Result<Vec<Variant>> {
        let mut variants = Vec::new();
        for quality in store.qualities(channel)? {
            if quality.as_str() == "chat" {
                continue;
            }
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
            if let Some(look) = examine(store, feed, &listing) {
                self.remember(feed, last.hash(), &look);
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
}

/// What the newest segments of an hour show; `None` when none of them can be measured.
fn examine(store: &Store, feed: &Feed, listing: &HourListing) -> Option<Look> {
    let open =
        |segment: Segment<'_>| store.open_segment(feed, listing.hour(), &segment.file_name()).ok();
    let measured = |segment: Segment<'_>| {
        Some((open(segment)?.metadata().ok()?.len(), segment.duration().seconds()))
    };
    let newest = || listing.segments().rev().take(MEASURED_SEGMENTS);
    let bandwidth = Bandwidth::of(newest().filter_map(measured))?;
    let shown = |segment: Segment<'_>| {
        let mut bytes = Vec::new();
        open(segment)?.take(EXAMINED_BYTES).read_to_end(&mut bytes).ok()?;
        Some(stream_info(&bytes)).filter(|info| info.codecs.is_some())
    };
    let info = newest().find_map(shown).unwrap_or_default();
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
}
