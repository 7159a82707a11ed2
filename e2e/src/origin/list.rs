//! How playlists are written. Pure.

use std::fmt::Write as _;
use std::ops::Range;

use chrono::TimeDelta;
use common::base::time::Timestamp;

use super::footage::{Clip, Footage};
use super::script::{Addressed, Marks, Method, Script};
use super::stream::{Published, View};

/// An address that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// When, in milliseconds since the origin began.
    pub(super) handed_out: i64,
    /// Which segments are advertisements here; it shows nothing before them.
    pub(super) pre_roll: Option<Range<i32>>,
}

impl Address {
    /// Whether a segment is an advertisement here.
    pub(super) fn is_advertisement(&self, segment: &Published) -> bool {
        let pre_roll = self.pre_roll.as_ref();
        segment.mid_roll || pre_roll.is_some_and(|pre_roll| pre_roll.contains(&segment.index))
    }

    /// Whether a segment is shown here at all.
    pub(super) fn shows(&self, segment: &Published) -> bool {
        self.pre_roll.as_ref().is_none_or(|pre_roll| segment.index >= pre_roll.start)
    }
}

/// What it takes to write a channel's lists.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    /// What the channel does.
    pub(super) script: &'a Script,
    /// What the dates count from.
    pub(super) epoch: Timestamp,
    /// How long the segments' resources are.
    pub(super) footage: &'a Footage,
    /// The folder of the segments, relative to the list.
    pub(super) folder: &'a str,
}

impl Writer<'_> {
    /// The list that shows `view` at `address`.
    pub(super) fn media(&self, view: &View<'_>, address: &Address) -> String {
        let shown = shown(view, address);
        let mut text = self.header(&shown);
        let skipped = self.skipped(&shown);
        if skipped > 0 {
            let _ = writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
        }
        let mut previous: Option<&Published> = None;
        for segment in &shown[skipped..] {
            self.segment(&mut text, segment, previous, address);
            previous = Some(segment);
        }
        if view.ended {
            text.push_str("#EXT-X-ENDLIST\n");
        }
        text
    }

    /// The segments that [`Self::media`] names.
    pub(super) fn named<'a>(&self, view: &View<'a>, address: &Address) -> Vec<&'a Published> {
        let mut shown = shown(view, address);
        shown.drain(..self.skipped(&shown));
        shown
    }

    fn skipped(&self, shown: &[&Published]) -> usize {
        if self.script.shape.skips { shown.len() / 2 } else { 0 }
    }

    fn header(&self, shown: &[&Published]) -> String {
        let first = shown.first().map_or(0, |segment| segment.number);
        let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:9\n");
        let _ = writeln!(text, "#EXT-X-TARGETDURATION:{}", self.script.shape.target);
        if self.script.shape.skips {
            text.push_str("#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=6.0\n");
        }
        if self.script.shape.blocking_reload {
            text.push_str("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n");
        }
        let _ = writeln!(text, "#EXT-X-MEDIA-SEQUENCE:{first}");
        text
    }

    fn segment(
        &self,
        text: &mut String,
        segment: &Published,
        previous: Option<&Published>,
        address: &Address,
    ) {
        let is_advertisement = address.is_advertisement(segment);
        let was_advertisement = previous.is_some_and(|previous| address.is_advertisement(previous));
        let changes_over = previous.is_some() && is_advertisement != was_advertisement;
        if segment.discontinuity || changes_over {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if is_advertisement != was_advertisement {
            self.mark(text, segment, is_advertisement, address);
        }
        if segment.dated {
            let date = self.date(segment.start);
            let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date}");
        }
        self.packing(text, segment, previous.filter(|_| !changes_over), is_advertisement);
        let title = match (is_advertisement, self.script.shape.marks.titles) {
            (true, true) => "Amazon|1234567",
            // no publisher calls an advertisement what it calls the programme
            (true, false) => "",
            _ => "live",
        };
        let _ = writeln!(text, "#EXTINF:1.000,{title}");
        let _ = writeln!(text, "{}", self.uri(segment, is_advertisement));
    }

    /// What says that advertisements begin or end here.
    fn mark(&self, text: &mut String, segment: &Published, begins: bool, address: &Address) {
        let Marks { date_ranges, scte35, .. } = self.script.shape.marks;
        if scte35 {
            text.push_str(if begins {
                "#EXT-X-SCTE35-OUT:ID=1\n"
            } else {
                "#EXT-X-SCTE35-IN:ID=1\n"
            });
        }
        if date_ranges && begins {
            // what follows on at once is of the same break, though it is shown at every address
            let shows = |index: i32| {
                let pre_roll = address.pre_roll.as_ref();
                pre_roll.is_some_and(|roll| roll.contains(&index)) || self.is_mid_roll(index)
            };
            let on = (segment.index..i32::MAX).take_while(|index| shows(*index));
            let end = on.last().map_or(segment.index, |last| last + 1);
            let date = self.date(segment.start);
            let _ = writeln!(
                text,
                "#EXT-X-DATERANGE:ID=\"stitched-ad-{end}\",CLASS=\"twitch-stitched-ad\",\
                 START-DATE=\"{date}\",DURATION={}.0",
                end - segment.index
            );
        }
    }

    fn is_mid_roll(&self, index: i32) -> bool {
        use super::script::What;
        let mut rolls = self.script.changes.iter().filter_map(|change| match change.what {
            What::MidRoll(count) => Some(change.at..change.at + count),
            _ => None,
        });
        rolls.any(|roll| roll.contains(&index))
    }

    /// Initialization section, encryption, gap and range.
    fn packing(
        &self,
        text: &mut String,
        segment: &Published,
        previous: Option<&Published>,
        is_advertisement: bool,
    ) {
        let clip = segment.clip;
        if !is_advertisement && clip.is_fmp4() && previous.is_none_or(|p| p.clip != clip) {
            let name = self.section(clip);
            let _ = writeln!(text, "#EXT-X-MAP:URI=\"{}/{name}.mp4\"", self.folder);
        }
        let method = segment.method.filter(|_| !is_advertisement);
        let key = |name: &str| format!("#EXT-X-KEY:METHOD={name},URI=\"key.bin\"");
        match method {
            Some(Method::Aes128) => {
                let _ = writeln!(text, "{},IV=0x{:032x}", key("AES-128"), segment.clip_index);
            }
            Some(Method::Aes128ByNumber) => text.extend([&key("AES-128"), "\n"]),
            Some(Method::SampleAes) => text.extend([&key("SAMPLE-AES"), "\n"]),
            None if previous.is_some_and(|previous| previous.method.is_some()) => {
                text.push_str("#EXT-X-KEY:METHOD=NONE\n");
            }
            None => {}
        }
        if segment.gap {
            text.push_str("#EXT-X-GAP\n");
        }
        if let (Addressed::ByRange { .. }, false) = (self.script.shape.addressed, is_advertisement)
        {
            let (length, offset) = range_of(segment, self.footage);
            let _ = writeln!(text, "#EXT-X-BYTERANGE:{length}@{offset}");
        }
    }

    fn section(&self, clip: Clip) -> String {
        if self.script.shape.shared_section { "init".to_owned() } else { format!("init-{clip:?}") }
    }

    fn uri(&self, segment: &Published, is_advertisement: bool) -> String {
        let (folder, index) = (self.folder, segment.original);
        if is_advertisement {
            return format!("{folder}/ad-{index}.ts");
        }
        match self.script.shape.addressed {
            Addressed::ByIndex => format!("{folder}/{index}.ts"),
            Addressed::ByNumber => format!("{folder}/n{}.ts", segment.number),
            Addressed::ByRange { .. } => format!("{folder}/r{index}.ts"),
        }
    }

    fn date(&self, millis: i64) -> String {
        let date = (self.epoch + TimeDelta::milliseconds(millis)).to_string();
        // as publishers write them
        format!("{}Z", &date[..date.len() - 3])
    }
}

fn shown<'a>(view: &View<'a>, address: &Address) -> Vec<&'a Published> {
    view.segments.iter().copied().filter(|segment| address.shows(segment)).collect()
}

/// The multivariant playlist of a channel whose media playlists are at `address` and `second`.
pub(super) fn multivariant(address: &str, second: &str) -> String {
    format!(
        "#EXTM3U\n\
         #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"chunked\",NAME=\"96p (source)\",AUTOSELECT=YES,DEFAULT=YES\n\
         #EXT-X-STREAM-INF:BANDWIDTH=80000,RESOLUTION=128x96,VIDEO=\"chunked\",FRAME-RATE=25.0\n\
         {address}\n\
         #EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"64p\",NAME=\"64p\",AUTOSELECT=YES,DEFAULT=YES\n\
         #EXT-X-STREAM-INF:BANDWIDTH=60000,RESOLUTION=64x64,VIDEO=\"64p\",FRAME-RATE=25.0\n\
         {second}\n"
    )
}

/// How long a segment is in the resource that holds it, and how many bytes come before it there: its
/// neighbours in the clip are in it, too.
pub(super) fn range_of(segment: &Published, footage: &Footage) -> (usize, usize) {
    let segments = &footage.reel(segment.clip).segments;
    let before = if segment.clip_index == 0 { 0 } else { segments[segment.clip_index - 1].len() };
    (segments[segment.clip_index].len(), before)
}

/// `text` as its readers least expect it, though they may.
pub(super) fn with_crlf(text: &str) -> String {
    format!("\u{feff}{}", text.replace('\n', "\r\n"))
}

#[cfg(test)]
mod tests;
