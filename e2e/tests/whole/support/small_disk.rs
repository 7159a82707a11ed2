//! A small disk that can be full: a file system in memory, mounted in a mount namespace of its own, so that
//! nothing is left of it however the test ends.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use common::io::process;
use tempfile::TempDir;
use tokio::process::Command;

use super::{PATIENCE, Process, program};

/// What is written at a time where as much as possible is to be written.
const BLOCK: [u8; 4096] = [0xaa; 4096];

/// The disk; gone when it is dropped and nobody uses it any more.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    /// Keeps the namespace, in which it reads our end of a pipe until that is closed.
    keeper: Process,
    mount_point: TempDir,
}

impl SmallDisk {
    /// Mounts a disk of `bytes` bytes with an empty folder for a store.
    ///
    /// # Panics
    ///
    /// When that is not allowed.
    pub(crate) async fn mount(bytes: usize) -> Self {
        let may_mount = rustix::process::getuid().is_root();
        assert!(may_mount, "a test that fills a disk mounts one, which needs root; run it as root");
        let mount_point = tempfile::tempdir().expect("a folder can be made");
        let script = "mount -t tmpfs -o size=\"$1\" none \"$2\" && echo mounted && exec cat";
        let mut command = process::command("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
        command.arg(bytes.to_string()).arg(mount_point.path()).stdin(Stdio::piped());
        let keeper = Process::start(command);
        keeper.stdout().until("mounted", PATIENCE).await;
        let disk = Self { keeper, mount_point };
        fs::create_dir(disk.seen("store")).expect("there is room");
        disk
    }

    /// The folder for a store, as a program of [`Self::command`] sees it.
    pub(crate) fn store(&self) -> PathBuf {
        self.mount_point.path().join("store")
    }

    /// The folder for a store, as everybody else sees it.
    pub(crate) fn store_from_outside(&self) -> PathBuf {
        self.seen("store")
    }

    /// A command that runs a program of the workspace where the disk is mounted.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = process::command("nsenter");
        command.args(["--mount", "--target", &self.keeper.id().to_string(), "--"]);
        command.arg(program(name));
        command
    }

    /// Fills what is free.
    pub(crate) fn fill(&self) {
        let filler = File::options().create(true).append(true).open(self.seen("filler"));
        let mut filler = filler.expect("a file without bytes always fits");
        let error = loop {
            if let Err(error) = filler.write_all(&BLOCK) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    }

    /// Makes room again.
    pub(crate) fn free(&self) {
        fs::remove_file(self.seen("filler")).expect("it was filled");
    }

    fn seen(&self, name: &str) -> PathBuf {
        let root = Path::new("/proc").join(self.keeper.id().to_string()).join("root");
        let mount_point = self.mount_point.path();
        root.join(mount_point.strip_prefix("/").unwrap_or(mount_point)).join(name)
    }
}
