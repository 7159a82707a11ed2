//! The operator's own OAuth token, read anew for each look so that it can be changed while we run.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::provider::ResolveError;

/// The largest token file, in bytes.
const MAX_BYTES: u64 = 4 << 10;
/// How long reading it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who may read: one look at a time, since where a mount hangs each of them would leave a thread behind.
static TURNS: Semaphore = Semaphore::const_new(1);

/// The token in `file`.
///
/// # Errors
///
/// When there is none, the file is no regular one or takes too long.
///
/// Cancel safety: dropped in between, the file is read to its end for nobody.
pub(super) async fn read(file: &Path) -> Result<String, ResolveError> {
    let refused = |problem: &str| {
        ResolveError::Refused(format!("the token file {} {problem}", file.display()))
    };
    let path = file.to_owned();
    let text = on_a_thread(&TURNS, move || read_text(&path)).await;
    let text = text.map_err(|error| refused(&format!("cannot be read: {error}")))?;
    let token = text.trim();
    let token = token.strip_prefix("oauth:").unwrap_or(token);
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(refused("holds no token"));
    }
    Ok(token.to_owned())
}

/// What `read` reads, on a thread that may wait for a disk. One that hangs keeps its turn.
async fn on_a_thread<T: Send + 'static>(
    turns: &'static Semaphore,
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let read = async {
        let turn = turns.acquire().await.map_err(io::Error::other)?;
        let in_turn = move || {
            let _turn = turn;
            read()
        };
        spawn_blocking(in_turn).await.map_err(io::Error::other)?
    };
    let slow = |_| io::Error::other(format!("it takes longer than {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, read).await.map_err(slow)?
}

fn read_text(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(file)?.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Opens a regular file. Nothing else is waited for: a FIFO would wait for whoever writes to it.
fn open(file: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(file)?;
    if !opened.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok(opened)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use common::io::process;

    use super::*;

    #[tokio::test]
    async fn what_is_no_regular_file_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("token");
        assert!(process::command("mkfifo").arg(&fifo).status().await.unwrap().success());
        for path in [&fifo, folder.path(), Path::new("/dev/null")] {
            let ResolveError::Refused(detail) = read(path).await.unwrap_err() else {
                panic!("{}", path.display());
            };
            assert!(detail.ends_with("cannot be read: it is no regular file"), "{detail}");
        }
    }

    #[tokio::test]
    async fn a_file_that_hangs_holds_up_nobody_and_takes_one_thread() {
        static TURNS: Semaphore = Semaphore::const_new(1);
        let (begun, has_begun) = mpsc::channel();
        let (end, until) = mpsc::channel::<()>();
        let endless = move || {
            begun.send(()).unwrap();
            let _ = until.recv();
            Ok(())
        };
        let others = async {
            while has_begun.try_recv().is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::pause();
            tokio::time::advance(2 * PATIENCE).await;
        };
        let (hung, ()) = tokio::join!(on_a_thread(&TURNS, endless), others);
        assert_eq!(hung.unwrap_err().to_string(), "it takes longer than 5 s");
        assert_eq!(TURNS.available_permits(), 0, "the thread is still there");

        let next = on_a_thread(&TURNS, || panic!("a second thread hangs"));
        let (next, ()) = tokio::join!(next, tokio::time::advance(2 * PATIENCE));
        let next: io::Result<()> = next;
        assert_eq!(next.unwrap_err().to_string(), "it takes longer than 5 s");

        drop(end);
        tokio::time::resume();
        assert_eq!(on_a_thread(&TURNS, || Ok(7)).await.unwrap(), 7);
    }
}
