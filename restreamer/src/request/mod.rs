//! Reading requests: everything a stranger sends is checked here, before anything is read.

mod byte_range;
mod cut;
mod names;
mod picture;
mod query;
mod videos;

pub(crate) use byte_range::{Requested, requested_range};
pub(crate) use cut::{CutKind, CutRequest};
pub(crate) use names::{FirstName, Names};
pub(crate) use picture::{PNG_SIGNATURE, check_thumbnail, size};
pub(crate) use query::Query;
pub(crate) use videos::check_videos;
