//! HTTP: the only maker of clients and the frame of every server.

pub mod client;
pub mod server;
