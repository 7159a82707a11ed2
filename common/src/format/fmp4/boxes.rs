//! Boxes (§4.2), and the fields in them.

/// The boxes in a stretch of bytes. One whose size is less than its header is the end, and so is one
/// that reaches beyond the bytes, after it was given as far as there is of it.
#[derive(Clone, Debug)]
pub struct Boxes<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Boxes<'a> {
    /// The boxes in `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Mp4Box<'a>;

    fn next(&mut self) -> Option<Mp4Box<'a>> {
        let start = self.position;
        let rest = &self.bytes[start..];
        let mut fields = Fields(rest);
        let (size, kind) = (fields.u32()?, fields.array()?);
        let size = match size {
            // to the end of what it is in
            0 => rest.len() as u64,
            1 => fields.u64()?,
            size => u64::from(size),
        };
        let header = rest.len() - fields.0.len();
        let (end, room) = ((start as u64).checked_add(size)?, rest.len());
        let given = usize::try_from(size).unwrap_or(room).min(room);
        let content = rest.get(header..given)?;
        self.position += given;
        Some(Mp4Box { kind, start, end, content })
    }
}

/// One box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mp4Box<'a> {
    /// Its type, four letters.
    pub kind: [u8; 4],
    /// Where it begins.
    pub start: usize,
    /// Where it ends by its own account.
    pub end: u64,
    /// What is behind its header, as far as it is there.
    pub content: &'a [u8],
}

impl Mp4Box<'_> {
    /// Whether all of it is there, given how many bytes there are.
    pub const fn is_whole(&self, bytes: usize) -> bool {
        self.end <= bytes as u64
    }
}

/// The content of the first box of that kind in `bytes`.
pub fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    Boxes::new(bytes).find(|found| found.kind == *kind).map(|found| found.content)
}

/// The content of the first box of the last kind, in the first one of the kind before it, and so on.
pub fn find_path<'a>(bytes: &'a [u8], kinds: &[&[u8; 4]]) -> Option<&'a [u8]> {
    kinds.iter().try_fold(bytes, |bytes, kind| find(bytes, kind))
}

/// Fields of a box, one after another. Reads past the end answer `None`.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// Version and flags, which many boxes begin with (§4.2.2).
    pub fn version_and_flags(&mut self) -> Option<(u8, u32)> {
        let all = self.u32()?;
        Some(((all >> 24) as u8, all & 0x00ff_ffff))
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    /// A number of one byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    /// A number of two bytes.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A number of four bytes.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A number of eight bytes.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A number of eight bytes in version 1 of a box, of four in version 0.
    pub fn long(&mut self, version: u8) -> Option<u64> {
        if version == 1 { self.u64() } else { self.u32().map(u64::from) }
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(bytes: &[u8]) -> Vec<([u8; 4], usize, u64, usize)> {
        let parts = Boxes::new(bytes).take(10);
        parts.map(|part| (part.kind, part.start, part.end, part.content.len())).collect()
    }

    #[test]
    fn sizes_of_every_form_are_read() {
        let long = [&[0, 0, 0, 1][..], b"mdat", &[0, 0, 0, 0, 0, 0, 0, 18], &[7, 7]].concat();
        let bytes =
            [&[0, 0, 0, 9][..], b"free", &[1], &long, &[0, 0, 0, 0], b"last", &[2]].concat();
        let expected = [(*b"free", 0, 9, 1), (*b"mdat", 9, 27, 2), (*b"last", 27, 36, 1)];
        assert_eq!(kinds(&bytes), expected);
    }

    #[test]
    fn a_box_that_reaches_beyond_is_the_last() {
        let bytes = [&[0, 0, 0, 99][..], b"moov", &[1, 2]].concat();
        assert_eq!(kinds(&bytes), [(*b"moov", 0, 99, 2)]);
        let bytes = [&[0, 0, 0, 1][..], b"moov", &[0xff; 8], &[1, 2]].concat();
        assert_eq!(kinds(&bytes), [(*b"moov", 0, u64::MAX, 2)]);
    }

    #[test]
    fn a_box_smaller_than_its_header_is_the_end() {
        for size in [2, 7] {
            assert_eq!(kinds(&[&[0, 0, 0, size][..], b"moov", &[0; 20]].concat()), []);
        }
        let long = [&[0, 0, 0, 1][..], b"mdat", &[0, 0, 0, 0, 0, 0, 0, 15], &[7, 7]].concat();
        assert_eq!(kinds(&long), []);
        assert_eq!(kinds(&[0, 0, 0, 8, b'm']), []);
    }
}
