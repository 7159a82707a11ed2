//! One node: its store and its four services, and what they are told.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::io::store::{Access, Store};
use tokio::net::TcpStream;
use url::Url;

use crate::place::{Kind, Place};
use crate::poll::poll;
use crate::ports::ReservedPort;
use crate::requirements::Services;
use crate::supervisor::{Ending, Program, Restart, Service, Supervisor};

/// How old a segment must be before a node fetches it from the other one.
///
/// So long that the hole of a downloader that was down for ten seconds is seen before it closes.
pub(crate) const RECENT_CUTOFF: Duration = Duration::from_secs(20);

/// How long a restreamer may take until it serves.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// How often a node looks what the other one has, in seconds.
const PASSES_EVERY: &str = "5";

/// One of the four services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Watches the channel and saves its segments.
    Downloader,
    /// Copies from the other node what this one lacks.
    Backfiller,
    /// Serves what is stored.
    Restreamer,
    /// Cuts events into videos.
    Cutter,
}

impl Role {
    /// All of them, in the order in which they are stopped: what writes first.
    pub const ALL: [Self; 4] = [Self::Downloader, Self::Backfiller, Self::Cutter, Self::Restreamer];

    /// Its program's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Downloader => "downloader",
            Self::Backfiller => "backfiller",
            Self::Restreamer => "restreamer",
            Self::Cutter => "cutter",
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Downloader => 0,
            Self::Backfiller => 1,
            Self::Cutter => 2,
            Self::Restreamer => 3,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The channel that all nodes record.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its name, and its folder in the stores.
    pub name: String,
    /// How a downloader is told about it.
    pub(crate) for_downloader: String,
    /// The qualities that are recorded, the best one first.
    pub qualities: Vec<String>,
}

impl Channel {
    /// The best quality.
    pub fn best(&self) -> &str {
        self.qualities.first().map_or("source", String::as_str)
    }
}

/// What the services of all nodes are told alike.
#[derive(Debug)]
pub(crate) struct Common<'a> {
    pub(crate) services: &'a Services,
    pub(crate) channel: &'a Channel,
    pub(crate) database: &'a str,
    pub(crate) cutter_config: &'a Path,
}

/// A node that has its folders and ports, but runs nothing yet.
#[derive(Debug)]
pub(crate) struct Site {
    letter: char,
    store: PathBuf,
    log: PathBuf,
    run: PathBuf,
    ports: [ReservedPort; 4],
}

impl Site {
    /// Makes the folders and takes the ports of the node called `letter`.
    ///
    /// # Errors
    ///
    /// When a folder cannot be made or no port is free.
    pub(crate) fn prepare(letter: char, place: &Place) -> anyhow::Result<Self> {
        let name = format!("node-{letter}");
        let take = ReservedPort::take;
        Ok(Self {
            letter,
            store: place.folder(Kind::Store, &name)?,
            log: place.folder(Kind::Log, &name)?,
            run: place.folder(Kind::Run, &name)?,
            ports: [take()?, take()?, take()?, take()?],
        })
    }

    /// Starts the restreamer; `peer` is the other node.
    pub(crate) fn serve(
        &self,
        peer: &Url,
        common: &Common<'_>,
        supervisor: &mut Supervisor,
    ) -> Service {
        supervisor.keep(self.program(Role::Restreamer, peer, common))
    }

    /// Waits until the restreamer accepts connections.
    ///
    /// # Errors
    ///
    /// When it takes too long.
    pub(crate) async fn serves(&self) -> anyhow::Result<()> {
        let address = self.ports[Role::Restreamer.index()].address();
        let failure = format!("node {}'s restreamer does not serve", self.letter);
        poll(&failure, SERVES_WITHIN, async || Ok(TcpStream::connect(address).await?)).await?;
        Ok(())
    }

    /// Starts the other services beside the `restreamer`; `peer` is the other node.
    pub(crate) fn start(
        self,
        restreamer: Service,
        peer: &Url,
        common: &Common<'_>,
        supervisor: &mut Supervisor,
    ) -> anyhow::Result<Node> {
        let mut keep = |role| supervisor.keep(self.program(role, peer, common));
        let services =
            [keep(Role::Downloader), keep(Role::Backfiller), keep(Role::Cutter), restreamer];
        let store = Store::open(&self.store, Access::Read)?;
        Ok(Node { letter: self.letter, store, services, ports: self.ports })
    }

    /// The address of the node's restreamer.
    pub(crate) fn url(&self) -> Url {
        url_of(&self.ports[Role::Restreamer.index()])
    }

    fn program(&self, role: Role, peer: &Url, common: &Common<'_>) -> Program {
        let mut arguments = self.arguments(role, peer, common);
        let listen = self.ports[role.index()].address().to_string();
        arguments.extend(["--listen".into(), listen.into()]);
        Program {
            title: format!("node {}'s {role}", self.letter),
            executable: common.services.program(role),
            arguments,
            folder: self.store.clone(),
            log: self.log.join(format!("{role}.log")),
            pid_file: self.run.join(format!("{role}.pid")),
            restart: Restart::Always,
            ending: Ending::SERVICE,
        }
    }

    fn arguments(&self, role: Role, peer: &Url, common: &Common<'_>) -> Vec<OsString> {
        let Common { channel, database, cutter_config, .. } = common;
        let name = format!("node-{}", self.letter);
        let mut arguments: Vec<OsString> = vec!["--base-dir".into(), (&self.store).into()];
        let mut add = |more: &[&str]| arguments.extend(more.iter().map(OsString::from));
        let qualities = channel.qualities.join(",");
        match role {
            Role::Downloader => {
                add(&[&channel.for_downloader, "--qualities", &qualities, "--name", &name]);
            }
            Role::Backfiller => {
                let cutoff = RECENT_CUTOFF.as_secs().to_string();
                add(&[&channel.name, "--qualities", &qualities]);
                add(&["--static-nodes", peer.as_str(), "--localhost", &name]);
                add(&["--recent-cutoff", &cutoff, "--interval", PASSES_EVERY]);
            }
            Role::Restreamer => {}
            Role::Cutter => {
                add(&["--database", database, "--name", &name]);
                arguments.extend(["--config".into(), cutter_config.into()]);
            }
        }
        arguments
    }
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    letter: char,
    store: Store,
    services: [Service; 4],
    ports: [ReservedPort; 4],
}

impl Node {
    /// Its store, to be looked at.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The address that one of its services serves at.
    pub fn url(&self, role: Role) -> Url {
        url_of(&self.ports[role.index()])
    }

    /// The process of one of its services, while that runs.
    pub fn pid(&self, role: Role) -> Option<u32> {
        self.service(role).pid()
    }

    pub(crate) const fn service(&self, role: Role) -> &Service {
        &self.services[role.index()]
    }
}

/// As people call it.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.letter)
    }
}

fn url_of(port: &ReservedPort) -> Url {
    format!("http://{}/", port.address()).parse().expect("an address makes a URL")
}
