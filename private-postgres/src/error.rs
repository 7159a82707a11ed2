//! What can go wrong, said so that a person knows what to do next.

use std::io;
use std::path::PathBuf;

/// Why a cluster could not be started, asked or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No `initdb` and `postgres` were found.
    #[error(
        "PostgreSQL's server programs were not found below /usr/lib/postgresql or in PATH; \
         install them with: apt-get install --no-install-recommends postgresql"
    )]
    NotInstalled,
    /// The data folder holds a cluster of a version whose programs are not installed.
    #[error(
        "{} holds a cluster of PostgreSQL {version}, whose programs are not installed; install \
         them with: apt-get install postgresql-{version} (or remove the folder to begin anew)",
        data.display()
    )]
    OtherVersion {
        /// The data folder.
        data: PathBuf,
        /// The major version that made it.
        version: String,
    },
    /// Root must hand the server to another account and there is none.
    #[error(
        "PostgreSQL does not run as root, and /etc/passwd has neither an account `postgres` nor \
         `nobody` to run it as"
    )]
    NoAccount,
    /// No folder suits the server.
    #[error(
        "no folder for the socket is short enough (at most {max} bytes with the socket's name) \
         and open to the server's account; tried {tried:?}"
    )]
    NoPlace {
        /// The folders that were tried.
        tried: Vec<PathBuf>,
        /// The longest socket path that the kernel takes, in bytes.
        max: usize,
    },
    /// A file operation failed.
    #[error("could not {action} {}", path.display())]
    Io {
        /// A verb phrase.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Not even the program that starts the others could be run.
    #[error("could not run setpriv, which is part of util-linux")]
    Spawn {
        /// The operating system's answer.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("{program} failed ({status}): {output}")]
    Failed {
        /// The program's name.
        program: String,
        /// Its exit status, as the operating system words it.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// The server did not answer in time.
    #[error("the PostgreSQL server did not answer within {seconds} s; its log ends: {log}")]
    NotReady {
        /// How long it was given, in seconds.
        seconds: u64,
        /// The end of the server's log.
        log: String,
    },
    /// The server had to be killed.
    #[error("the PostgreSQL server did not stop within {seconds} s and was killed")]
    Killed {
        /// How long it was given, in seconds.
        seconds: u64,
    },
}

impl Error {
    /// Wraps the reason why a command of [`crate::child`] did not start.
    pub(crate) fn spawn(source: io::Error) -> Self {
        Self::Spawn { source }
    }

    /// Wraps an operating system's error with what was being done to which path.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
