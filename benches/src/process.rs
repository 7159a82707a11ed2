//! What a process has used, as the kernel counts it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::ClockId;
use nix::unistd::Pid;

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

/// How much processor time the process `id` and its descendants that still run have used, in the kernel
/// and outside it, threads that ended included; exact, where the counts of `/proc/ID/stat` are
/// of a hundredth of a second.
///
/// # Errors
///
/// When there is no such process.
pub fn cpu_of_tree(id: u32) -> Result<Duration> {
    tree(id)?.into_iter().map(cpu).sum()
}

/// How much processor time the process `id` has used, without its children.
///
/// # Errors
///
/// When there is no such process.
pub fn cpu(id: u32) -> Result<Duration> {
    let id = Pid::from_raw(id.try_into().context("a process has a small number")?);
    let clock = ClockId::pid_cpu_clock_id(id).context("find the clock of a process")?;
    Ok(clock.now().context("read the clock of a process")?.into())
}

/// How many bytes of memory the process `id` has in use.
///
/// # Errors
///
/// When there is no such process.
pub fn resident_bytes(id: u32) -> Result<u64> {
    status_bytes(id, "VmRSS:")
}

/// How much processor time those children of the process `id` have used that have ended, in hundredths of a second.
///
/// # Errors
///
/// When there is no such process.
pub fn cpu_of_ended_children(id: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).context("read its state")?;
    let fields = stat.rsplit_once(") ").context("a process has a state")?.1;
    let ticks = fields.split(' ').skip(13).take(2).map(str::parse::<u64>);
    // a tick is a hundredth of a second wherever Linux runs (USER_HZ)
    Ok(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>()?))
}

/// The most memory that the process `id` ever had in use, in bytes.
///
/// # Errors
///
/// When there is no such process.
pub fn peak_bytes(id: u32) -> Result<u64> {
    status_bytes(id, "VmHWM:")
}

/// How many bytes of memory the process `id` and its descendants have in use; what they share counts
/// for each.
///
/// # Errors
///
/// When there is no such process.
pub fn resident_bytes_of_tree(id: u32) -> Result<u64> {
    tree(id)?.into_iter().map(resident_bytes).sum()
}

fn status_bytes(id: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).context("read its status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kibibytes.context("a status tells the memory")? * 1024)
}

/// The process `id` and its descendants.
fn tree(id: u32) -> Result<Vec<u32>> {
    let mut ids = vec![id];
    let mut next = 0;
    while let Some(id) = ids.get(next).copied() {
        next += 1;
        for thread in fs::read_dir(format!("/proc/{id}/task")).context("list its threads")? {
            // a thread may have ended meanwhile
            let children = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
            ids.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_tree_holds_what_children_use() {
        let own = std::process::id();
        #[expect(clippy::disallowed_methods, reason = "no runtime here; it is waited for")]
        let mut child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let begun = Instant::now();
        while cpu(child.id()).unwrap() < Duration::from_millis(50) {
            assert!(begun.elapsed() < Duration::from_secs(30), "a loop uses the processor");
            std::thread::sleep(Duration::from_millis(1));
        }
        let each = cpu(own).unwrap() + cpu(child.id()).unwrap();
        let all = cpu_of_tree(own).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(all >= each, "{all:?} of {each:?}");
    }

    #[test]
    fn threads_that_ended_count() {
        let own = std::process::id();
        let spun = std::thread::spawn(|| {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(50) {}
            cpu(std::process::id()).unwrap()
        });
        let within = spun.join().unwrap();
        assert!(cpu(own).unwrap() >= within);
    }
}
