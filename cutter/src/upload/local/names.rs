//! The names of published files and of those that are not yet.

use common::format::folder::FolderName;
use uuid::Uuid;

/// The longest file name that common file systems take, in bytes.
const MAX_NAME: usize = 255;
/// What follows the title in the longest name: a dash, an id, a point, an extension.
const AFTER_TITLE: usize = 1 + uuid::fmt::Hyphenated::LENGTH + 1 + 4;

/// What a file is of a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The video itself: segments one after the other.
    Video,
    /// What is known about it.
    Info,
    /// The thumbnail, as PNG.
    Png,
    /// The thumbnail, as JPEG.
    Jpeg,
    /// The thumbnail, in some other format.
    Image,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Video, Self::Info, Self::Png, Self::Jpeg, Self::Image];

    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Video => "ts",
            Self::Info => "json",
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Image => "img",
        }
    }

    pub(super) const fn is_thumbnail(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Image)
    }

    /// Tells an image's format by its first bytes.
    pub(super) fn of_image(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Self::Png
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Self::Jpeg
        } else {
            Self::Image
        }
    }

    fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.extension() == extension)
    }
}

/// Returns what all files of a video are called, without the extension: the title as far as file
/// systems everywhere take it, and the id.
pub(super) fn stem(title: &str, id: Uuid) -> String {
    let is_bad = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    let title = title.replace(is_bad, "_");
    // hidden names would be overlooked, and blanks at the ends are lost in many programs
    let title = title.trim().trim_start_matches('.').trim_start();
    let room = title.floor_char_boundary(MAX_NAME - AFTER_TITLE);
    match title[..room].trim_end() {
        "" => id.to_string(),
        title => format!("{title}-{id}"),
    }
}

/// Returns what a published file is, if it is one of the video `id`.
pub(super) fn kind_of(name: &str, id: Uuid) -> Option<Kind> {
    let (stem, extension) = name.rsplit_once('.')?;
    let title = stem.strip_suffix(&id.to_string())?;
    let is_ours = title.is_empty() || (title.ends_with('-') && !title.starts_with('.'));
    is_ours.then(|| Kind::of_extension(extension)).flatten()
}

/// The names of one cutter's unfinished files: `.ID.EXTENSION.CUTTER.temp`.
#[derive(Clone, Debug)]
pub(super) struct TempNames {
    end: String,
}

impl TempNames {
    pub(super) fn of(cutter: &FolderName) -> Self {
        Self { end: format!("{cutter}.temp") }
    }

    pub(super) fn name(&self, id: Uuid, kind: Kind) -> String {
        format!(".{id}.{}.{}", kind.extension(), self.end)
    }

    /// Returns whether `name` is one of this cutter's, and not one whose name only ends alike.
    pub(super) fn includes(&self, name: &str) -> bool {
        let parts = || {
            let (id, rest) = name.strip_prefix('.')?.split_once('.')?;
            let (extension, end) = rest.split_once('.')?;
            Some((id.parse::<Uuid>().ok()?, Kind::of_extension(extension)?, end))
        };
        parts().is_some_and(|(_, _, end)| end == self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0123_4567_89ab_4def_8123_4567_89ab_cdef);

    #[test]
    fn a_title_becomes_a_name_that_file_systems_take() {
        let id = ID.to_string();
        assert_eq!(stem("A title", ID), format!("A title-{id}"));
        assert_eq!(stem(" ../a/b\\c\n:\"d\"? ", ID), format!("_a_b_c___d__-{id}"));
        assert_eq!(stem("", ID), id);
        assert_eq!(stem(" .. ", ID), id);
        let long = stem(&"é".repeat(300), ID);
        assert!(long.len() + ".json".len() <= MAX_NAME && long.len() > 240, "{}", long.len());
        assert!(long.ends_with(&id));
    }

    #[test]
    fn files_of_a_video_are_known_by_its_id_alone() {
        let stem = stem("A title", ID);
        assert_eq!(kind_of(&format!("{stem}.ts"), ID), Some(Kind::Video));
        assert_eq!(kind_of(&format!("another-{ID}.json"), ID), Some(Kind::Info));
        assert_eq!(kind_of(&format!("{ID}.png"), ID), Some(Kind::Png));
        assert_eq!(kind_of(&format!("{stem}.mkv"), ID), None);
        assert_eq!(kind_of(&format!("{stem}.ts"), Uuid::nil()), None);
        assert_eq!(kind_of(&format!(".x-{ID}.ts"), ID), None);
        assert_eq!(kind_of(&format!("x{ID}.ts"), ID), None);
    }

    #[test]
    fn unfinished_files_belong_to_one_cutter() {
        let names = |cutter: &str| TempNames::of(&cutter.parse().unwrap());
        let name = names("b").name(ID, Kind::Video);
        assert!(names("b").includes(&name));
        assert!(!names("a.b").includes(&name));
        assert!(!names("b").includes(&names("a.b").name(ID, Kind::Video)));
        assert!(!names("b").includes(&names("ts.b").name(ID, Kind::Info)));
        assert!(!names("b").includes(".ssh.ts.b.temp"));
        assert!(!names("b").includes("b.temp"));
    }
}
