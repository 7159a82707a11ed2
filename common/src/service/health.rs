//! Whether a service is well, as `/healthz` tells.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Asks one thing, and may block; an error is a sentence for the operator.
type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;
/// Tells of the parts of a service, and may block.
type Report = Arc<dyn Fn() -> Parts + Send + Sync>;

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
    /// Adds a check. It is made whenever somebody asks, where it may block.
    pub fn add(&self, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(check));
    }

    /// Adds a report of the service's parts. It is asked for whenever somebody asks, where it may block.
    pub fn tell(&self, report: impl Fn() -> Parts + Send + Sync + 'static) {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(report));
    }

    /// Makes every check and asks for every report.
    pub(super) async fn answer(&self) -> Answer {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all = move || {
            let troubles = checks.iter().filter_map(|check| check().err()).collect();
            (troubles, reports.iter().map(|report| report()).collect())
        };
        let (troubles, parts): (Vec<String>, Vec<Parts>) =
            tokio::task::spawn_blocking(all).await.unwrap_or_else(|error| {
                (vec![format!("a check of the health failed: {error}")], Vec::new())
            });
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
        health.add(|| Ok(()));
        health.add(move || if *gone.lock().unwrap() { Err("gone".to_owned()) } else { Ok(()) });
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
        health.add(|| Err("gone".to_owned()));
        assert_eq!(answer(&health).await, (false, "gone\na: up\nb: changed\n".to_owned()));
    }
}
