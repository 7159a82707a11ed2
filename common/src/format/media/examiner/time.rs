//! How much media there is, and whether that is what the playlist promised.

use std::fmt;
use std::time::Duration;

use crate::format::segment::MediaDuration;

/// How much sooner or later than the pictures the sound of a segment may begin or end, in microseconds:
/// publishers interleave them that loosely, and a frame of sound or two lies across each border.
const INTERLEAVING: u64 = 300_000;

/// Where pictures are further apart, a cut may show in the sound alone.
const FEW: Duration = Duration::from_millis(150);

/// How far apart two streams of a segment can begin, in microseconds, if their clocks are the same.
const MOST_LAG: u64 = 10_000_000;

/// What a promise in whole seconds may be off by, in microseconds: half a second (RFC 8216 §4.3.2.1).
const ROUNDING: u64 = 500_000;

/// Below this version, durations are whole seconds (RFC 8216 §4.3.2.1).
const FIRST_EXACT_VERSION: u64 = 3;

/// How much media a segment holds, by its own clocks.
///
/// Pictures and sound are told apart, each by its longest stream. Metadata and captions are not looked at,
/// since they may come at any time or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaTime {
    /// Of the pictures; `None` where there are none, or just one.
    pub video: Option<Extent>,
    /// Of the sound; `None` where there is none, or just one packet of it.
    pub audio: Option<Extent>,
}

/// How far a kind of media reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// From its first picture or sound to the end of its last. Sound that begins after the pictures counts
    /// from where they begin, since what is cut off lacks its end; so do pictures that begin after the
    /// sound, where that is no matter of interleaving.
    pub length: Duration,
    /// By how much it may be longer, since nothing says how long the last picture is shown: what the
    /// longest one has more than the usual.
    pub doubt: Duration,
    /// How long it usually is from one picture or packet of sound to the next.
    pub step: Duration,
}

/// What was measured of a stream, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) micros: u64,
    pub(super) doubt: u64,
    /// From one picture or packet of sound to the next, usually.
    pub(super) step: u64,
}

impl MediaTime {
    /// Given also by how many microseconds the sound begins later than the pictures, if that is known.
    pub(super) fn new(
        video: Option<Measured>,
        audio: Option<Measured>,
        lag: Option<i64>,
    ) -> Option<Self> {
        if video.is_none() && audio.is_none() {
            return None;
        }
        let lag = lag.unwrap_or(0);
        let extent = |Measured { micros, doubt, step }, later: bool, at_least| {
            let lag = Some(lag.unsigned_abs()).filter(|_| later);
            let lag = lag.filter(|lag| (at_least..=MOST_LAG).contains(lag)).unwrap_or(0);
            Extent {
                length: Duration::from_micros(micros.saturating_add(lag)),
                doubt: Duration::from_micros(doubt),
                step: Duration::from_micros(step),
            }
        };
        Some(Self {
            video: video.map(|video| extent(video, lag < 0, INTERLEAVING + 1)),
            audio: audio.map(|audio| extent(audio, lag > 0, 0)),
        })
    }

    /// That of the kind which ends first: all media is there up to then.
    pub fn least(&self) -> Duration {
        let lengths = self.video.iter().chain(&self.audio).map(|extent| extent.length);
        lengths.min().unwrap_or_default()
    }

    /// That of the kind which ends last.
    pub fn most(&self) -> Duration {
        let lengths = self.video.iter().chain(&self.audio).map(|extent| extent.length);
        lengths.max().unwrap_or_default()
    }
}

/// Of which kind there is too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// Less media than the playlist promised. Prints as a reason for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// What there is too little of, or the less of if there is too little of both.
    pub medium: Medium,
    /// How much there is.
    pub found: Duration,
    /// How much there should be.
    pub promised: Duration,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let medium = match self.medium {
            Medium::Video => "pictures",
            Medium::Audio => "sound",
        };
        let (found, promised) = (self.found.as_secs_f64(), self.promised.as_secs_f64());
        write!(f, "{found:.3} s of {medium} where {promised:.3} s were promised")
    }
}

/// Whether there is less media than `promised` (EXTINF) by a playlist of that version (EXT-X-VERSION;
/// 1 where it has none), beyond what good segments show.
///
/// Tolerated is the sum of
///
/// | what | how much | why |
/// | --- | --- | --- |
/// | interleaving | 0.3 s, or 7 % of the promise if that is more | sound ends up to 0.3 s before the pictures or after them, frames of 21 to 26 ms lie across the borders; publishers that promise in advance are off in proportion |
/// | rounding | 0.5 s, where the version is below 3 and the promise a whole number | RFC 8216 §4.3.2.1: durations are rounded to whole seconds |
/// | last picture | its [`Extent::doubt`]: nothing where pictures come evenly | how long it is shown is not in the segment |
///
/// A segment that is cut off lacks the end of both, and of the pictures first, which are most of its bytes; so
/// they decide where they come often enough. Sound may end long before them, as it does where a stream
/// ends, and counts where pictures are fewer than one in 0.15 s or there are none.
///
/// So a tenth that is missing is noticed from 4 s on and a quarter from 2 s on, if the promise is exact
/// and there are 12 even pictures a second or more, or sound; a stretch below 0.3 s never is.
pub fn shortfall(
    media_time: &MediaTime,
    promised: MediaDuration,
    playlist_version: Option<u64>,
) -> Option<Shortfall> {
    let tolerance = tolerance(promised, playlist_version);
    let promised = duration(promised);
    let decide = media_time.video.is_some_and(|video| video.step <= FEW);
    let audio = media_time.audio.filter(|_| !decide);
    let kinds = [(Medium::Video, media_time.video), (Medium::Audio, audio)];
    let short = kinds.into_iter().filter_map(|(medium, extent)| {
        let Extent { length: found, doubt, .. } = extent?;
        let enough = found.saturating_add(doubt).saturating_add(tolerance);
        (enough < promised).then_some(Shortfall { medium, found, promised })
    });
    short.min_by_key(|shortfall| shortfall.found)
}

/// How much more media there is than `promised`, if that is beyond what [`shortfall`] tolerates the
/// other way. It is worth a word to whoever looks for reasons, and no damage.
pub fn surplus(
    media_time: &MediaTime,
    promised: MediaDuration,
    playlist_version: Option<u64>,
) -> Option<Duration> {
    let most = duration(promised).saturating_add(tolerance(promised, playlist_version));
    let found = media_time.most();
    (found > most).then(|| found.saturating_sub(duration(promised)))
}

fn tolerance(promised: MediaDuration, playlist_version: Option<u64>) -> Duration {
    let micros = promised.micros().unsigned_abs();
    let is_rounded =
        micros.is_multiple_of(1_000_000) && playlist_version.unwrap_or(1) < FIRST_EXACT_VERSION;
    let rounding = if is_rounded { ROUNDING } else { 0 };
    Duration::from_micros(INTERLEAVING.max(micros * 7 / 100) + rounding)
}

fn duration(promised: MediaDuration) -> Duration {
    Duration::from_micros(promised.micros().unsigned_abs())
}

#[cfg(test)]
mod tests;
