//! Which processes belong to a folder.

use std::fs;
use std::path::Path;

/// The processes that name `folder` on their command line or run below it, as the kernel lists
/// them; one that has ended and is only waited for is none.
pub(crate) fn processes_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let is_own = |pid: &str| pid == std::process::id().to_string();
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && !is_own(name))
        .filter_map(|pid| belongs(&pid, folder))
        .collect()
}

fn belongs(pid: &str, folder: &Path) -> Option<String> {
    let of = Path::new("/proc").join(pid);
    let command = fs::read(of.join("cmdline")).ok()?;
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    let is_named = command.contains(folder.to_str()?);
    let runs_there = fs::read_link(of.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    (is_named || runs_there).then(|| format!("{pid} {command}"))
}
