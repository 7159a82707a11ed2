//! backfiller
fn main() {}
