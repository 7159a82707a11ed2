//! e2e

#[cfg(test)]
mod bans;
