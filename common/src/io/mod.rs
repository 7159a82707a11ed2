//! Layer 4: everything that touches the outside: disk, network, processes, database.

pub mod blocks;
pub mod cached;
#[cfg(feature = "db")]
pub mod db;
pub mod ffmpeg;
pub mod http;
pub mod process;
pub mod produced;
pub mod store;
