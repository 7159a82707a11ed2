//! A whole installation on one machine, by one command: a database, a live origin, two nodes with
//! all four services each, and the story of how they lose nothing.
//!
//! [`run`] is the command. [`Installation`] is what it starts, for tests that want more than the
//! story; [`titles`] are the lines by which a test knows how far the story is. Everything lies
//! below one folder, and everything that is started ends with the thread that started it.

mod channel;
mod child;
mod display;
mod ffmpeg;
mod installation;
mod node;
mod options;
mod origin;
mod place;
mod poll;
mod ports;
mod requirements;
mod session;
mod story;
mod supervisor;
mod verify;
mod viewer;

pub use display::Display;
pub use installation::{Ground, Installation};
pub use node::{Channel, Node, Role};
pub use options::{Options, Source};
pub use origin::{Origin, Picture, Published};
pub use session::run;
pub use story::titles;
