//! cutter
fn main() {}
