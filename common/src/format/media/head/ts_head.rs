//! The head of an MPEG-TS segment.

use super::{Container, Found, Head, Missing, Tables};
use crate::base::hash::Hasher;
use crate::format::codec::nal::{AnnexB, Kind, Syntax};
use crate::format::codec::opening::Opening;
use crate::format::codec::{Codec, aac, mpeg_audio};
use crate::format::media::first_64_bits;
use crate::format::mpegts::{PACKET_BYTES, Packet, Packets, PesPackets, PesPart, Program};

/// Of the first picture, what is looked at before all of it is.
const FEW_PICTURE_BYTES: usize = 2048;

/// Reads `file`, the first bytes of one whose packets begin at `start`.
pub(super) fn read(file: &[u8], start: usize) -> Found {
    let bytes = &file[start..];
    let mut packets = Packets::new(bytes);
    let Some(program) = Program::find(&mut packets) else {
        let so_far = Head::only(Container::MpegTs { tables: Tables::default() });
        return Found { so_far, missing: Some(Missing::Some) };
    };
    let tables = Tables::between(start + association(bytes), start + packets.position());
    let so_far = Head::only(Container::MpegTs { tables });
    let streams = Contents::of(&program);
    let Some((pid, codec)) = streams.leading else { return Found { so_far, missing: None } };
    // a player that goes through the packets once cannot use what is in front of the tables
    let late = Packets::new(&bytes[..packets.position()]).any(|packet| packet.pid() == pid);
    for limit in [FEW_PICTURE_BYTES, usize::MAX] {
        let mut units = PesPackets::new(Packets::new(bytes), pid, limit);
        let Some(part) = units.advance() else { break };
        let Some(first) = First::of(codec, &part, streams.hasher.clone()) else { continue };
        let begins = part.header.is_some() && part.intact && !late && streams.understood;
        let so_far = Head {
            independent: begins && first.clean,
            format: first.format,
            decode_time: part.header.and_then(|header| header.decode_time()),
            ..so_far
        };
        return Found { so_far, missing: None };
    }
    Found { so_far, missing: Some(Missing::Some) }
}

/// Where the first packet of the program association table begins.
fn association(bytes: &[u8]) -> usize {
    /// Always (ISO/IEC 13818-1 §2.4.4.4).
    const PID: u16 = 0;
    let mut packets = Packets::new(bytes);
    let is_one =
        |packet: Packet<'_>| packet.pid() == PID && packet.starts_unit() && !packet.unusable();
    let found = packets.any(is_one);
    debug_assert!(found, "a program was found by it");
    packets.position() - PACKET_BYTES
}

impl Tables {
    /// Those of a file's first bytes; `start` and `end` are in the first mebibyte.
    fn between(start: usize, end: usize) -> Self {
        let number = |place| u32::try_from(place).unwrap_or(0);
        Self { start: number(start), bytes: number(end.saturating_sub(start)) }
    }
}

/// What a program holds.
struct Contents {
    /// PID and codec of the stream that a player begins with.
    leading: Option<(u16, Codec)>,
    /// Whether every stream is of a known kind, and one at most is video.
    understood: bool,
    /// Has taken in the kinds and PIDs of all streams.
    hasher: Hasher,
}

impl Contents {
    fn of(program: &Program<'_>) -> Self {
        let (mut video, mut audio) = (None, None);
        let mut contents = Self { leading: None, understood: true, hasher: Hasher::default() };
        for stream in program.streams() {
            let codec = stream.codec();
            let [high, low] = stream.pid.to_be_bytes();
            contents.hasher.update(&[stream.kind, codec as u8, high, low]);
            contents.understood &=
                codec != Codec::Unknown && !(codec.is_video() && video.is_some());
            if codec.is_video() {
                video.get_or_insert((stream.pid, codec));
            } else if codec.is_audio() {
                audio.get_or_insert((stream.pid, codec));
            }
        }
        contents.leading = video.or(audio);
        contents
    }
}

/// What the first picture or frame tells.
struct First {
    clean: bool,
    format: Option<u64>,
}

impl First {
    /// `None` if there is not enough of it in `part`.
    fn of(codec: Codec, part: &PesPart<'_>, hasher: Hasher) -> Option<Self> {
        match Syntax::of(codec) {
            Some(syntax) => Self::of_picture(syntax, part, hasher),
            None => Self::of_sound(codec, part, hasher),
        }
    }

    fn of_picture(syntax: Syntax, part: &PesPart<'_>, mut hasher: Hasher) -> Option<Self> {
        let mut opening = Opening::new(syntax);
        let mut described = false;
        for unit in AnnexB::new(part.payload) {
            match opening.take(unit) {
                // whole, since another unit follows, or else it is not used
                Some(Kind::Sps | Kind::Pps | Kind::Vps) => {
                    hasher.update(&unit.len().to_be_bytes());
                    hasher.update(unit);
                    described |= opening.has_sps();
                }
                Some(Kind::Slice | Kind::Clean) => {
                    let clean = opening.is_clean(unit).or(part.complete.then_some(false))?;
                    return Some(Self { clean, format: described.then(|| first_64_bits(hasher)) });
                }
                _ => {}
            }
        }
        part.complete.then_some(Self { clean: false, format: None })
    }

    fn of_sound(codec: Codec, part: &PesPart<'_>, mut hasher: Hasher) -> Option<Self> {
        /// The longest of the headers that are looked at.
        const HEADER_BYTES: usize = 8;
        if part.payload.len() < HEADER_BYTES && !part.complete {
            return None;
        }
        let clean = match codec {
            Codec::Aac => aac::is_adts(part.payload),
            Codec::Mp3 => mpeg_audio::is_self_contained(part.payload),
            Codec::Ac3 | Codec::Eac3 => part.payload.starts_with(&[0x0b, 0x77]),
            _ => false,
        };
        hasher.update(&aac::adts_fixed_header(part.payload).unwrap_or_default());
        Some(Self { clean, format: clean.then(|| first_64_bits(hasher)) })
    }
}
