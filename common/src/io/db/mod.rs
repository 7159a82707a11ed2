//! The database that the nodes share: events on their way to a video, and what stands around them.
//!
//! Owns every SQL statement and every state transition. A transaction is SERIALIZABLE and is run
//! again when it conflicts with another; a transition is one UPDATE that names the expected state,
//! the holder and every input that it relied on, and changing no row is an ordinary outcome. The
//! table of states is in `docs/EVENTS.md`; the schema's files are in `schema/`.
//!
//! No file is read, no video cut and nothing is sent from in here.

mod ask;
mod connect;
mod dsn;
mod error;
mod run;
mod schema;
mod types;

pub mod edit;
pub mod event;
pub mod nodes;
pub mod transition;

pub use connect::Database;
pub use dsn::{Dsn, ParseDsnError};
pub use error::DbError;
pub use transition::Transition;
pub use types::{BoxCoords, EventState, ThumbnailMode, VideoRange, VideoTransition};
