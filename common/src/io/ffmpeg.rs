//! ffmpeg as a child process: media goes in, one answer of bounded size comes out.
//!
//! Whoever calls says what is to be done, in ffmpeg's own arguments; here is how it is fed, what becomes
//! of its answer, and that it ends when nobody waits for it any more. What it may open is only the pipe
//! it is fed through: media is hostile, and some formats name files and addresses to be read.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdout;

use super::process;
use super::produced::produced;

/// How many of the last bytes of what ffmpeg complains about are kept.
const COMPLAINT_BYTES: usize = 2048;

/// How much is read of it at a time at most, as much as a pipe holds.
const BLOCK_BYTES: usize = 64 * 1024;

/// Where ffmpeg is; cheap to clone.
#[derive(Clone, Debug)]
pub struct Ffmpeg {
    program: PathBuf,
}

/// Why ffmpeg gave no answer.
#[derive(Debug, Error)]
pub enum FfmpegError {
    /// It cannot be started.
    #[error("cannot start {}, is ffmpeg installed? ({source})", program.display())]
    Start {
        /// What was to be started.
        program: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What was to be fed to it cannot be read.
    #[error("cannot read what ffmpeg is to be fed")]
    Input(#[source] io::Error),
    /// It cannot be talked to.
    #[error("cannot talk to ffmpeg")]
    Pipe(#[source] io::Error),
    /// It does not know what to do with its input, or died.
    #[error("ffmpeg ended with {status}: {complaint}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        complaint: String,
    },
    /// It answered with more than was allowed for.
    #[error("ffmpeg answered with more than {max_bytes} bytes")]
    TooLarge {
        /// How much was.
        max_bytes: u64,
    },
}

impl FfmpegError {
    /// What ffmpeg said, where it ended by itself: then it is its input that it can make nothing of, if
    /// it was told nothing else than ever.
    pub fn complaint(&self) -> Option<&str> {
        match self {
            Self::Failed { status, complaint } if status.code().is_some() => Some(complaint),
            _ => None,
        }
    }
}

impl Ffmpeg {
    /// The program at `program`, or of that name in PATH.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Whether it is there and runs.
    ///
    /// # Errors
    ///
    /// When it cannot be started, or fails to tell its version.
    pub async fn check(&self) -> Result<(), FfmpegError> {
        let output = process::command(&self.program).arg("-version").output().await;
        let output = output.map_err(|source| self.not_started(source))?;
        if output.status.success() {
            return Ok(());
        }
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(FfmpegError::Failed { status: output.status, complaint })
    }

    /// What it writes to `pipe:1` when it is called with `arguments` and fed `input` at `pipe:0`, which
    /// it need not read to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be run, `input` fails, it fails itself, or answers more than `max_bytes`.
    ///
    /// Cancel safety: dropped at any time, it is killed.
    pub async fn run(
        &self,
        arguments: &[&str],
        input: impl Stream<Item = io::Result<Bytes>>,
        max_bytes: u64,
    ) -> Result<Vec<u8>, FfmpegError> {
        self.converse(arguments, input, |stdout| answer(stdout, max_bytes)).await
    }

    /// As [`Ffmpeg::run`], but what it writes is handed on as it comes, in blocks of any size, and may be of any length.
    ///
    /// Cancel safety: dropped at any time, it is killed.
    pub fn stream<I>(
        &self,
        arguments: Vec<String>,
        input: I,
    ) -> impl Stream<Item = Result<Bytes, FfmpegError>> + use<I>
    where
        I: Stream<Item = io::Result<Bytes>>,
    {
        let ffmpeg = self.clone();
        produced(|mut sink| async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let hand_on = |mut stdout: ChildStdout| async move {
                loop {
                    let mut block = BytesMut::with_capacity(BLOCK_BYTES);
                    if stdout.read_buf(&mut block).await.map_err(FfmpegError::Pipe)? == 0 {
                        return Ok(());
                    }
                    sink.put(block.freeze()).await;
                }
            };
            ffmpeg.converse(&arguments, input, hand_on).await
        })
    }

    /// Feeds `input` to it, and lets `listen` take what it answers.
    async fn converse<T, F>(
        &self,
        arguments: &[&str],
        input: impl Stream<Item = io::Result<Bytes>>,
        listen: impl FnOnce(ChildStdout) -> F,
    ) -> Result<T, FfmpegError>
    where
        F: Future<Output = Result<T, FfmpegError>>,
    {
        let mut command = process::command(&self.program);
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error"]);
        command.args(["-protocol_whitelist", "pipe"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| self.not_started(source))?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let fed = feed(stdin.expect("it is piped"), input);
        let listened = listen(stdout.expect("it is piped"));
        let complained = async {
            let last = process::last_bytes(stderr.expect("it is piped"), COMPLAINT_BYTES).await;
            last.map_err(FfmpegError::Pipe)
        };
        let ((), answer, complaint) = tokio::try_join!(fed, listened, complained)?;
        let status = child.wait().await.map_err(FfmpegError::Pipe)?;
        if status.success() {
            return Ok(answer);
        }
        let complaint = String::from_utf8_lossy(&complaint).trim().to_owned();
        Err(FfmpegError::Failed { status, complaint })
    }

    fn not_started(&self, source: io::Error) -> FfmpegError {
        FfmpegError::Start { program: self.program.clone(), source }
    }
}

/// Writes all of `input`, or as much as is taken: a program that has seen enough closes its end.
async fn feed(
    mut stdin: impl AsyncWriteExt + Unpin,
    input: impl Stream<Item = io::Result<Bytes>>,
) -> Result<(), FfmpegError> {
    let mut input = pin!(input);
    while let Some(block) = input.try_next().await.map_err(FfmpegError::Input)? {
        match stdin.write_all(&block).await {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written.map_err(FfmpegError::Pipe)?,
        }
    }
    Ok(())
}

async fn answer(stdout: impl AsyncRead + Unpin, max_bytes: u64) -> Result<Vec<u8>, FfmpegError> {
    let answer = process::at_most(stdout, max_bytes).await.map_err(FfmpegError::Pipe)?;
    answer.ok_or(FfmpegError::TooLarge { max_bytes })
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    /// A program that takes its last argument for a script. It is not written here, as a file cannot be
    /// run while any child of this process may still hold it open for writing.
    const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/ffmpeg.sh");

    fn blocks(count: usize) -> impl Stream<Item = io::Result<Bytes>> {
        stream::iter((0..count).map(|_| Ok(Bytes::from(vec![b'x'; 100_000]))))
    }

    async fn ran(
        script: &str,
        blocks: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<Vec<u8>, String> {
        let answer = Ffmpeg::new(STAND_IN).run(&[script], blocks, 1_000_000).await;
        answer.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn what_goes_in_and_comes_out_is_whole() {
        assert_eq!(ran("exec cat", blocks(10)).await.unwrap().len(), 1_000_000);
        assert_eq!(ran("echo $#", blocks(0)).await.unwrap(), b"7\n", "arguments are handed on");
    }

    #[tokio::test]
    async fn an_answer_is_bounded() {
        let error = ran("exec cat", blocks(11)).await.unwrap_err();
        assert_eq!(error, "ffmpeg answered with more than 1000000 bytes");
    }

    #[tokio::test]
    async fn an_answer_may_be_taken_as_it_comes() {
        let ffmpeg = Ffmpeg::new(STAND_IN);
        let answer = ffmpeg.stream(vec!["exec cat".into()], blocks(20));
        let answer: Vec<Bytes> = answer.try_collect().await.unwrap();
        assert!(answer.len() > 20);
        assert_eq!(answer.concat(), vec![b'x'; 2_000_000]);
        let failing = ffmpeg.stream(vec!["echo begun; exit 3".into()], blocks(0));
        let told: Vec<Result<Bytes, String>> =
            failing.map_err(|error| error.to_string()).collect().await;
        assert_eq!(told.len(), 2);
        assert_eq!(told[0], Ok(Bytes::from("begun\n")));
        assert_eq!(told[1], Err("ffmpeg ended with exit status: 3: ".into()));
    }

    #[tokio::test]
    async fn it_ends_when_its_answer_is_not_taken_any_more() {
        let ffmpeg = Ffmpeg::new(STAND_IN);
        let mut answer = Box::pin(ffmpeg.stream(vec!["echo $$; exec sleep 600".into()], blocks(1)));
        let id = answer.try_next().await.unwrap().unwrap();
        let status = format!("/proc/{}/stat", String::from_utf8_lossy(&id).trim());
        assert!(std::fs::exists(&status).unwrap());
        drop(answer);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        let is_running =
            || std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z "));
        while is_running() {
            assert!(std::time::Instant::now() < deadline, "it is still there");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn it_need_not_read_everything() {
        assert_eq!(ran("echo enough", blocks(100)).await.unwrap(), b"enough\n");
    }

    #[tokio::test]
    async fn its_failure_is_told_with_its_last_words() {
        let chatter = "i=0; while [ $i -lt 500 ]; do echo no picture >&2; i=$((i+1)); done; exit 3";
        let error = ran(chatter, blocks(1)).await.unwrap_err();
        assert!(error.starts_with("ffmpeg ended with exit status: 3: "), "{error}");
        assert!(error.ends_with("no picture"), "{error}");
        assert!((COMPLAINT_BYTES..2 * COMPLAINT_BYTES + 100).contains(&error.len()));
    }

    #[tokio::test]
    async fn an_input_that_fails_is_told() {
        let failing = stream::iter([Ok(Bytes::from("x")), Err(io::Error::other("gone"))]);
        let error = ran("exec cat", failing).await.unwrap_err();
        assert_eq!(error, "cannot read what ffmpeg is to be fed");
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let missing = Ffmpeg::new("/nowhere/ffmpeg");
        for error in
            [missing.check().await.unwrap_err(), missing.run(&[], blocks(1), 1).await.unwrap_err()]
        {
            let text = error.to_string();
            assert!(
                text.starts_with("cannot start /nowhere/ffmpeg, is ffmpeg installed?"),
                "{text}"
            );
        }
    }
}
