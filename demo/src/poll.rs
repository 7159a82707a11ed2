//! Waiting for something to come true: by looking, with a deadline.

use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::time::{Instant, sleep, timeout_at};

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks again and again until what is looked for is there; the error of a look says why it is
/// not, and `failure` says what it means if that is still so after `within`.
///
/// # Errors
///
/// When the time is up: `failure`, with the reason of the last look that came to an end.
pub(crate) async fn poll<T>(
    failure: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + within;
    let mut reason = anyhow!("looking took too long");
    while Instant::now() < deadline {
        match timeout_at(deadline, look()).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(not_yet)) => reason = not_yet,
            Err(_) => break,
        }
        sleep(PAUSE).await;
    }
    Err(reason).context(format!("{failure}, after {} s", within.as_secs()))
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn looks_until_it_is_there() {
        let mut looks = 0;
        let found = poll("it is not there", Duration::from_secs(5), async || {
            looks += 1;
            ensure!(looks == 3, "look {looks}");
            Ok(looks)
        });
        assert_eq!(found.await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn says_why_when_the_time_is_up() {
        let within = Duration::from_secs(5);
        let never = poll::<()>("it is not there", within, async || Err(anyhow!("only dust")));
        assert_eq!(
            format!("{:#}", never.await.unwrap_err()),
            "it is not there, after 5 s: only dust"
        );
        let mut looks = 0;
        let slow = poll::<()>("it is not there", within, async || {
            looks += 1;
            if looks == 2 {
                std::future::pending::<()>().await;
            }
            Err(anyhow!("only dust"))
        });
        let error = format!("{:#}", slow.await.unwrap_err());
        assert_eq!(error, "it is not there, after 5 s: only dust");
        let stuck = poll("it is not there", within, async || {
            std::future::pending::<()>().await;
            Ok(())
        });
        let error = format!("{:#}", stuck.await.unwrap_err());
        assert_eq!(error, "it is not there, after 5 s: looking took too long");
    }
}
