//! Encoding a few pictures again, as they were coded before.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::{Stream, stream};

use super::SmartError;
use super::units::{Read, UnitReader};
use super::window::{ParameterSets, Window};
use crate::format::codec::hevc::{self, Ids};
use crate::format::codec::nal::{AnnexB, RandomAccess, Sps, Syntax};
use crate::format::mpegts::{Retimer, Shift, Tables, Unit, since, write_unit};
use crate::io::ffmpeg::Ffmpeg;
use crate::io::produced::produced;

/// When the window's time zero is for ffmpeg, in ticks: a minute, so that nothing is before its beginning.
const ZERO: u64 = 60 * 90_000;
/// The `stream_id` of the first stream of pictures (ISO/IEC 13818-1 table 2-22).
pub(super) const VIDEO_STREAM: u8 = 0xe0;
/// Where ffmpeg puts the first stream of a transport stream.
const PID: u16 = 0x100;

/// A picture that was encoded.
#[derive(Debug)]
pub(super) struct Encoded {
    /// When it is shown, in ticks of the window.
    pub(super) at: i64,
    /// Its NAL units, with start codes.
    pub(super) payload: Bytes,
}

/// What is to be encoded.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// The picture with which decoding begins.
    pub(super) key: usize,
    /// When the pictures are shown.
    pub(super) shown: Range<i64>,
}

/// Encodes the pictures that `task` names, in the order in which they are shown, each but the first from those before it.
pub(super) fn encode(
    ffmpeg: &Ffmpeg,
    window: &Window,
    task: &Task,
) -> Result<impl Stream<Item = Result<Encoded, SmartError>> + use<>, SmartError> {
    let sets = window.sets_of(task.key);
    let arguments = arguments(window, task, &sets)?;
    let feed = feed(window, task, &sets);
    let ids = new_ids(window.streams.video.syntax, &sets)?;
    let answer = ffmpeg.stream(arguments, stream::iter(feed.into_iter().map(io::Result::Ok)));
    Ok(produced(async move |mut sink| {
        let mut units = UnitReader::new(PID);
        let mut answer = std::pin::pin!(answer);
        let encoded = |unit: Read| -> Result<Encoded, SmartError> {
            let at = since(unit.pts, ZERO);
            let payload = match ids {
                Some(ids) => with_ids(&unit.payload, ids).ok_or(SmartError::NoParameters)?,
                None => unit.payload,
            };
            Ok(Encoded { at, payload })
        };
        while let Some(block) = futures_util::TryStreamExt::try_next(&mut answer).await? {
            for unit in units.take(&block) {
                sink.put(encoded(unit)?).await;
            }
        }
        if let Some(unit) = units.finish() {
            sink.put(encoded(unit)?).await;
        }
        Ok(())
    }))
}

/// The ids that the parameter sets of what is encoded get afterwards, where the encoder cannot be told.
fn new_ids(syntax: Syntax, sets: &ParameterSets) -> Result<Option<Ids>, SmartError> {
    if syntax == Syntax::H264 {
        return Ok(None);
    }
    let [video, sequence, picture] = sets.ids();
    let ids = Ids::free([&video, &sequence, &picture]);
    ids.map(Some).ok_or(SmartError::NoParameters)
}

/// The same pictures, whose parameter sets have these ids.
fn with_ids(payload: &[u8], ids: Ids) -> Option<Bytes> {
    let mut changed = Vec::with_capacity(payload.len() + 64);
    for unit in AnnexB::new(payload) {
        changed.extend_from_slice(&[0, 0, 0, 1]);
        changed.extend(ids.put(unit)?);
    }
    Some(changed.into())
}

/// The pictures that have to be decoded, as a transport stream in which the window's time zero is [`ZERO`].
fn feed(window: &Window, task: &Task, sets: &ParameterSets) -> Option<Bytes> {
    let video = window.streams.video;
    let wanted = |index: &usize| task.shown.contains(&window.pictures[*index].shown.at);
    let last = (task.key..window.pictures.len()).rev().find(wanted)?;
    let mut bytes = Vec::new();
    Tables::of_stream(video.kind, video.pid).write(&mut bytes);
    if !sets.own {
        let key = &window.pictures[task.key];
        write_unit(
            &mut bytes,
            &Unit {
                pid: video.pid,
                stream_id: VIDEO_STREAM,
                pts: window.stamp(key.shown.at),
                dts: Some(window.stamp(key.dts)),
                clock: None,
                is_key: true,
                payload: &insert_sets(video.syntax, &window.payload_of(task.key), sets),
            },
        );
    }
    let packets =
        (task.key + usize::from(!sets.own)..=last).flat_map(|picture| window.packets_of(picture));
    packets.for_each(|packet| bytes.extend_from_slice(packet));
    let shift = Shift::from_to(window.stamp(0), ZERO);
    Retimer::default().retime(&mut bytes, &shift.into(), |_| {});
    Some(bytes.into())
}

/// The packets of the first picture of a run that is copied: decoding can begin with it, and nothing leads it. `lead` is
/// how long before it is decoded a clock reference says that it is then.
pub(super) fn first_copied(window: &Window, picture: usize, lead: i64) -> Vec<u8> {
    let video = window.streams.video;
    let (coded, sets) = (&window.pictures[picture], window.sets_of(picture));
    let is_open = coded.shown.access == Some(RandomAccess::Open);
    if sets.own && !is_open {
        return window.packets_of(picture).collect::<Vec<_>>().concat();
    }
    let mut payload = window.payload_of(picture);
    if is_open && video.syntax == Syntax::Hevc {
        without_leading(&mut payload);
    }
    if !sets.own {
        payload = insert_sets(video.syntax, &payload, &sets);
    }
    let mut packets = Vec::new();
    let dts = window.stamp(coded.dts);
    let clock = window.stamp(coded.dts - lead);
    write_unit(
        &mut packets,
        &Unit {
            pid: video.pid,
            stream_id: VIDEO_STREAM,
            pts: window.stamp(coded.shown.at),
            dts: Some(dts),
            clock: (window.streams.clock_pid == video.pid).then_some(clock),
            is_key: true,
            payload: &payload,
        },
    );
    packets
}

/// Makes the picture of these NAL units one that nothing leads.
fn without_leading(payload: &mut [u8]) {
    let mut at = 0;
    while let Some(next) = payload[at..].windows(3).position(|bytes| bytes == [0, 0, 1]) {
        at += next + 3;
        hevc::without_leading(&mut payload[at..]);
    }
}

/// Puts `sets` into an access unit, behind the delimiter that it may begin with.
pub(super) fn insert_sets(syntax: Syntax, payload: &[u8], sets: &ParameterSets) -> Vec<u8> {
    let delimiter = match syntax {
        Syntax::H264 => [9, 0x1f],
        Syntax::Hevc => [35 << 1, 0x7e],
    };
    let zeros = payload.iter().take_while(|byte| **byte == 0).count();
    let is_delimiter =
        payload.get(zeros + 1).is_some_and(|header| header & delimiter[1] == delimiter[0]);
    let end = if is_delimiter {
        let behind = &payload[zeros + 2..];
        let next = behind.windows(3).position(|bytes| bytes == [0, 0, 1]);
        next.map_or(0, |next| zeros + 2 + next)
    } else {
        0
    };
    // the zero byte that may stand before a start code belongs to it
    let end = if end > 0 && payload[end - 1] == 0 { end - 1 } else { end };
    [&payload[..end], &sets.bytes(), &payload[end..]].concat()
}

fn arguments(
    window: &Window,
    task: &Task,
    sets: &ParameterSets,
) -> Result<Vec<String>, SmartError> {
    let syntax = window.streams.video.syntax;
    let sps = sets.sequence().find_map(|set| Sps::parse(syntax, set));
    let sps = sps.ok_or(SmartError::NoParameters)?;
    let begin = i64::try_from(ZERO).unwrap_or(0);
    let select = format!(
        r"select=gte(pts\,{})*lt(pts\,{})",
        task.shown.start.saturating_add(begin),
        task.shown.end.saturating_add(begin)
    );
    let mut arguments =
        words("-max_pixels 40000000 -copyts -f mpegts -i pipe:0 -map 0:v:0 -an -sn -dn -vf");
    arguments.push(select);
    arguments.extend(words("-fps_mode passthrough -enc_time_base 1:90000"));
    arguments.extend(match sps {
        Sps::H264(sps) => h264(&sps, free_id(sets)),
        Sps::Hevc(_) => words(
            "-c:v libx265 -preset veryfast -crf 12 \
             -x265-params log-level=none:bframes=0:keyint=-1:scenecut=0:qpmax=18:info=0:repeat-headers=1",
        ),
    });
    arguments.extend(words("-muxdelay 0 -muxpreload 0 -f mpegts pipe:1"));
    Ok(arguments)
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// An id that none of `sets` has.
fn free_id(sets: &ParameterSets) -> u32 {
    let used = sets.ids().concat();
    (0..=LAST_ID).rev().find(|id| !used.contains(id)).unwrap_or(LAST_ID)
}

/// The last id that an H.264 sequence parameter set can have (§7.4.2.1.1).
const LAST_ID: u32 = 31;

/// As `sps` says: profile, level, and how many pictures are shown in a second. How they look is told by the pictures.
fn h264(sps: &crate::format::codec::h264::Sps, id: u32) -> Vec<String> {
    let [profile, _, level] = sps.profile_level;
    let mut arguments = words("-c:v libx264 -preset superfast -crf 15 -qmax 18 -bf 0 -g 100000");
    let profile = match profile {
        66 => Some("baseline"),
        77 => Some("main"),
        100 => Some("high"),
        110 => Some("high10"),
        122 => Some("high422"),
        244 => Some("high444"),
        _ => None,
    };
    arguments.extend(
        profile.map(|profile| words(&format!("-profile:v {profile}"))).into_iter().flatten(),
    );
    arguments.extend(words(&format!("-level {}.{}", level / 10, level % 10)));
    arguments.extend(words(&format!("-x264-params sps-id={id}:scenecut=0:stitchable=1:ref=1")));
    if let Some(timing) = sps.timing {
        arguments.extend(words(&format!(
            "-bsf:v h264_metadata=tick_rate={}/{}",
            timing.scale, timing.units
        )));
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_without_those_that_lead_it_says_so() {
        // slices of a CRA picture, in two layers, and a message between them
        let mut payload =
            vec![0, 0, 0, 1, 21 << 1, 1, 0xaf, 0, 0, 1, 39 << 1, 1, 5, 0, 0, 1, 21 << 1 | 1, 1];
        without_leading(&mut payload);
        assert_eq!(
            payload,
            [0, 0, 0, 1, 18 << 1, 1, 0xaf, 0, 0, 1, 39 << 1, 1, 5, 0, 0, 1, 18 << 1 | 1, 1]
        );
    }

    #[test]
    fn sets_come_behind_the_delimiter() {
        let mut sets = ParameterSets::default();
        sets.take(Syntax::H264, &[0, 0, 1, 0x67, 66, 0, 30, 0x80, 0, 0, 1, 0x68, 0xc0]);
        let both = [0, 0, 0, 1, 0x67, 66, 0, 30, 0x80, 0, 0, 0, 1, 0x68, 0xc0];
        let slice = [0, 0, 1, 0x65, 7];
        for (front, zero) in
            [(&[][..], &[][..]), (&[0, 0, 0, 1, 9, 0xf0], &[]), (&[0, 0, 1, 9, 0xf0], &[0])]
        {
            let payload = [front, zero, &slice].concat();
            let expected = [front, &both, zero, &slice].concat();
            assert_eq!(insert_sets(Syntax::H264, &payload, &sets), expected, "{front:?}");
        }
    }
}
