//! A hostile origin: a publisher of live HLS streams that does by a script what publishers do by
//! accident, and an oracle that says afterwards what a recorder of them should have.
//!
//! One [`Origin`] serves any number of channels, each with a [`Script`]: a value that says what is
//! published when, how the lists look, and what goes wrong with which answers. Scripts are written by
//! hand ([`scenarios`]) or made from a seed ([`Script::from_seed`]). The media is genuine
//! ([`Footage`]): tiny, made once for each process, each segment exactly as long as its EXTINF.
//!
//! While it serves, the origin keeps a [`Record`] of every request and of what was delivered. With that,
//! the script, and what a recorder has ([`Held`]), [`violations`] lists what is wrong, a sentence each:
//!
//! - a segment that was delivered whole, or would have been to whoever asks as the rules say, is not
//!   stored as full, with the right bytes, at the right start;
//! - something is stored as full that is no such segment;
//! - a segment is missing without a note that gives a right reason;
//! - an advertisement is stored;
//! - playlists or segments were asked for more often than the rules allow (RFC 8216 §6.3.4), or later than
//!   they could have been where nothing goes wrong;
//! - its metrics, or its line in `/healthz` ([`Told`]), tell something else than what happened.
//!
//! ```no_run
//! # async fn example() {
//! use e2e::origin::{Origin, Script};
//! let channels = (1..=20).map(|seed| (format!("mix_{seed}"), Script::from_seed(seed)));
//! let origin = Origin::start(channels, 60).await;
//! // start a downloader with `origin.arguments()`, then
//! origin.until(45).await;
//! // stop it, read what it has, and ask `violations` about each of `origin.channels()`
//! # }
//! ```

mod answer;
mod channel;
mod faults;
mod footage;
mod held;
mod http;
mod list;
mod oracle;
mod record;
mod script;
mod server;
mod stream;
mod told;

pub use channel::Channel;
pub use faults::{ListFault, ListTrouble, Retried, Scope, SegmentFault, SegmentTrouble, Until};
pub use footage::{Clip, Footage, KEY, Reel, SEGMENT_MILLIS, SEGMENTS};
pub use held::{Held, HeldFile};
pub use oracle::{Case, violations};
pub use record::{ListRequest, Record, SegmentAnswer, SegmentRecord};
pub use script::{
    Addressed, Change, Dated, Dice, Entry, Leaves, Marks, Method, Scenario, Script, Shape, What,
    scenarios,
};
pub use server::Origin;
pub use stream::{Pause, Published, Stream, View};
pub use told::Told;
