//! Reading requests: everything a stranger sends is checked here, before anything is read.

mod byte_range;
mod cut;
mod names;
mod query;

pub(crate) use byte_range::{Requested, requested_range};
pub(crate) use cut::{CutKind, CutRequest};
pub(crate) use names::Names;
pub(crate) use query::Query;
