//! What playlists say; how they are asked for is in the handlers.

pub(crate) mod live;
mod marks;
pub(crate) mod media;
pub(crate) mod span;
pub(crate) mod stretches;
pub(crate) mod text;
pub(crate) mod texts;
pub(crate) mod variants;
