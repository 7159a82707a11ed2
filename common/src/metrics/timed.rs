//! Timed functions: how long a piece of work took and how much CPU it used, by labels.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use prometheus::HistogramVec;

use super::Metrics;

/// The metrics of one timed function: `NAME_latency` and `NAME_cputime`, and with a unit of work
/// `NAME_latency_normalized` and `NAME_cputime_normalized`, all in seconds.
#[derive(Clone, Debug)]
pub struct Timed {
    latency: HistogramVec,
    cputime: HistogramVec,
    latency_normalized: HistogramVec,
    cputime_normalized: HistogramVec,
    labels: usize,
}

/// What is known of a piece of work once it is done.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The values of the labels, in the order in which [`Timed::new`] named them.
    pub labels: Vec<String>,
    /// Empty, or the kind of the error.
    pub error: &'static str,
    /// How much work it was (segments, bytes, seconds of video); none or zero records no time per
    /// unit.
    pub units: Option<f64>,
}

impl Timed {
    /// The metrics of the function `name` with `labels` of its own.
    pub fn new(metrics: &Metrics, name: &str, labels: &[&str]) -> Self {
        let latency_labels = [labels, &["error"]].concat();
        let cpu_labels = [labels, &["error", "type"]].concat();
        let histogram = |suffix: &str, help: &str, labels: &[&str]| {
            let help = format!("Seconds of {help} of {name}");
            metrics.histogram(&format!("{name}_{suffix}"), &help, labels, &default_buckets())
        };
        Self {
            latency: histogram("latency", "time", &latency_labels),
            cputime: histogram("cputime", "CPU time", &cpu_labels),
            latency_normalized: histogram("latency_normalized", "time per unit", &latency_labels),
            cputime_normalized: histogram("cputime_normalized", "CPU time per unit", &cpu_labels),
            labels: labels.len(),
        }
    }

    /// Runs `work` on this thread. `describe` sees its result; labels that fail to be computed are
    /// empty.
    pub fn run<T>(&self, work: impl FnOnce() -> T, describe: impl FnOnce(&T) -> Observed) -> T {
        let started = Instant::now();
        let cpu = CpuTime::of_thread();
        let result = work();
        let cpu = CpuTime::of_thread() - cpu;
        self.observe(started.elapsed(), cpu, || describe(&result));
        result
    }

    /// Awaits `work`, counting the CPU time of its polls. A future that is dropped before its end
    /// records nothing.
    ///
    /// Cancel safety: that of `work`.
    pub async fn run_async<T>(
        &self,
        work: impl Future<Output = T>,
        describe: impl FnOnce(&T) -> Observed,
    ) -> T {
        let started = Instant::now();
        let (result, cpu) = Metered { work: pin!(work), cpu: CpuTime::default() }.await;
        self.observe(started.elapsed(), cpu, || describe(&result));
        result
    }

    fn observe(&self, latency: Duration, cpu: CpuTime, describe: impl FnOnce() -> Observed) {
        // a label that cannot be computed must never break the call
        let mut observed = catch_unwind(AssertUnwindSafe(describe)).unwrap_or_default();
        observed.labels.resize(self.labels, String::new());
        let mut labels: Vec<&str> = observed.labels.iter().map(String::as_str).collect();
        labels.push(observed.error);
        let units = observed.units.filter(|units| *units > 0.0);
        let latency = latency.as_secs_f64();
        self.latency.with_label_values(&labels).observe(latency);
        if let Some(units) = units {
            self.latency_normalized.with_label_values(&labels).observe(latency / units);
        }
        for (kind, spent) in [("user", cpu.user), ("system", cpu.system)] {
            let labels = [labels.as_slice(), &[kind]].concat();
            self.cputime.with_label_values(&labels).observe(spent.as_secs_f64());
            if let Some(units) = units {
                let per_unit = spent.as_secs_f64() / units;
                self.cputime_normalized.with_label_values(&labels).observe(per_unit);
            }
        }
    }
}

/// Powers of four from a nanosecond to almost five hours.
fn default_buckets() -> Vec<f64> {
    std::iter::successors(Some(1e-9), |bound| Some(bound * 4.0)).take(23).collect()
}

/// CPU time used by a thread.
#[derive(Clone, Copy, Debug, Default)]
struct CpuTime {
    user: Duration,
    system: Duration,
}

impl CpuTime {
    /// What this thread used since it began.
    fn of_thread() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("the kernel knows this thread");
        let micros = |time: nix::sys::time::TimeVal| {
            Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap_or(0))
        };
        Self { user: micros(usage.user_time()), system: micros(usage.system_time()) }
    }
}

impl std::ops::Sub for CpuTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// A future that adds up the CPU time of its polls, whichever threads they run on.
struct Metered<'a, F> {
    work: Pin<&'a mut F>,
    cpu: CpuTime,
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = (F::Output, CpuTime);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let before = CpuTime::of_thread();
        let polled = self.work.as_mut().poll(context);
        let spent = CpuTime::of_thread() - before;
        self.cpu.user += spent.user;
        self.cpu.system += spent.system;
        polled.map(|output| (output, self.cpu))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of the sample whose line begins with `start`.
    fn sample(metrics: &Metrics, start: &str) -> f64 {
        let text = metrics.render();
        let line = text.lines().find(|line| line.starts_with(start));
        let line = line.unwrap_or_else(|| panic!("{start} in {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    fn busy(span: Duration) {
        let started = CpuTime::of_thread();
        while (CpuTime::of_thread() - started).user < span {
            std::hint::black_box([0_u8; 4096].iter().sum::<u8>());
        }
    }

    #[test]
    fn work_is_recorded_with_its_labels_and_per_unit() {
        let metrics = Metrics::empty();
        let timed = Timed::new(&metrics, "work", &["channel"]);
        timed.run(
            || busy(Duration::from_millis(20)),
            |()| Observed { labels: vec!["chan".into()], error: "", units: Some(1000.0) },
        );
        let labels = "{channel=\"chan\",error=\"\"}";
        assert!(sample(&metrics, &format!("work_latency_sum{labels}")) >= 0.02);
        let per_unit = sample(&metrics, &format!("work_latency_normalized_sum{labels}"));
        let whole = sample(&metrics, &format!("work_latency_sum{labels}"));
        assert!((per_unit * 1000.0 - whole).abs() < 1e-9);
        assert!(
            sample(&metrics, "work_cputime_sum{channel=\"chan\",error=\"\",type=\"user\"}") >= 0.02
        );
    }

    #[test]
    fn a_label_that_fails_is_empty_and_no_unit_records_none() {
        let metrics = Metrics::empty();
        let timed = Timed::new(&metrics, "work", &["channel"]);
        assert_eq!(timed.run(|| 7, |_| panic!("no label")), 7);
        assert!(
            (sample(&metrics, "work_latency_count{channel=\"\",error=\"\"}") - 1.0).abs() < 1e-9
        );
        timed.run(|| 7, |_| Observed { units: Some(0.0), ..Observed::default() });
        assert!(!metrics.render().contains("work_latency_normalized_count"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_cpu_of_waiting_is_not_counted() {
        let metrics = Metrics::empty();
        let timed = Timed::new(&metrics, "work", &[]);
        let work = async {
            busy(Duration::from_millis(10));
            // another task burns CPU on this thread while this one waits
            let other = async { busy(Duration::from_millis(200)) };
            let mut others = tokio::task::JoinSet::new();
            others.spawn(other);
            others.join_all().await;
            busy(Duration::from_millis(10));
        };
        timed.run_async(work, |()| Observed::default()).await;
        let spent = sample(&metrics, "work_cputime_sum{error=\"\",type=\"user\"}");
        assert!((0.02..0.2).contains(&spent), "{spent}");
    }
}
