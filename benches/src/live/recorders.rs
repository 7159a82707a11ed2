//! Who records: the downloader, its peers, and what only receives, hashes and stores. Each in a process
//! of its own, with its log beside what it wrote.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::origin::Origin;
use crate::{child, process};
use common::base::time::{Clock, SystemClock};

/// How long a recorder may take until it has ended.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that records; killed with all that it started when dropped, and
/// asked to end when the benchmark ends in another way.
#[derive(Debug)]
pub struct Recorder {
    name: &'static str,
    child: Child,
    folder: PathBuf,
}

impl Recorder {
    /// The downloader at `program`, which records `channels` of `origin` under their numbers
    /// into a store below `folder`.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn downloader(
        program: &Path,
        origin: &Origin,
        channels: impl IntoIterator<Item = usize>,
        folder: &Path,
    ) -> Result<Self> {
        let base = folder.join("store");
        fs::create_dir_all(&base).context("make a store")?;
        let mut arguments: Vec<OsString> =
            vec!["--listen".into(), "127.0.0.1:0".into(), "--base-dir".into(), base.into()];
        let channel = |channel| format!("{}:url:{}", channel_name(channel), origin.url(channel));
        arguments.extend(channels.into_iter().map(|number| channel(number).into()));
        Self::start("downloader", program, arguments, folder)
    }

    /// What receives, hashes and stores `channels` of `origin`, and no more, or only a part of that, as `work`
    /// says: the program `record_limit` beside ours.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn limit(
        work: &str,
        origin: &Origin,
        channels: std::ops::Range<usize>,
        folder: &Path,
    ) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("record_limit");
        let base = folder.join("store");
        fs::create_dir_all(&base).context("make a store")?;
        let first = channels.clone().map(|channel| {
            origin.schedule().newest(channel, SystemClock.now()).map_or(0, |newest| newest + 1)
        });
        let mut arguments: Vec<OsString> =
            vec![work.into(), origin.address().to_string().into(), base.into()];
        let pairs = channels.clone().zip(first);
        arguments.extend(pairs.map(|(channel, first)| format!("{channel}:{first}").into()));
        Self::start("limit", &program, arguments, folder)
    }

    /// The peer `name` from the folder `tools`, or from the path, which records one channel.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn peer(
        name: &'static str,
        tools: &Path,
        origin: &Origin,
        channel: usize,
        folder: &Path,
    ) -> Result<Self> {
        fs::create_dir_all(folder).context("make a folder")?;
        let (url, file) = (origin.url(channel), folder.join("recorded.ts").into_os_string());
        let before: &[&str] = match name {
            "streamlink" => &["--loglevel", "warning", &url, "best", "-o"],
            // its own downloader of HLS refuses what is live, and says to hand it on like this
            "yt-dlp" => {
                let options = ["--downloader", "ffmpeg", "--hls-use-mpegts", "--no-part"];
                &[&options[..], &["--quiet", &url, "-o"]].concat()
            }
            "ffmpeg" => &["-nostdin", "-v", "warning", "-i", &url, "-c", "copy", "-f", "mpegts"],
            _ => bail!("nobody knows {name}"),
        };
        let mut arguments: Vec<OsString> = before.iter().map(OsString::from).collect();
        arguments.push(file);
        let own = tools.join(name);
        let program = if own.exists() { own } else { PathBuf::from(name) };
        Self::start(name, &program, arguments, folder)
    }

    fn start(
        name: &'static str,
        program: &Path,
        arguments: Vec<OsString>,
        folder: &Path,
    ) -> Result<Self> {
        let log = File::create(folder.join("log")).context("make a log")?;
        let mut command = child::command(program);
        command.args(arguments).current_dir(folder).process_group(0);
        command.env("WUBLOADER_LOG", "info").env("WUBLOADER_LOG_FORMAT", "text");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("start {}", program.display()))?;
        Ok(Self { name, child, folder: folder.to_owned() })
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where the downloader stores.
    pub fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// How much processor time it has used, with all that it started.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn cpu(&self) -> Result<Duration> {
        process::cpu_of_tree(self.id()).with_context(|| self.complaint())
    }

    /// How many bytes of memory it has in use, with all that it started.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn resident_bytes(&self) -> Result<u64> {
        process::resident_bytes_of_tree(self.id()).with_context(|| self.complaint())
    }

    /// How many bytes it has written that are still there, finished or not.
    ///
    /// # Errors
    ///
    /// When they cannot be counted.
    pub fn written(&self) -> Result<u64> {
        bytes_below(&self.folder).with_context(|| self.complaint())
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::SIGTERM);
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                bail!("{} does not end", self.name);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        if let Ok(group) = i32::try_from(self.id()) {
            let _ = killpg(Pid::from_raw(group), signal);
        }
    }

    /// What to say when it is not there.
    fn complaint(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        format!("{} does not record: {}", self.name, last.join(" | "))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// What a channel is called in a store.
pub fn channel_name(channel: usize) -> String {
    format!("c{channel}")
}

fn bytes_below(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // a file that is being written gets another name at any moment
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += if metadata.is_dir() { bytes_below(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
