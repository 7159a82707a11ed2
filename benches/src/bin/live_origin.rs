//! Serves live channels until it is killed, for trying a recorder by hand: prints the addresses of their playlists.
//!
//!     live_origin [CHANNELS [JITTER_MILLISECONDS [block]]]

use std::sync::Arc;
use std::thread;

use anyhow::Result;
use benches::live::material::Material;
use benches::live::origin::Origin;
use chrono::TimeDelta;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let channels = arguments.next().map_or(Ok(1), |channels| channels.parse())?;
    let jitter = TimeDelta::milliseconds(arguments.next().map_or(Ok(0), |jitter| jitter.parse())?);
    let can_block = arguments.next().is_some_and(|word| word == "block");
    let origin = Origin::start(Arc::new(Material::ready()?), channels, jitter, can_block)?;
    for channel in 0..channels {
        println!("{}", origin.url(channel));
    }
    loop {
        thread::park();
    }
}
