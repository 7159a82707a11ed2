//! Where the pictures of a transport stream are, when they are decoded and shown, and with which decoding can begin.

use crate::format::codec::nal::{self, AnnexB, Kind, RandomAccess, Sps, Syntax};
use crate::format::mpegts::{Packets, PesPackets, PesPart};

/// One coded picture, which has a PES packet of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Where its first transport packet begins, in bytes. Its other packets come before the next picture's first.
    pub at: usize,
    /// When it is shown, 33 bits of 90 kHz.
    pub pts: u64,
    /// When it is decoded.
    pub dts: u64,
    /// How decoding can begin with it, if it can.
    pub access: Option<RandomAccess>,
    /// Whether all of its bytes are there, as far as the transport packets tell.
    pub intact: bool,
}

/// The pictures of one stream, in the order in which they are decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pictures {
    /// Those that have a PES packet and a time of their own.
    pub pictures: Vec<Picture>,
    /// How many PES packets are no such picture: without a time or a beginning, with none or several, with the end of
    /// another, or with one field, as far as a parameter set before it tells fields.
    pub irregular: usize,
}

/// Finds the pictures on `pid` in whole packets.
pub fn pictures(packets: &[u8], pid: u16, syntax: Syntax) -> Pictures {
    let mut units = PesPackets::new(Packets::new(packets), pid, usize::MAX);
    let (mut found, mut sps) = (Pictures::default(), None);
    while let Some(part) = units.advance() {
        // the end of the one before is missing, if that is a picture
        if let (false, Some(last)) = (part.follows, found.pictures.last_mut()) {
            last.intact = false;
        }
        match picture(&part, syntax, &mut sps) {
            Some(picture) => found.pictures.push(picture),
            None => found.irregular += 1,
        }
    }
    found
}

/// The one picture in a PES packet, of which `sps` is the newest sequence parameter set.
fn picture(part: &PesPart<'_>, syntax: Syntax, sps: &mut Option<Sps>) -> Option<Picture> {
    let header = part.header?;
    // what stands before the first start code is of the picture before
    let zeros = part.payload.iter().take_while(|byte| **byte == 0).count();
    if zeros < 2 || part.payload.get(zeros) != Some(&1) {
        return None;
    }
    let (pts, dts) = (header.pts?, header.decode_time()?);
    let (mut halves, mut access) = (0, None);
    for unit in AnnexB::new(part.payload) {
        access = access.max(syntax.random_access(unit));
        if syntax.kind(unit) == Some(Kind::Sps) {
            *sps = Sps::parse(syntax, unit).or(*sps);
        }
        halves += nal::half_frames(syntax, *sps, unit);
    }
    (halves == 2).then_some(Picture { at: part.at, pts, dts, access, intact: part.intact })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::mpegts::{PACKET_BYTES, Program};

    macro_rules! samples {
        ($($name:literal)*) => {
            [$(($name, include_bytes!(concat!("../../../testdata/media/", $name)).as_slice())),*]
        };
    }

    const SAMPLES: [(&str, &[u8]); 7] = samples! {
        "h264-aac.ts" "h264-open-gop.ts" "h264-mid-gop.ts" "h264-cropped-2997.ts" "h264-interlaced.ts"
        "hevc-aac.ts" "hevc-open-gop.ts"
    };

    /// As ffprobe tells them: file, place, times, and whether decoding can begin.
    const EXPECTED: &str = include_str!("../../../testdata/media/pictures.txt");

    fn of(bytes: &[u8]) -> Pictures {
        let program = Program::find(&mut Packets::new(bytes)).unwrap();
        let video = program.streams().find(|stream| stream.codec().is_video()).unwrap();
        pictures(bytes, video.pid, Syntax::of(video.codec()).unwrap())
    }

    #[test]
    fn pictures_are_where_and_when_others_find_them() {
        for (name, bytes) in SAMPLES {
            let found = of(bytes);
            assert_eq!(found.irregular, 0, "{name}");
            let tell = |picture: &Picture| {
                assert!(picture.intact, "{name}");
                let key = if picture.access.is_some() { "K" } else { "-" };
                format!("{name} {} {} {} {key}", picture.at, picture.pts, picture.dts)
            };
            let told: Vec<String> = found.pictures.iter().map(tell).collect();
            let of_sample = |line: &&str| line.split(' ').next() == Some(name);
            let expected: Vec<&str> = EXPECTED.lines().filter(of_sample).collect();
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn open_groups_are_told_from_closed_ones() {
        use RandomAccess::{Closed, Open};
        let accesses = |name| {
            let (_, bytes) = SAMPLES.into_iter().find(|(other, _)| *other == name).unwrap();
            of(bytes).pictures.iter().filter_map(|picture| picture.access).collect::<Vec<_>>()
        };
        assert_eq!(accesses("h264-aac.ts"), [Closed]);
        assert_eq!(accesses("hevc-aac.ts"), [Closed]);
        assert_eq!(accesses("h264-open-gop.ts")[0], Open);
        assert_eq!(accesses("hevc-open-gop.ts")[0], Open);
        assert_eq!(accesses("h264-mid-gop.ts"), []);
    }

    #[test]
    fn what_begins_a_closed_group_may_be_called_a_recovery_point_as_well() {
        let recovery = [0, 0, 1, 0x06, 6, 1, 0b1100_0100];
        let payload = [&recovery[..], &[0, 0, 1, 0x65, 0b1000_1000, 0x80]].concat();
        let found = pictures(&unit(&payload, true), 1, Syntax::H264);
        assert_eq!(found.pictures[0].access, Some(RandomAccess::Closed));
    }

    #[test]
    fn a_picture_of_which_packets_are_missing_is_not_intact() {
        let (_, bytes) = SAMPLES[0];
        let whole = of(bytes).pictures;
        // the second packet of video
        let mut at = whole[0].at + PACKET_BYTES;
        while Packets::new(&bytes[at..]).next().unwrap().pid() != 0x100 {
            at += PACKET_BYTES;
        }
        let mut bytes = bytes.to_vec();
        bytes.drain(at..at + PACKET_BYTES);
        let Pictures { pictures, irregular } = of(&bytes);
        assert_eq!((pictures.len(), irregular), (whole.len(), 0));
        let intact: Vec<bool> = pictures.iter().map(|picture| picture.intact).collect();
        assert!(!intact[0] && intact[1..].iter().all(|intact| *intact), "{intact:?}");
    }

    #[test]
    fn a_picture_whose_last_packet_is_missing_is_not_intact() {
        let (_, bytes) = SAMPLES[0];
        let whole = of(bytes).pictures;
        // the last packet of video before the second picture
        let mut at = whole[1].at - PACKET_BYTES;
        while Packets::new(&bytes[at..]).next().unwrap().pid() != 0x100 {
            at -= PACKET_BYTES;
        }
        let mut bytes = bytes.to_vec();
        bytes.drain(at..at + PACKET_BYTES);
        let intact: Vec<bool> = of(&bytes).pictures.iter().map(|one| one.intact).collect();
        assert!(!intact[0] && intact[1..].iter().all(|intact| *intact), "{intact:?}");
    }

    /// The PES packet of `payload`, in one transport packet.
    fn unit(payload: &[u8], has_time: bool) -> Vec<u8> {
        let kinds = if has_time { 0x80 } else { 0 };
        let pes = [&[0, 0, 1, 0xe0, 0, 0, 0x80, kinds, 5, 0x21, 0, 1, 0, 1], payload].concat();
        let stuffing = PACKET_BYTES - 5 - pes.len();
        let mut packet = vec![0x47, 0x40, 1, 0x30, u8::try_from(stuffing).unwrap()];
        packet.resize(PACKET_BYTES - pes.len(), 0);
        packet.extend(pes);
        packet
    }

    #[test]
    fn what_is_no_picture_of_its_own_is_counted() {
        // a slice from the first macroblock on, and one from the second
        let (first, second) =
            ([0, 0, 1, 0x65, 0b1000_1000, 0x80], [0, 0, 1, 0x65, 0b0100_0010, 0x20]);
        let one = [first, second].concat();
        let two = [&one[..], &one].concat();
        let behind_another = [&[7][..], &one].concat();
        let cases: [(&[u8], bool, usize); 7] = [
            (&behind_another, true, 0),
            (&[&[0][..], &one].concat(), true, 1),
            (&one, true, 1),
            (&one, false, 0),
            (&two, true, 0),
            (&second, true, 0),
            (&[], true, 0),
        ];
        for (payload, has_time, count) in cases {
            let found = pictures(&unit(payload, has_time), 1, Syntax::H264);
            assert_eq!((found.pictures.len(), found.irregular), (count, 1 - count), "{payload:?}");
        }
        // one field of an interlaced picture, and both
        let sps = b"\0\0\x01\x67\x64\x00\x15\xf3\xa0\x54\xcf\x1f\x36\x02\xd9\0\0\x03\0\x01\0\0\x03\0\x32\x1f\x14\x2a\xa0";
        let field = [0, 0, 1, 0x65, 0b1000_1000, 0b1010_1100];
        for (fields, count) in [(1, 0), (2, 1), (3, 0)] {
            let payload = [&sps[..], &field.repeat(fields)].concat();
            let found = pictures(&unit(&payload, true), 1, Syntax::H264);
            assert_eq!((found.pictures.len(), found.irregular), (count, 1 - count), "{fields}");
        }
        let mut headless = unit(&one, true);
        headless[1] = 0;
        assert_eq!(pictures(&headless, 1, Syntax::H264).irregular, 1);
    }
}
