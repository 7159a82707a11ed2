//! The backfiller as a whole, against nodes that listen on this machine.

#![cfg(test)]

mod lists;
mod lying;
mod program;
mod support;
mod trees;
mod truthful;
