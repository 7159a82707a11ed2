//! Reading a folder's names, and telling later whether they may have changed.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

/// How much of a folder is read in one system call: some 600 names.
const READ_BYTES: usize = 64 << 10;

/// The longest grain of any file system's times, in nanoseconds: that of FAT.
const COARSEST_GRAIN_NANOS: i64 = 2_000_000_000;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Which folder it was, and when its names last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    device: u64,
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    fn of(folder: &Stat) -> Self {
        Self {
            device: folder.st_dev,
            inode: folder.st_ino,
            seconds: folder.st_mtime,
            nanoseconds: i64::try_from(folder.st_mtime_nsec).unwrap_or(0),
        }
    }

    /// The stamp of the folder at `path` now.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&rustix::fs::stat(path)?))
    }

    /// Whether every change after the instant `now` gets another stamp.
    ///
    /// The kernel takes the times of folders from its coarse clock, so a change in the same tick as
    /// the last one cannot be seen. And the file system may keep less than nanoseconds.
    fn is_settled_at(self, now: CoarseInstant) -> bool {
        let since = (now.seconds.saturating_sub(self.seconds)).saturating_mul(NANOS_PER_SECOND);
        since.saturating_add(now.nanoseconds - self.nanoseconds) > self.grain_nanos()
    }

    /// The coarsest grain of which its time can be: 100 ns on NTFS, 1 us on UDF, 10 ms on exFAT.
    const fn grain_nanos(self) -> i64 {
        let mut grain = 1;
        while self.nanoseconds % (10 * grain) == 0 {
            if grain == NANOS_PER_SECOND / 10 {
                return COARSEST_GRAIN_NANOS;
            }
            grain *= 10;
        }
        // a time in nanoseconds is no coarser than the clock that it was taken from
        grain - 1
    }
}

/// An instant of the clock that the kernel takes the times of folders from.
#[derive(Clone, Copy, Debug)]
struct CoarseInstant {
    seconds: i64,
    nanoseconds: i64,
}

impl CoarseInstant {
    fn now() -> Self {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        Self { seconds: now.tv_sec, nanoseconds: now.tv_nsec }
    }
}

/// A folder that was opened to be read.
#[derive(Debug)]
pub(super) struct Folder {
    folder: OwnedFd,
    /// What its names can be recognised by later; `None` when they may change unseen.
    pub(super) stamp: Option<Stamp>,
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let now = CoarseInstant::now();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty())?;
        // taken before the names are read: what changes meanwhile changes the stamp
        let stamp = Stamp::of(&rustix::fs::fstat(&folder)?);
        Ok(Self { folder, stamp: stamp.is_settled_at(now).then_some(stamp) })
    }

    /// Calls `each` with every name that is UTF-8, not hidden and not a folder's, in no order.
    pub(super) fn each_file(&self, mut each: impl FnMut(&str)) -> io::Result<()> {
        self.each(|name, is_folder| {
            if !is_folder {
                each(name);
            }
        })
    }

    /// Calls `each` with the name of every folder that is UTF-8 and not hidden, in no order. A link is
    /// what it leads to.
    pub(super) fn each_folder(&self, mut each: impl FnMut(&str)) -> io::Result<()> {
        self.each(|name, is_folder| {
            if is_folder {
                each(name);
            }
        })
    }

    fn each(&self, mut each: impl FnMut(&str, bool)) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        let mut entries = RawDir::new(&self.folder, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            if let Ok(text) = name.to_str()
                && !text.starts_with('.')
            {
                each(text, self.is_folder(name, entry.file_type()));
            }
        }
        Ok(())
    }

    fn is_folder(&self, name: &CStr, kind: FileType) -> bool {
        match kind {
            FileType::Directory => true,
            // a link is what it leads to; and not every file system tells
            FileType::Symlink | FileType::Unknown => {
                let target = rustix::fs::statat(&self.folder, name, AtFlags::empty());
                target.is_ok_and(|target| FileType::from_raw_mode(target.st_mode).is_dir())
            }
            _ => false,
        }
    }

    /// The size of a file in it, `None` when that is gone.
    pub(super) fn size_of(&self, name: &str) -> Option<u64> {
        let file = rustix::fs::statat(self.folder.as_fd(), name, AtFlags::empty()).ok()?;
        u64::try_from(file.st_size).ok()
    }
}

/// What a folder that cannot be read means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no such folder, or no longer.
    Gone,
    /// It is there, but its disk or its owner keeps it from us.
    Unreadable,
    /// This process is short of something: it says nothing about the folder.
    Ours,
}

impl Trouble {
    pub(super) fn is_ours(self) -> bool {
        self == Self::Ours
    }

    pub(super) fn of(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(Errno::NOENT | Errno::NOTDIR) => Self::Gone,
            Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM) | None => Self::Ours,
            Some(_) => Self::Unreadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(seconds: i64, nanoseconds: i64) -> Stamp {
        Stamp { device: 1, inode: 1, seconds, nanoseconds }
    }

    #[test]
    fn a_listing_in_the_tick_of_the_last_change_is_not_settled() {
        let now = CoarseInstant { seconds: 100, nanoseconds: 4_000_001 };
        assert!(stamp(100, 3_999_999).is_settled_at(now));
        assert!(!stamp(100, 4_000_001).is_settled_at(now), "the tick may not be over");
        assert!(!stamp(100, 5_000_001).is_settled_at(now), "a clock that was put back");
        assert!(stamp(i64::MIN, 1).is_settled_at(now) && !stamp(i64::MAX, 1).is_settled_at(now));
    }

    #[test]
    fn a_listing_within_the_grain_of_the_file_system_is_not_settled() {
        for (nanoseconds, grain) in [
            (456_789_100, 100),
            (456_789_000, 1_000),
            (450_000_000, 10_000_000),
            (400_000_000, 100_000_000),
            (0, COARSEST_GRAIN_NANOS),
        ] {
            let changed = stamp(100, nanoseconds);
            let after = |nanos: i64| {
                let nanos = nanoseconds + nanos;
                let (seconds, nanoseconds) = (nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
                CoarseInstant { seconds: 100 + seconds, nanoseconds }
            };
            assert!(!changed.is_settled_at(after(grain - 1)), "{nanoseconds}");
            assert!(changed.is_settled_at(after(grain + 1)), "{nanoseconds}");
        }
    }

    #[test]
    fn a_folder_has_a_stamp_once_it_is_settled() {
        let base = tempfile::tempdir().unwrap();
        let dated = |time: std::time::SystemTime| {
            std::fs::File::open(base.path()).unwrap().set_modified(time).unwrap();
            Folder::open(base.path()).unwrap().stamp
        };
        let at = |seconds| std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let (past, future) = (at(1_700_000_000), at(10_000_000_000));
        assert_eq!(dated(past), Some(Stamp::read(base.path()).unwrap()));
        assert_eq!(dated(future), None);
    }

    #[test]
    fn what_a_folder_that_cannot_be_read_means() {
        for (trouble, errors) in [
            (Trouble::Gone, &[Errno::NOENT, Errno::NOTDIR][..]),
            (Trouble::Unreadable, &[Errno::IO, Errno::ACCESS, Errno::LOOP, Errno::STALE]),
            (Trouble::Ours, &[Errno::MFILE, Errno::NFILE, Errno::NOMEM]),
        ] {
            for error in errors {
                assert_eq!(Trouble::of(&io::Error::from(*error)), trouble, "{error}");
            }
        }
        assert_eq!(Trouble::of(&io::Error::other("no number")), Trouble::Ours);
    }

    #[test]
    fn only_what_can_be_seen_is_named() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("folder")).unwrap();
        for file in ["file", ".hidden", "other"] {
            std::fs::write(base.path().join(file), b"12").unwrap();
        }
        std::os::unix::fs::symlink("folder", base.path().join("link-to-folder")).unwrap();
        std::os::unix::fs::symlink("file", base.path().join("link-to-file")).unwrap();
        let folder = Folder::open(base.path()).unwrap();
        let mut names = Vec::new();
        folder.each_file(|name| names.push(name.to_owned())).unwrap();
        names.sort_unstable();
        assert_eq!(names, ["file", "link-to-file", "other"]);
        let folder = Folder::open(base.path()).unwrap();
        let mut names = Vec::new();
        folder.each_folder(|name| names.push(name.to_owned())).unwrap();
        names.sort_unstable();
        assert_eq!(names, ["folder", "link-to-folder"]);
        assert_eq!((folder.size_of("file"), folder.size_of("nothing")), (Some(2), None));
    }
}
