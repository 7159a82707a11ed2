//! The initialization section's `moov` box (§8.2.1): which tracks there are.

use super::{Boxes, Fields, SampleEntry, find, find_path};

/// More tracks than that are not read.
const MOST_TRACKS: usize = 64;

/// The tracks of an initialization section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Movie<'a> {
    /// In order; those that cannot be read are left out.
    pub tracks: Vec<Track<'a>>,
    /// Whether there is a track that cannot be read, or that is one too many.
    pub damaged: bool,
}

impl<'a> Movie<'a> {
    /// Reads the content of a `moov` box.
    pub fn parse(moov: &'a [u8]) -> Self {
        let mut movie = Self::default();
        for part in Boxes::new(moov).filter(|part| part.kind == *b"trak") {
            match Track::parse(part.content) {
                Some(track) if movie.tracks.len() < MOST_TRACKS => movie.tracks.push(track),
                _ => movie.damaged = true,
            }
        }
        for part in Boxes::new(find(moov, b"mvex").unwrap_or_default()) {
            let read = (part.kind == *b"trex").then(|| Defaults::parse(part.content)).flatten();
            let Some((id, defaults)) = read else { continue };
            let of_that_id = movie.tracks.iter_mut().filter(|track| track.id == id);
            of_that_id.for_each(|track| track.defaults = Some(defaults));
        }
        movie
    }
}

/// One track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track<'a> {
    /// What fragments name it by.
    pub id: u32,
    /// Ticks in a second; not zero.
    pub timescale: u32,
    /// How it is coded: its first sample entry.
    pub entry: SampleEntry<'a>,
    /// What holds for its samples where a fragment says nothing.
    pub defaults: Option<Defaults>,
}

impl<'a> Track<'a> {
    fn parse(trak: &'a [u8]) -> Option<Self> {
        let mdia = find(trak, b"mdia")?;
        let mut header = Fields(find(mdia, b"mdhd")?);
        let (version, _) = header.version_and_flags()?;
        header.long(version)?; // creation_time
        header.long(version)?; // modification_time
        let timescale = header.u32().filter(|timescale| *timescale > 0)?;
        let mut header = Fields(find(trak, b"tkhd")?);
        let (version, _) = header.version_and_flags()?;
        header.long(version)?;
        header.long(version)?;
        let id = header.u32()?;
        let stsd = find_path(mdia, &[b"minf", b"stbl", b"stsd"])?;
        // version, flags, number of entries
        let entry = Boxes::new(stsd.get(8..)?).next()?;
        Some(Self { id, timescale, entry: SampleEntry::new(entry), defaults: None })
    }
}

/// `trex` (§8.8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Of a sample, in ticks.
    pub duration: u32,
    /// Of a sample, in bytes.
    pub size: u32,
    /// Of a sample (§8.8.3.1).
    pub flags: u32,
}

impl Defaults {
    fn parse(trex: &[u8]) -> Option<(u32, Self)> {
        let mut fields = Fields(trex);
        fields.version_and_flags()?;
        let id = fields.u32()?;
        fields.u32()?; // default_sample_description_index
        let (duration, size, flags) = (fields.u32()?, fields.u32()?, fields.u32()?);
        Some((id, Self { duration, size, flags }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: &str, content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + content.len()).unwrap();
        [&size.to_be_bytes()[..], kind.as_bytes(), content].concat()
    }

    fn fields(fields: &[u32]) -> Vec<u8> {
        fields.iter().flat_map(|field| field.to_be_bytes()).collect()
    }

    /// Track 7 of 600 ticks a second, by what its two headers hold.
    fn track(header: &[u32], media_header: &[u32]) -> Vec<u8> {
        let entries = part("stsd", &[fields(&[0, 1]), part("Opus", &[])].concat());
        let minf = part("minf", &part("stbl", &entries));
        let mdia = part("mdia", &[part("mdhd", &fields(media_header)), minf].concat());
        part("trak", &[part("tkhd", &fields(header)), mdia].concat())
    }

    #[test]
    fn headers_of_both_versions_are_read() {
        let new = 1 << 24;
        for (header, media_header) in [
            (&[3, 1, 2, 7][..], &[0, 3, 4, 600][..]),
            (&[new | 3, 0, 1, 0, 2, 7], &[new, 0, 3, 0, 4, 600]),
        ] {
            let moov = track(header, media_header);
            let movie = Movie::parse(&moov);
            assert!(!movie.damaged);
            let read: Vec<_> =
                movie.tracks.iter().map(|track| (track.id, track.timescale)).collect();
            assert_eq!(read, [(7, 600)]);
        }
    }

    #[test]
    fn one_track_too_many_is_damage() {
        let moov = track(&[3, 1, 2, 7], &[0, 3, 4, 600]).repeat(MOST_TRACKS);
        assert!(!Movie::parse(&moov).damaged);
        let moov = [&moov[..], &track(&[3, 1, 2, 8], &[0, 3, 4, 600])].concat();
        let movie = Movie::parse(&moov);
        assert_eq!((movie.tracks.len(), movie.damaged), (MOST_TRACKS, true));
    }
}
