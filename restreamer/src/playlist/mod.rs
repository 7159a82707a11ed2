//! What playlists say; how they are asked for is in the handlers.

pub(crate) mod media;
pub(crate) mod span;
pub(crate) mod variants;
