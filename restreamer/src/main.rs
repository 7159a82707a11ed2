//! restreamer
fn main() {}
