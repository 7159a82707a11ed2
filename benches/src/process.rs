//! What a process has used, as the kernel counts it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// How much processor time the threads of the process `id` have used that still run; exact.
///
/// # Errors
///
/// When there is no such process.
pub fn cpu_of_threads(id: u32) -> Result<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{id}/task")).context("list its threads")? {
        // a thread may have ended meanwhile
        let Ok(stat) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let first = stat.split_whitespace().next();
        nanos += first.and_then(|nanos| nanos.parse::<u64>().ok()).context("a time in ns")?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// How many bytes of memory the process `id` has in use.
///
/// # Errors
///
/// When there is no such process.
pub fn resident_bytes(id: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).context("read its status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kibibytes.context("a status tells the memory")? * 1024)
}
