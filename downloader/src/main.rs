//! downloader
fn main() {}
