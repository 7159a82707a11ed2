//! What a provider's addresses and clocks are worth, how much may be asked of it, and how it marks
//! advertisements.

use std::time::Duration;

use super::{Mark, Provider};
use crate::planner::Trust;
use crate::rhythm::Reload;

/// How one provider is to be dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// How old an address may become before another is asked for; `None` where it does not age.
    pub(crate) lifetime: Option<Duration>,
    /// How many fetches of one feed may be under way.
    pub(crate) max_fetches: usize,
    /// How many fetches of all feeds of a channel together may be under way, where the provider minds.
    pub(crate) max_channel_fetches: Option<usize>,
    /// What its lists may be believed.
    pub(crate) trust: Trust,
    /// What an advertisement looks like.
    pub(crate) marks: &'static [Mark],
    /// How often a list is loaded again.
    pub(crate) reload: Reload,
    /// Whether a media playlist that is not there says that the channel is offline, for want of anything else
    /// that could say so.
    pub(crate) missing_is_offline: bool,
}

/// Addresses end after 24 hours, at the latest with the token that is part of them. Segments are dated
/// by the service itself to the millisecond and follow on from one another: one that does not has been
/// seen on a single node only, whose dates then stayed wrong for hours while others' were right. The target
/// duration is three times as long as a segment, and the service's own players do not wait for it.
const TWITCH: Rules = Rules {
    lifetime: Some(Duration::from_hours(20)),
    max_fetches: 8,
    max_channel_fetches: None,
    trust: Trust { clock: true, numbers: false },
    marks: &[Mark::Scte35, Mark::Cue, Mark::AmazonTitle, Mark::StitchedRange],
    reload: Reload::BySegment,
    missing_is_offline: false,
};

/// Addresses carry the time at which they expire, six hours after they were asked for. A list has hours
/// of old segments, and whoever fetches many of them at once is refused. Only the first segment of a
/// list is dated, so the others' dates are sums of rounded durations and jump with every list; but a segment
/// of a broadcast has the same number at every address. Nothing is known to be put into the stream of those who only ask for playlists.
const YOUTUBE: Rules = Rules {
    lifetime: Some(Duration::from_hours(5)),
    max_fetches: 4,
    max_channel_fetches: Some(4),
    trust: Trust { clock: false, numbers: true },
    marks: &[],
    reload: Reload::ByTarget,
    missing_is_offline: false,
};

/// Whoever gave an address knows how long it lives. The clock is any encoder's: one dates its segments
/// when they are finished, to within its own delays, another counts on from its start; a jump of 10 ms
/// is ordinary, and asking the same address again would not help. Titles are free text, in which a film
/// about the Amazon is no advertisement, and Twitch's ranges are only Twitch's; marks of SCTE 35 are
/// there for nothing else.
const URL: Rules = Rules {
    lifetime: None,
    max_fetches: 8,
    max_channel_fetches: None,
    trust: Trust { clock: false, numbers: false },
    marks: &[Mark::Scte35, Mark::Cue],
    reload: Reload::ByTarget,
    missing_is_offline: true,
};

/// What a feed may have under way at least: a planner keeps one of two for the newest segments.
const LEAST_FETCHES: usize = 2;

impl Rules {
    /// The rules for each of so many feeds of one channel.
    ///
    /// What the channel may have under way is shared out evenly, so that the newest segments of one feed
    /// never wait for another's backlog. Where there are more feeds than that goes into, each may still have
    /// one segment of its backlog under way beside one of its newest, and these wait for at most
    /// one of each other feed. What a feed leaves unused is nobody's: a backlog may take its time.
    #[must_use]
    pub(crate) fn shared_by(self, feeds: usize) -> Self {
        let share = |all: usize| (all / feeds.max(1)).clamp(LEAST_FETCHES.min(all), all);
        let max_fetches = self.max_channel_fetches.map_or(self.max_fetches, share);
        Self { max_fetches, ..self }
    }
}

impl Provider {
    /// How it is to be dealt with.
    pub(crate) fn rules(&self) -> Rules {
        match self {
            Self::Url(_) => URL,
            Self::Twitch { .. } => TWITCH,
            Self::Youtube { .. } => YOUTUBE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Options, Source};
    use clap::Parser;

    fn rules(channel: &str) -> Rules {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().to_str().unwrap();
        let options = ["downloader", "--base-dir", base, "--name", "node", channel];
        let config = Config::new(Options::try_parse_from(options).unwrap()).unwrap();
        let source: &Source = &config.channels[0].source;
        Provider::new(source, &config.providers).rules()
    }

    #[test]
    fn each_provider_has_its_own() {
        let hours = |count| Some(Duration::from_hours(count));
        let twitch = rules("chan");
        assert_eq!((twitch.lifetime, twitch.max_fetches, twitch.trust.clock), (hours(20), 8, true));
        assert_eq!(twitch.marks.len(), 4);
        assert_eq!(twitch.reload, Reload::BySegment);
        let youtube = rules("chan:youtube:https://www.youtube.com/@chan/live");
        assert_eq!((youtube.lifetime, youtube.max_fetches), (hours(5), 4));
        assert!(youtube.trust.numbers && !youtube.trust.clock && youtube.marks.is_empty());
        let url = rules("chan:url:https://host/live.m3u8");
        assert_eq!((url.lifetime, url.max_fetches, url.trust), (None, 8, Trust::default()));
        assert_eq!(url.marks, [Mark::Scte35, Mark::Cue]);
        assert_eq!([youtube.reload, url.reload], [Reload::ByTarget; 2]);
        assert_eq!((twitch.max_channel_fetches, url.max_channel_fetches), (None, None));
        assert_eq!(youtube.max_channel_fetches, Some(4));
    }

    #[test]
    fn what_a_channel_may_fetch_is_shared_out() {
        let youtube = rules("chan:youtube:https://www.youtube.com/@chan/live");
        let share = |rules: Rules, feeds| rules.shared_by(feeds).max_fetches;
        assert_eq!([0, 1, 2, 3, 9].map(|feeds| share(youtube, feeds)), [4, 4, 2, 2, 2]);
        assert_eq!([1, 9].map(|feeds| share(rules("chan"), feeds)), [8, 8]);
    }
}
