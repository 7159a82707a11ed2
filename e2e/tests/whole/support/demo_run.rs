//! A run of the demo, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::io::process;
use demo::{Role, titles};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::process::{Lines, Process, program};
use super::{PATIENCE, eventually, processes_in, world_readable_folder};

/// How long a whole story may take, with services that are killed in it.
const STORY: Duration = Duration::from_mins(4);

/// The name of the folder of everything.
const DATA: &str = "a demo's data 100%20";

/// A picture that costs little to encode.
pub(crate) const CHEAP: [&str; 2] = ["--origin-height", "180"];

/// The demo at work.
#[derive(Debug)]
pub(crate) struct DemoRun {
    process: Process,
    folder: TempDir,
}

impl DemoRun {
    /// Starts the demo with `arguments`.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = world_readable_folder();
        // a path that a shell, a URL, ffmpeg and a database's address would stumble over
        let data = folder.path().join(DATA);
        let mut command = process::command(program("demo"));
        command.args(arguments).arg("--data").arg(data);
        // what the caller has set for services of its own must not reach the demo's: this one would
        // make every backfiller refuse to start
        command.env("WUBLOADER_DELETE_OLD", "true");
        Self { process: Process::start(command), folder }
    }

    /// The folder of everything.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join(DATA)
    }

    /// What it told so far.
    pub(crate) const fn told(&self) -> &Lines {
        self.process.stdout()
    }

    /// Waits until it begins the step that is called `title`.
    pub(crate) async fn until(&self, title: &str) {
        let told = self.told().find(&format!("== {title}"), STORY).await.is_some();
        assert!(told, "no {title:?}: {:#?} after {:#?}", self.complaints(), self.told().all());
    }

    /// Sends the demo itself a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until the database, the encoder and all eight services run.
    pub(crate) async fn all_run(&self) {
        let data = self.data();
        let services = Role::ALL.map(|role| format!("/{role} --base-dir {}", data.display()));
        eventually("everything runs", async || {
            let running = processes_in(&data);
            let count = |what: &str| running.iter().filter(|line| line.contains(what)).count();
            let both = services.iter().all(|service| count(service) == 2);
            (both && count("postgres -D") >= 1 && count("ffmpeg ") >= 1).then_some(())
        })
        .await;
    }

    /// Kills the origin's encoder, which is never started again.
    pub(crate) async fn kill_origin(&self) {
        let pid_file = self.data().join("run/origin/encoder.pid");
        let pid = eventually("the encoder runs", async || read_pid(&pid_file)).await;
        kill_process(pid, Signal::KILL).unwrap();
    }

    /// Sends a service of a node a signal, once it runs.
    pub(crate) async fn send(&self, node: char, role: Role, signal: Signal) -> Pid {
        let pid_file = self.pid_file(node, role);
        let pid = eventually("the service runs", async || read_pid(&pid_file)).await;
        kill_process(pid, signal).unwrap();
        pid
    }

    /// Kills a service of a node, once it runs, and waits until it runs again as another process.
    pub(crate) async fn kill(&self, node: char, role: Role) {
        let killed = self.kill_and_hear(node, role).await;
        let pid_file = self.pid_file(node, role);
        let again = async || read_pid(&pid_file).filter(|again| *again != killed);
        eventually("the service runs again", again).await;
    }

    /// As [`Self::kill`], but waits only until the demo tells of it: the story may end before it runs again.
    pub(crate) async fn kill_and_hear(&self, node: char, role: Role) -> Pid {
        let killed = self.send(node, role, Signal::KILL).await;
        let told = format!("!! node {node}'s {role} was killed by signal 9");
        self.told().until(&told, PATIENCE).await;
        killed
    }

    fn pid_file(&self, node: char, role: Role) -> PathBuf {
        self.data().join(format!("run/node-{node}/{role}.pid"))
    }

    /// Waits until a cutter begins to write a video.
    pub(crate) async fn a_video_appears(&self) {
        let videos = self.data().join("videos");
        let appears = async {
            while fs::read_dir(&videos).unwrap().next().is_none() {
                // the whole writing may be a matter of milliseconds
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(STORY, appears).await.expect("a video is cut");
    }

    /// The finished videos.
    pub(crate) fn videos(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.data().join("videos")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|end| end == "ts")).collect()
    }

    /// Waits for its end; returns its exit status, once it is sure that nothing is left running.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        self.ended_within(STORY).await
    }

    /// As [`Self::ended`], when the end must come soon.
    pub(crate) async fn ended_within(&mut self, within: Duration) -> Option<i32> {
        let status = self.process.ended(within).await;
        let data = self.data();
        // whom the kernel kills ends a moment later
        eventually("the end of all its processes", async || {
            processes_in(&data).is_empty().then_some(())
        })
        .await;
        status.code()
    }

    /// What it wrote to standard error so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.process.stderr().all()
    }

    /// The lines of the services' logs that somebody should read.
    pub(crate) fn complaints_of_services(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for (node, role) in ['a', 'b'].into_iter().flat_map(|n| Role::ALL.map(|role| (n, role))) {
            let log = self.data().join(format!("log/node-{node}/{role}.log"));
            let log = fs::read_to_string(log).unwrap();
            let is_bad = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ");
            complaints.extend(log.lines().filter(is_bad).map(|line| format!("{node} {line}")));
        }
        complaints
    }

    /// Waits for the end of the story, every step of which must have held.
    pub(crate) async fn held(&mut self) {
        let code = self.ended().await;
        let (told, complaints) = (self.told().all(), self.complaints());
        assert_eq!(code, Some(0), "{complaints:#?} after {told:#?}");
        assert!(complaints.is_empty(), "{complaints:#?}");
        assert!(told.last().is_some_and(|line| line.ends_with(titles::HELD)), "{told:#?}");
    }
}

fn read_pid(file: &Path) -> Option<Pid> {
    fs::read_to_string(file).ok()?.trim().parse().ok().and_then(Pid::from_raw)
}
