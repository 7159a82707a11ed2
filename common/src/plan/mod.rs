//! Layer 3: decisions. Pure: no I/O, no clock.

pub mod chat;
pub mod cut;
pub mod listing;
pub mod live;
pub mod select;
pub mod soundtrack;
pub mod splice;
