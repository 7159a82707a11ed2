//! Whether a service is well, as `/healthz` tells.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// How long a check may take. Whoever asks for the health gives up after some seconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// An error is a sentence for the operator.
type Told = Result<(), String>;
/// Asks one thing, and may block or hang.
type Asking = Arc<dyn Fn() -> Told + Send + Sync>;
/// Tells of the parts of a service, and may block.
type Report = Arc<dyn Fn() -> Parts + Send + Sync>;

/// One thing that is asked for, never twice at a time.
#[derive(Clone)]
struct Check {
    /// For people.
    what: &'static str,
    asking: Asking,
    /// Whether the service does its work while there is no answer.
    is_bearable: bool,
    under_way: Arc<tokio::sync::Mutex<Option<JoinHandle<Told>>>>,
}

/// What came of a check.
enum Checked {
    Well,
    Trouble(String),
    /// No answer, which the service can bear.
    Borne(String),
}

impl Check {
    /// Waits for the answer until `deadline`. One that comes later is waited for by whoever asks next.
    async fn ask(&self, deadline: Instant) -> Option<Told> {
        let mut under_way = timeout_at(deadline, self.under_way.lock()).await.ok()?;
        // an answer that nobody waited for may be an old one
        let asked = under_way.take().filter(|asked| !asked.is_finished());
        let asking = Arc::clone(&self.asking);
        let begin = || tokio::task::spawn_blocking(move || asking());
        let asked = under_way.insert(asked.unwrap_or_else(begin));
        let answer = timeout_at(deadline, asked).await.ok()?;
        *under_way = None;
        let failed = |error| Err(format!("a check of the health failed: {error}"));
        Some(answer.unwrap_or_else(failed))
    }

    async fn check(&self, deadline: Instant) -> Checked {
        match self.ask(deadline).await {
            Some(Ok(())) => Checked::Well,
            Some(Err(trouble)) => Checked::Trouble(trouble),
            None => {
                let silence = format!("{} does not answer, does its disk hang?", self.what);
                if self.is_bearable { Checked::Borne(silence) } else { Checked::Trouble(silence) }
            }
        }
    }
}

/// How the parts of a service are, of which each can fail without the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Whether somebody should look at one of them.
    pub degraded: bool,
    /// One line for each.
    pub lines: Vec<String>,
}

/// What must be well for a service to be called healthy; cheap to clone.
///
/// Without any check a service is healthy once it serves. A check that fails makes it unhealthy, and
/// whatever supervises it may then restart it, so a check is for what ends all of its work. What ends a
/// part of it is told by a report, which never makes it unhealthy.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<Vec<Check>>>,
    reports: Arc<Mutex<Vec<Report>>>,
}

/// What `/healthz` answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) healthy: bool,
    /// The verdict or the troubles, then a line for each part.
    pub(super) text: String,
}

impl Health {
    /// Adds a check of `what`. It is made whenever somebody asks, where it may block; one that hangs is
    /// one that fails.
    pub fn add(
        &self,
        what: &'static str,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.add_check(what, false, Arc::new(check));
    }

    /// As [`Health::add`], for what the service can do without for a while: a check that hangs is told of,
    /// but does not make the service unhealthy.
    pub fn add_bearable(
        &self,
        what: &'static str,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.add_check(what, true, Arc::new(check));
    }

    fn add_check(&self, what: &'static str, is_bearable: bool, asking: Asking) {
        let check = Check { what, asking, is_bearable, under_way: Arc::default() };
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push(check);
    }

    /// Adds a report of the service's parts. It is asked for whenever somebody asks, where it may block.
    pub fn tell(&self, report: impl Fn() -> Parts + Send + Sync + 'static) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(report));
    }

    /// Makes every check and asks for every report.
    pub(super) async fn answer(&self) -> Answer {
        self.answer_within(ANSWERS_WITHIN).await
    }

    async fn answer_within(&self, patience: Duration) -> Answer {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let deadline = Instant::now() + patience;
        let (mut troubles, mut borne) = (Vec::new(), Vec::new());
        for check in &checks {
            match check.check(deadline).await {
                Checked::Well => {}
                Checked::Trouble(trouble) => troubles.push(trouble),
                Checked::Borne(silence) => borne.push(silence),
            }
        }
        let all = move || reports.iter().map(|report| report()).collect();
        let mut parts: Vec<Parts> = match tokio::task::spawn_blocking(all).await {
            Ok(parts) => parts,
            Err(error) => {
                troubles.push(format!("a check of the health failed: {error}"));
                Vec::new()
            }
        };
        parts.insert(0, Parts { degraded: !borne.is_empty(), lines: borne });
        let healthy = troubles.is_empty();
        let degraded = parts.iter().any(|part| part.degraded);
        let verdict = if degraded { "degraded" } else { "ok" };
        let first = if healthy { vec![verdict.to_owned()] } else { troubles };
        let lines = first.into_iter().chain(parts.into_iter().flat_map(|part| part.lines));
        let text = lines.map(|line| line + "\n").collect();
        Answer { healthy, text }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(health: &Health) -> (bool, String) {
        let answer = health.answer().await;
        (answer.healthy, answer.text)
    }

    #[tokio::test]
    async fn every_trouble_is_told_as_long_as_it_lasts() {
        let health = Health::default();
        let well = (true, "ok\n".to_owned());
        assert_eq!(answer(&health).await, well);
        let is_gone = Arc::new(Mutex::new(true));
        let gone = Arc::clone(&is_gone);
        health.add("this", || Ok(()));
        health.add(
            "that",
            move || if *gone.lock().unwrap() { Err("gone".to_owned()) } else { Ok(()) },
        );
        assert_eq!(answer(&health).await, (false, "gone\n".to_owned()));
        *is_gone.lock().unwrap() = false;
        assert_eq!(answer(&health).await, well);
    }

    #[tokio::test]
    async fn parts_are_told_and_never_make_a_service_unhealthy() {
        let health = Health::default();
        let lines = vec!["a: up".to_owned(), "b: changed".to_owned()];
        let parts = Arc::new(Mutex::new(Parts { degraded: false, lines }));
        let told = Arc::clone(&parts);
        health.tell(move || told.lock().unwrap().clone());
        assert_eq!(answer(&health).await, (true, "ok\na: up\nb: changed\n".to_owned()));
        parts.lock().unwrap().degraded = true;
        assert_eq!(answer(&health).await, (true, "degraded\na: up\nb: changed\n".to_owned()));
        health.add("it", || Err("gone".to_owned()));
        assert_eq!(answer(&health).await, (false, "gone\na: up\nb: changed\n".to_owned()));
    }

    #[tokio::test]
    async fn a_check_that_hangs_is_told_of_and_made_once_at_a_time() {
        for is_bearable in [true, false] {
            let health = Health::default();
            let (release, released) = std::sync::mpsc::channel::<()>();
            let released = Mutex::new(released);
            let made = Arc::new(Mutex::new(0));
            let count = Arc::clone(&made);
            let check = move || {
                *count.lock().unwrap() += 1;
                let _ = released.lock().unwrap().recv();
                Ok(())
            };
            if is_bearable {
                health.add_bearable("the store", check);
            } else {
                health.add("the store", check);
            }
            let silence = "the store does not answer, does its disk hang?\n";
            let first = if is_bearable { "degraded\n" } else { "" };
            let hasty = || health.answer_within(Duration::from_millis(20));
            for _ in 0..2 {
                let (one, other) = tokio::join!(hasty(), hasty());
                let text = format!("{first}{silence}");
                assert_eq!(one, Answer { healthy: is_bearable, text });
                assert_eq!(one, other);
            }
            assert_eq!(*made.lock().unwrap(), 1);
            drop(release);
            assert_eq!(answer(&health).await, (true, "ok\n".to_owned()));
        }
    }
}
