//! Whether a service is well, as `/healthz` tells.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Asks one thing, and may block; an error is a sentence for the operator.
type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What must be well for a service to be called healthy; cheap to clone.
///
/// Without any check a service is healthy once it serves.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<Vec<Check>>>,
}

impl Health {
    /// Adds a check. It is made whenever somebody asks, where it may block.
    pub fn add(&self, check: impl Fn() -> Result<(), String> + Send + Sync + 'static) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(check));
    }

    /// Makes every check; returns what is not well.
    pub(super) async fn troubles(&self) -> Vec<String> {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all = move || checks.iter().filter_map(|check| check().err()).collect();
        match tokio::task::spawn_blocking(all).await {
            Ok(troubles) => troubles,
            Err(error) => vec![format!("a check of the health failed: {error}")],
        }
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

    #[tokio::test]
    async fn every_trouble_is_told_as_long_as_it_lasts() {
        let health = Health::default();
        assert_eq!(health.troubles().await, <[String; 0]>::default());
        let is_gone = Arc::new(Mutex::new(true));
        let gone = Arc::clone(&is_gone);
        health.add(|| Ok(()));
        health.add(move || if *gone.lock().unwrap() { Err("gone".to_owned()) } else { Ok(()) });
        assert_eq!(health.troubles().await, ["gone"]);
        *is_gone.lock().unwrap() = false;
        assert_eq!(health.troubles().await, <[String; 0]>::default());
    }
}
