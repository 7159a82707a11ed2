//! What a process uses: the usual metrics, with CPU time to the microsecond.

use std::fs;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge};

/// Reads what this process uses whenever metrics are asked for.
#[derive(Debug)]
pub(super) struct ProcessUsage {
    cpu_seconds: Counter,
    resident_bytes: Gauge,
    virtual_bytes: Gauge,
    open_files: Gauge,
    max_files: Gauge,
    threads: Gauge,
    start_seconds: Gauge,
}

impl ProcessUsage {
    pub(super) fn new() -> Self {
        let gauge = |name, help| Gauge::new(name, help).expect("the name is a constant");
        Self {
            cpu_seconds: Counter::new("process_cpu_seconds_total", "User and system CPU time")
                .expect("the name is a constant"),
            resident_bytes: gauge("process_resident_memory_bytes", "Memory in use"),
            virtual_bytes: gauge("process_virtual_memory_bytes", "Address space in use"),
            open_files: gauge("process_open_fds", "Open file descriptors"),
            max_files: gauge("process_max_fds", "How many file descriptors may be open"),
            threads: gauge("process_threads", "Threads"),
            start_seconds: gauge("process_start_time_seconds", "When it started, in Unix time"),
        }
    }

    fn collectors(&self) -> [&dyn Collector; 7] {
        [
            &self.cpu_seconds,
            &self.resident_bytes,
            &self.virtual_bytes,
            &self.open_files,
            &self.max_files,
            &self.threads,
            &self.start_seconds,
        ]
    }

    /// Reads everything anew; what cannot be read keeps its last value.
    #[expect(clippy::cast_precision_loss, reason = "a metric is an f64, and these are far smaller")]
    fn read(&self) {
        if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
            let seconds = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
            let spent = seconds(usage.user_time()) + seconds(usage.system_time());
            self.cpu_seconds.inc_by((spent - self.cpu_seconds.get()).max(0.0));
        }
        if let Some(pages) =
            fs::read_to_string("/proc/self/statm").ok().and_then(|text| pages(&text))
        {
            let page = rustix::param::page_size() as f64;
            self.virtual_bytes.set(pages.0 as f64 * page);
            self.resident_bytes.set(pages.1 as f64 * page);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // the folder that is being read is one of them
            self.open_files.set(files.count().saturating_sub(1) as f64);
        }
        if let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE) {
            self.max_files.set(soft as f64);
        }
        if let Some(stat) = fs::read_to_string("/proc/self/stat").ok().and_then(|text| stat(&text))
        {
            self.threads.set(stat.threads as f64);
            if let Some(boot) = fs::read_to_string("/proc/stat").ok().and_then(|text| boot(&text)) {
                let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
                self.start_seconds.set(boot as f64 + stat.start_ticks as f64 / ticks_per_second);
            }
        }
    }
}

impl Collector for ProcessUsage {
    fn desc(&self) -> Vec<&Desc> {
        self.collectors().iter().flat_map(|metric| metric.desc()).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.read();
        self.collectors().iter().flat_map(|metric| metric.collect()).collect()
    }
}

/// The pages of the address space and those in memory, out of proc(5)'s `statm`.
fn pages(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_whitespace().map(str::parse);
    Some((words.next()?.ok()?, words.next()?.ok()?))
}

/// What is used of proc(5)'s `stat` of a process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    threads: u64,
    /// When the process started, in clock ticks since the machine did.
    start_ticks: u64,
}

fn stat(text: &str) -> Option<Stat> {
    // the second field is the program's name in parentheses, which may hold anything
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let threads = fields.nth(17)?.parse().ok()?;
    let start_ticks = fields.nth(1)?.parse().ok()?;
    Some(Stat { threads, start_ticks })
}

/// When the machine started, in Unix time, out of proc(5)'s `/proc/stat`.
fn boot(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::time::{Clock, SystemClock};

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let text = "42 (a ) b (c) R 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 11 0 123456 9 10";
        assert_eq!(stat(text), Some(Stat { threads: 11, start_ticks: 123_456 }));
        assert_eq!(stat("42 (short) R 1"), None);
    }

    #[test]
    fn what_is_read_is_this_process() {
        let usage = ProcessUsage::new();
        usage.read();
        assert!(usage.resident_bytes.get() > 1e6 && usage.virtual_bytes.get() > 1e6);
        assert!(usage.open_files.get() >= 3.0 && usage.max_files.get() > usage.open_files.get());
        assert!(usage.threads.get() >= 1.0);
        #[expect(clippy::cast_precision_loss, reason = "seconds, to one part in a million")]
        let age = SystemClock.now().micros() as f64 / 1e6 - usage.start_seconds.get();
        assert!((-2.0..3600.0).contains(&age), "{age} s old");
    }

    #[test]
    fn cpu_time_goes_on_in_parts_of_a_second() {
        let usage = ProcessUsage::new();
        usage.read();
        let before = usage.cpu_seconds.get();
        let started = std::time::Instant::now();
        while started.elapsed() < Duration::from_millis(50) {
            std::hint::black_box([0_u8; 4096].iter().sum::<u8>());
        }
        usage.read();
        let spent = usage.cpu_seconds.get() - before;
        assert!(spent > 0.001 && spent < 1.0, "{spent} s");
    }
}
