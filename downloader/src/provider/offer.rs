//! The qualities that a channel offers, and which one a name means. Pure.

use common::format::hls::{MultivariantPlaylist, Rendition, RenditionKind, Variant};
use thiserror::Error;
use url::Url;

use super::Seen;

/// The name that stands for the best quality there is.
const SOURCE: &str = "source";
/// How the names of codecs begin that are of sound (RFC 6381 §3.3, and the names that MP4 registers).
const SOUND_CODECS: [&str; 7] = ["mp4a", "ac-3", "ec-3", "ac-4", "opus", "flac", "alac"];

/// The qualities of a channel at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Offer {
    qualities: Vec<Quality>,
    /// What somebody should do something about, although the channel was found.
    warnings: Vec<String>,
    /// The media playlist that it was found by, if it was.
    seen: Option<Seen>,
}

/// One quality.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Quality {
    /// Every name that it goes by, the first one for people.
    names: Vec<String>,
    /// Where its media playlist is.
    pub(crate) url: Url,
    /// Whether its sound is elsewhere, in a rendition that is not recorded with it.
    pub(crate) lacks_sound: bool,
    rank: Rank,
}

/// One quality as a resolver describes it, with an address of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Format {
    /// What the resolver calls it.
    pub(super) id: String,
    pub(super) url: Url,
    pub(super) has_picture: bool,
    pub(super) has_sound: bool,
    /// In pixels, 0 where there is none.
    pub(super) width: u32,
    pub(super) height: u32,
    /// Pictures per second, 0 where that is not known.
    pub(super) frame_rate: f64,
    /// Bits per second, 0 where that is not known.
    pub(super) bandwidth: u64,
}

/// What makes a quality better than another, most important first.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
struct Rank {
    /// Whether the provider itself calls it the source.
    is_source: bool,
    /// Whether its own playlist has both picture and sound, as far as the provider tells: a better
    /// picture does not make up for sound that is not recorded.
    is_whole: bool,
    pixels: u64,
    height: u32,
    frame_rate: f64,
    bandwidth: u64,
}

/// A quality that was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the channel has no quality {wanted:?}; it has {offered}; change --qualities, or wait")]
pub(crate) struct NoSuchQuality {
    wanted: String,
    offered: String,
}

impl Offer {
    /// The one quality of the media playlist that was `seen` at `url`.
    pub(super) fn single(url: Url, seen: Seen) -> Self {
        let rank = Rank { is_source: true, is_whole: true, ..Rank::default() };
        let names = vec![SOURCE.to_owned()];
        let quality = Quality { names, url, lacks_sound: false, rank };
        Self { seen: Some(seen), ..Self::of(vec![quality]) }
    }

    /// The variants of a multivariant playlist that came from `base`; those whose address cannot be
    /// one are left out.
    pub(crate) fn new(list: &MultivariantPlaylist, base: &Url) -> Self {
        let quality = |variant: &Variant| {
            let url = base.join(&variant.uri).ok()?;
            let usable = matches!(url.scheme(), "http" | "https");
            usable.then(|| Quality::new(list, variant, url))
        };
        Self::of(list.variants.iter().filter_map(quality).collect())
    }

    /// The formats that a resolver found.
    pub(super) fn of_formats(formats: impl IntoIterator<Item = Format>) -> Self {
        Self::of(formats.into_iter().map(Quality::of_format).collect())
    }

    fn of(qualities: Vec<Quality>) -> Self {
        Self { qualities, warnings: Vec::new(), seen: None }
    }

    /// The same, with one sentence more for whoever should do something about it.
    pub(super) fn warn_of(mut self, warning: String) -> Self {
        self.warnings.push(warning);
        self
    }

    /// Takes the media playlist that all of it was found by, if it was.
    pub(crate) fn take_seen(&mut self) -> Option<Seen> {
        self.seen.take()
    }

    /// What somebody should do something about, although the channel was found: one sentence each.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether there is nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.qualities.is_empty()
    }

    /// The quality that `wanted` means: `source` for the best one, else a name, else a height with
    /// an optional frame rate (`720p`, `720p60`), of several the best.
    pub(crate) fn choose(&self, wanted: &str) -> Result<&Quality, NoSuchQuality> {
        let named = |quality: &&Quality| quality.is_named(wanted);
        let best_of = |matches: &dyn Fn(&&Quality) -> bool| {
            self.qualities.iter().filter(matches).max_by(|a, b| a.rank.total_cmp(&b.rank))
        };
        let chosen = if wanted == SOURCE {
            best_of(&|_| true)
        } else {
            best_of(&named).or_else(|| {
                let (height, frame_rate) = height_and_rate(wanted)?;
                best_of(&|quality| quality.has(height, frame_rate))
            })
        };
        chosen.ok_or_else(|| NoSuchQuality { wanted: wanted.to_owned(), offered: self.names() })
    }

    /// For people.
    fn names(&self) -> String {
        let mut best_first: Vec<&Quality> = self.qualities.iter().collect();
        best_first.sort_by(|a, b| b.rank.total_cmp(&a.rank));
        let names: Vec<&str> = best_first
            .iter()
            .filter_map(|q| q.names.first())
            .map(String::as_str)
            .take(20)
            .collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

impl Quality {
    fn new(list: &MultivariantPlaylist, variant: &Variant, url: Url) -> Self {
        let rendition = list.video_rendition(variant).map(|rendition| rendition.name.clone());
        let is_source = rendition.as_ref().is_some_and(|name| name.contains("(source)"));
        let height = variant.resolution.map_or(0, |resolution| resolution.height);
        let by_height = (height > 0).then(|| format!("{height}p"));
        let names = [rendition, variant.name.clone(), variant.video.clone(), by_height];
        let pixels = variant
            .resolution
            .map_or(0, |resolution| u64::from(resolution.width) * u64::from(resolution.height));
        let lacks_sound = lacks_sound(list, variant);
        let rank = Rank {
            is_source,
            is_whole: has_picture(variant) && !lacks_sound,
            pixels,
            height,
            frame_rate: variant.frame_rate.unwrap_or(0.0),
            bandwidth: variant.bandwidth.unwrap_or(0),
        };
        Self { names: names.into_iter().flatten().collect(), url, lacks_sound, rank }
    }

    fn of_format(format: Format) -> Self {
        let Format { id, url, has_picture, has_sound, width, height, .. } = format;
        let for_people = (height > 0).then(|| match format.frame_rate.round() {
            rate if rate > 30.0 => format!("{height}p{rate}"),
            _ => format!("{height}p"),
        });
        let pixels = u64::from(width) * u64::from(height);
        let rank = Rank {
            is_source: false,
            is_whole: has_picture && has_sound,
            pixels: if has_picture { pixels.max(u64::from(height)) } else { 0 },
            height,
            frame_rate: format.frame_rate,
            bandwidth: format.bandwidth,
        };
        let names = for_people.into_iter().chain([id]).collect();
        Self { names, url, lacks_sound: !has_sound, rank }
    }

    fn is_named(&self, wanted: &str) -> bool {
        let same = |name: &String| {
            let plain = name.strip_suffix("(source)").unwrap_or(name).trim();
            name.eq_ignore_ascii_case(wanted) || plain.eq_ignore_ascii_case(wanted)
        };
        self.names.iter().any(same)
    }

    fn has(&self, height: u32, frame_rate: Option<u32>) -> bool {
        let same_rate = |wanted: u32| (self.rank.frame_rate - f64::from(wanted)).abs() < 1.0;
        self.rank.height == height && frame_rate.is_none_or(same_rate)
    }
}

impl Rank {
    fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        let whole = |rank: &Self| (rank.is_source, rank.is_whole, rank.pixels, rank.height);
        whole(self)
            .cmp(&whole(other))
            .then(self.frame_rate.total_cmp(&other.frame_rate))
            .then(self.bandwidth.cmp(&other.bandwidth))
    }
}

/// Whether all sound that is played with `variant` is elsewhere: a rendition without an address, or with
/// that of the variant, is in the variant itself (RFC 8216bis §4.4.6.2.1).
fn lacks_sound(list: &MultivariantPlaylist, variant: &Variant) -> bool {
    let Some(group) = &variant.audio else { return false };
    let is_sound = |r: &&Rendition| r.kind == RenditionKind::Audio && r.group_id == *group;
    let mut sounds = list.renditions.iter().filter(is_sound).peekable();
    let is_apart = |r: &Rendition| r.uri.as_ref().is_some_and(|uri| *uri != variant.uri);
    sounds.peek().is_some() && sounds.all(is_apart)
}

/// Whether `variant` may have a picture: its codecs, where they are told, are not of sound alone.
fn has_picture(variant: &Variant) -> bool {
    let Some(codecs) = variant.codecs.as_deref().filter(|_| variant.resolution.is_none()) else {
        return true;
    };
    let is_sound = |codec: &str| {
        let kind = codec.trim().split('.').next().unwrap_or_default().to_ascii_lowercase();
        SOUND_CODECS.contains(&kind.as_str())
    };
    codecs.trim().is_empty() || !codecs.split(',').all(is_sound)
}

/// `720p` or `720p60`.
fn height_and_rate(wanted: &str) -> Option<(u32, Option<u32>)> {
    let (height, rate) = wanted.split_once(['p', 'P'])?;
    let rate = if rate.is_empty() { None } else { Some(rate.parse().ok()?) };
    Some((height.parse().ok()?, rate))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn offer(lines: &str) -> Offer {
        let list = MultivariantPlaylist::parse(format!("#EXTM3U\n{lines}").as_bytes()).unwrap();
        Offer::new(&list, &"https://host/live/index.m3u8".parse().unwrap())
    }

    fn chosen(offer: &Offer, wanted: &str) -> Option<String> {
        offer.choose(wanted).ok().map(|quality| quality.url.path().to_owned())
    }

    fn twitch() -> Offer {
        let text = include_str!("../../../common/testdata/playlists/twitch-multivariant.m3u8");
        offer(text)
    }

    #[test]
    fn twitch_names_its_qualities() {
        let twitch = twitch();
        let path = |name: &str| Some(format!("/v1/playlist/{name}-token.m3u8"));
        assert_eq!(chosen(&twitch, "source"), path("source"));
        assert_eq!(chosen(&twitch, "1080p60"), path("source"));
        assert_eq!(chosen(&twitch, "720p60"), path("720p60"));
        assert_eq!(chosen(&twitch, "720p"), path("720p60"));
        assert_eq!(chosen(&twitch, "480p"), path("480p"));
        assert_eq!(chosen(&twitch, "audio_only"), path("audio"));
        assert_eq!(chosen(&twitch, "720p30"), None);
    }

    #[test]
    fn what_the_provider_calls_the_source_is_the_source() {
        let offer = offer(
            "#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"a\",NAME=\"720p (source)\"\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1280x720,VIDEO=\"a\"\na\n\
            #EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1920x1080\nb\n",
        );
        assert_eq!(chosen(&offer, "source"), Some("/live/a".to_owned()));
    }

    #[test]
    fn else_the_best_picture_is() {
        let offer = offer(
            "#EXT-X-STREAM-INF:BANDWIDTH=900\nonly-sound\n\
            #EXT-X-STREAM-INF:BANDWIDTH=500,RESOLUTION=640x360,FRAME-RATE=30\nlow\n\
            #EXT-X-STREAM-INF:BANDWIDTH=700,RESOLUTION=1280x720,FRAME-RATE=30\nslow\n\
            #EXT-X-STREAM-INF:BANDWIDTH=600,RESOLUTION=1280x720,FRAME-RATE=59.94\nfast\n\
            #EXT-X-STREAM-INF:BANDWIDTH=500,RESOLUTION=1280x720,FRAME-RATE=59.94\nfast-cheap\n",
        );
        assert_eq!(chosen(&offer, "source"), Some("/live/fast".to_owned()));
        assert_eq!(chosen(&offer, "720p"), Some("/live/fast".to_owned()));
        assert_eq!(chosen(&offer, "720p30"), Some("/live/slow".to_owned()));
        assert_eq!(chosen(&offer, "360p"), Some("/live/low".to_owned()));
    }

    #[test]
    fn a_quality_that_is_not_there_is_told_with_those_that_are() {
        let error = twitch().choose("144p").unwrap_err().to_string();
        let expected = "the channel has no quality \"144p\"; it has 1080p60 (source), 720p60, \
            480p, Audio Only; change --qualities, or wait";
        assert_eq!(error, expected);
        let nothing = offer("#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"a\"\n");
        assert!(nothing.choose("source").unwrap_err().to_string().contains("it has none"));
    }

    #[test]
    fn a_media_playlist_is_its_own_source() {
        let url: Url = "https://host/live.m3u8".parse().unwrap();
        let seen = Seen { list: Box::default(), base: url.clone(), asked_at: Instant::now() };
        let offer = Offer::single(url.clone(), seen);
        assert_eq!(offer.choose("source").unwrap().url, url);
        assert!(offer.choose("720p").is_err());
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_left_out() {
        let offer = offer("#EXT-X-STREAM-INF:BANDWIDTH=1\nfile:///etc/passwd\n");
        assert!(offer.choose("source").is_err());
    }

    #[test]
    fn sound_in_a_rendition_of_its_own_is_noticed() {
        let offer = offer(
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"apart\",NAME=\"en\",URI=\"en.m3u8\"\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"within\",NAME=\"en\"\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"both\",NAME=\"en\"\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"both\",NAME=\"de\",URI=\"de.m3u8\"\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"itself\",NAME=\"en\",URI=\"d\"\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"a\",AUDIO=\"apart\"\na\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"b\",AUDIO=\"within\"\nb\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"c\",AUDIO=\"both\"\nc\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"d\",AUDIO=\"itself\"\nd\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,NAME=\"e\",AUDIO=\"nowhere\"\ne\n",
        );
        for (name, lacks) in [("a", true), ("b", false), ("c", false), ("d", false), ("e", false)] {
            assert_eq!(offer.choose(name).unwrap().lacks_sound, lacks, "{name}");
        }
    }

    #[test]
    fn the_source_has_sound_if_any_variant_has() {
        let apart = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"apart\",NAME=\"en\",URI=\"en.m3u8\"\n\
            #EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1920x1080,AUDIO=\"apart\"\nbest\n\
            #EXT-X-STREAM-INF:BANDWIDTH=8,RESOLUTION=1280x720,AUDIO=\"apart\"\nlow\n";
        let source = |lines: &str| chosen(&offer(&format!("{apart}{lines}")), "source");
        let whole = "#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640x360\nwhole\n";
        assert_eq!(source(whole), Some("/live/whole".to_owned()));
        assert_eq!(
            source(""),
            Some("/live/best".to_owned()),
            "a picture alone is better than none"
        );
        let sound = "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"mp4a.40.2, ec-3\"\nsound\n";
        assert_eq!(source(sound), Some("/live/best".to_owned()), "and than sound alone");
        let untold = "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.4d401f,mp4a.40.2\"\nuntold\n";
        assert_eq!(source(untold), Some("/live/untold".to_owned()));
    }
}
