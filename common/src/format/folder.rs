//! Names of channels and qualities: one path component each, whoever they come from.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

/// A folder's name that cannot lead out of the folder it is in.
///
/// Not empty, does not start with a dot, holds no separator and no control character, and is short
/// enough for every file system.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderName(Arc<str>);

impl FolderName {
    /// The longest name, in bytes, that common file systems take.
    pub const MAX_BYTES: usize = 255;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that must not be used as a folder's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadFolderName {
    /// There is nothing.
    #[error("a name must not be empty")]
    Empty,
    /// Hidden, or the folder itself or the one above.
    #[error("a name must not start with a dot")]
    Dot,
    /// A slash, a backslash, or a control character.
    #[error("a name must not hold a slash, a backslash or a control character")]
    Character,
    /// Longer than [`FolderName::MAX_BYTES`].
    #[error("a name must not be longer than 255 bytes")]
    Length,
}

impl FromStr for FolderName {
    type Err = BadFolderName;

    /// # Errors
    ///
    /// Says which rule `name` breaks.
    fn from_str(name: &str) -> Result<Self, BadFolderName> {
        if name.is_empty() {
            Err(BadFolderName::Empty)
        } else if name.starts_with('.') {
            Err(BadFolderName::Dot)
        } else if name.contains(|c: char| matches!(c, '/' | '\\') || c.is_control()) {
            Err(BadFolderName::Character)
        } else if name.len() > Self::MAX_BYTES {
            Err(BadFolderName::Length)
        } else {
            Ok(Self(name.into()))
        }
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let refused = |name: &str| name.parse::<FolderName>().unwrap_err();
        assert_eq!(refused(""), BadFolderName::Empty);
        assert_eq!(refused(".."), BadFolderName::Dot);
        assert_eq!(refused(".hidden"), BadFolderName::Dot);
        assert_eq!(refused("a/b"), BadFolderName::Character);
        assert_eq!(refused("a\\b"), BadFolderName::Character);
        assert_eq!(refused("a\0b"), BadFolderName::Character);
        assert_eq!(refused("a\nb"), BadFolderName::Character);
        assert_eq!(refused(&"x".repeat(256)), BadFolderName::Length);
    }

    #[test]
    fn ordinary_names_are_kept() {
        for name in ["desertbus", "1080p60", "with space", "ünïcode", "a..b", "twitch!"] {
            assert_eq!(name.parse::<FolderName>().unwrap().as_str(), name);
        }
    }
}
