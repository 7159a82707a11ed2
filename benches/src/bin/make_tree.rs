//! Makes the recording that the benchmarks work on, unless it is there: `target/bench/tree`.

use anyhow::Result;
use benches::tree::Tree;

fn main() -> Result<()> {
    println!("{}", Tree::ready()?.base().display());
    Ok(())
}
