//! One cluster, from making it to removing it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::account::Account;
use crate::binaries::Binaries;
use crate::child;
use crate::keeper::{Keeper, Server};
use crate::place::{Place, SOCKET_NAME, give};

/// The cluster's superuser, and the only role in it until someone makes another.
const USER: &str = "wubloader";
/// Named everywhere, so that a `PGPORT` of the caller's changes nothing.
const PORT: &str = "5432";
/// Enough for every test process of a run at once.
const MAX_CONNECTIONS: &str = "200";

/// A cluster that is being made, beside the place that it will have.
const UNFINISHED: &str = ".unfinished-cluster";

/// How to start a cluster.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the cluster is to stay; made when it is not there, used again when it is. `None`: in
    /// a temporary folder. When the server's account cannot reach the folder, the cluster is
    /// temporary after all.
    pub data: Option<PathBuf>,
    /// Whether a commit survives a power cut. Tests do without: it is most of their time.
    pub durable: bool,
}

/// A running PostgreSQL, stopped by drop.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    // Dropped by hand before `place`: the server must not lose its files while it runs.
    keeper: Option<Keeper>,
    place: Place,
}

impl Cluster {
    /// Starts a cluster and returns when it answers.
    ///
    /// The calling thread may end before the cluster does.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is not installed, there is no account or folder for it, or it does not
    /// start; the message says which and what to do.
    pub fn start(options: &Options) -> Result<Self, Error> {
        let data = options
            .data
            .as_deref()
            .map(|data| std::path::absolute(data).map_err(Error::io("make absolute", data)))
            .transpose()?;
        let binaries = Binaries::find(data.as_deref())?;
        let account = Account::for_server(data.as_deref())?;
        let place = Place::choose(data.as_deref(), account)?;
        if !place.data.join("PG_VERSION").exists() {
            initialise(&binaries, account, &place.data, options.durable)?;
        }
        let log = place.data.join("postgres.log");
        let command = server_command(&binaries, account, &place, &log, options.durable)?;
        let keeper = Keeper::start(Server {
            command,
            socket: place.socket.join(SOCKET_NAME),
            log,
            user: USER,
        })?;
        Ok(Self { binaries, keeper: Some(keeper), place })
    }

    /// Returns the address of a database, as both libpq and sqlx take it.
    pub fn url(&self, database: &str) -> String {
        let folder = escape(&self.place.socket.to_string_lossy(), true);
        let database = escape(database, false);
        format!("postgres:///{database}?host={folder}&port={PORT}&user={USER}")
    }

    /// Returns the folder of the socket.
    pub fn socket_folder(&self) -> &Path {
        &self.place.socket
    }

    /// Returns the folder of the cluster's files, which is not the wished one when the server's
    /// account could not reach that.
    pub fn data_folder(&self) -> &Path {
        &self.place.data
    }

    /// Returns the server's process, for tests that kill it.
    pub fn pid(&self) -> Option<u32> {
        self.keeper.as_ref().map(Keeper::pid)
    }

    /// Makes an empty database.
    ///
    /// # Errors
    ///
    /// When a database of that name exists, or the server is gone.
    pub fn create_database(&self, name: &str) -> Result<(), Error> {
        let mut command = child::command(None, "KILL", &self.binaries.program("createdb"));
        command.arg("--host").arg(&self.place.socket).args([
            "--port",
            PORT,
            "--username",
            USER,
            "--no-password",
            "--",
            name,
        ]);
        child::run(command, "createdb")
    }

    /// Stops the server, waits for its end and removes what was temporary.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`] when it did not stop by itself.
    pub fn stop(mut self) -> Result<(), Error> {
        self.keeper.take().map_or(Ok(()), Keeper::stop)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            // Drop cannot fail; whoever wants to know calls `stop`.
            let _ = keeper.stop();
        }
    }
}

/// Makes a cluster under another name and renames it, so that one whose making was interrupted is
/// never taken for whole.
fn initialise(
    binaries: &Binaries,
    account: Option<Account>,
    data: &Path,
    durable: bool,
) -> Result<(), Error> {
    let unfinished = data.with_file_name(UNFINISHED);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::io("remove", &unfinished))?;
    }
    fs::create_dir(&unfinished).map_err(Error::io("create", &unfinished))?;
    give(&unfinished, account)?;
    let mut command = child::command(account, "KILL", &binaries.program("initdb"));
    command.arg("--pgdata").arg(&unfinished).args([
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-instructions",
        "--username",
        USER,
    ]);
    if !durable {
        command.arg("--no-sync");
    }
    child::run(command, "initdb")?;
    fs::rename(&unfinished, data).map_err(Error::io("rename to", data))
}

fn server_command(
    binaries: &Binaries,
    account: Option<Account>,
    place: &Place,
    log: &Path,
    durable: bool,
) -> Result<Command, Error> {
    // Opened here, so that it needs no right of the account and holds setpriv's complaints too.
    let output = File::create(log).map_err(Error::io("create", log))?;
    let errors = output.try_clone().map_err(Error::io("open", log))?;
    let mut command = child::command(account, "INT", &binaries.program("postgres"));
    command.arg("-D").arg(&place.data);
    command.arg("-k").arg(&place.socket);
    command.args(["-p", PORT, "-N", MAX_CONNECTIONS, "-c", "listen_addresses="]);
    if !durable {
        // -F is fsync=off
        command.args(["-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]);
    }
    command.stdout(output).stderr(errors);
    Ok(command)
}

/// Percent-encodes all but the unreserved characters of RFC 3986 (and slashes where they may stay).
fn escape(text: &str, keep_slashes: bool) -> String {
    let escape_byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        b'/' if keep_slashes => "/".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape_byte).collect()
}

#[cfg(test)]
mod unit_tests {
    use super::escape;

    #[test]
    fn escapes_what_a_url_would_take_for_its_own() {
        assert_eq!(escape("/tmp/a b&c%", true), "/tmp/a%20b%26c%25");
        assert_eq!(escape("a/b?é", false), "a%2Fb%3F%C3%A9");
    }
}
