//! How much memory the index takes for a week: what it counts itself, and what the kernel says.

use anyhow::{Result, ensure};
use benches::figures::{Figures, Row, Unit};
use benches::process;
use benches::tree::{self, Tree};

fn main() -> Result<()> {
    let store = Tree::ready()?.store()?;
    let id = std::process::id();
    let before = process::resident_bytes(id)?;
    let hours = store.hours_of(&tree::week_feed(), &[tree::week()])?;
    let after = process::resident_bytes(id)?;
    let segments: usize = hours.iter().map(|hour| hour.len()).sum();
    ensure!(segments == tree::SEGMENTS, "{segments} segments of {}", tree::SEGMENTS);
    let counted: usize = hours.iter().map(|hour| hour.memory_bytes()).sum();
    row("index, memory for a segment, as it counts itself", counted as u64 / segments as u64);
    row("index, memory for a segment, as the kernel counts it", (after - before) / segments as u64);
    Ok(())
}

fn row(work: &str, bytes: u64) {
    let figures = Figures::of_bytes([bytes]);
    println!("{}", Row { work, figures, unit: Unit::Bytes, limit: None, target: "≤ 80 B" });
}
