//! A whole installation on this machine: a database, a live origin, two nodes.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use common::io::db::{Database, Dsn};
use common::metrics::Metrics;
use private_postgres::Cluster;
use url::Url;

use crate::channel;
use crate::display::Display;
use crate::node::{Channel, Common, Node, Role, Site};
use crate::options::Source;
use crate::origin::{Origin, Picture};
use crate::place::Place;
use crate::requirements::{self, Services};
use crate::supervisor::Supervisor;

/// The name of the installation's database.
const DATABASE: &str = "wubloader";
/// Where finished videos go, as events and cutters call it.
pub(crate) const UPLOAD_LOCATION: &str = "local";

/// What must be there before anything is started.
#[derive(Debug)]
pub struct Ground {
    services: Services,
    place: Place,
}

impl Ground {
    /// Finds all programs and makes `data` the folder of everything, without anything that an
    /// earlier demo left there.
    ///
    /// # Errors
    ///
    /// When a program is missing, or the folder cannot be used.
    pub fn prepare(data: &Path) -> anyhow::Result<Self> {
        Ok(Self { services: requirements::check()?, place: Place::make(data)? })
    }
}

/// A running installation. Dropped without [`Installation::stop`], it is killed.
#[derive(Debug)]
pub struct Installation {
    /// What the nodes record.
    pub channel: Channel,
    /// Both nodes.
    pub nodes: [Node; 2],
    /// The origin, unless a real channel is recorded.
    pub origin: Option<Origin>,
    /// The database that the cutters share.
    pub database: Database,
    place: Place,
    // dropped before the cluster: services that lose their database would say so
    supervisor: Supervisor,
    cluster: Cluster,
}

impl Installation {
    /// Starts everything; returns when all of it was started, which is not yet when all of it
    /// works.
    ///
    /// # Errors
    ///
    /// When a part cannot be started; what was started is ended.
    pub async fn start(source: &Source, ground: Ground, display: &Display) -> anyhow::Result<Self> {
        let Ground { services, place } = ground;
        let mut supervisor = Supervisor::new(display.clone());
        display.step("a private PostgreSQL starts");
        let cluster = start_postgres(&place).await?;
        let url = cluster.url(DATABASE);
        display.held(format_args!("in {}", cluster.data_folder().display()));
        let dsn: Dsn = url.parse().context("read the database's address")?;
        let database = Database::new(&dsn, "demo", &Metrics::empty());

        let (origin, channel) = match source {
            Source::TestPicture(picture) => {
                let origin = go_on_air(*picture, &place, &mut supervisor, display).await?;
                let qualities = picture.qualities().map(|quality| quality.name).to_vec();
                let channel = channel::hls(origin.url(), qualities);
                (Some(origin), channel)
            }
            Source::Url(url) => (None, channel::hls(url, vec![channel::SOURCE.to_owned()])),
            Source::Twitch(name) => (None, channel::twitch(name)),
        };
        let nodes = start_nodes(&channel, &url, &place, &services, &mut supervisor).await?;
        Ok(Self { channel, nodes, origin, database, place, supervisor, cluster })
    }

    /// The address of a media playlist on a node, from the first hour to the last.
    pub fn media_playlist(&self, node: &Node, quality: &str) -> Url {
        let name = &self.channel.name;
        at(&node.url(Role::Restreamer), &["playlist", name, &format!("{quality}.m3u8")])
    }

    /// The address of the multivariant playlist on a node.
    pub fn playlist(&self, node: &Node) -> Url {
        let name = format!("{}.m3u8", self.channel.name);
        at(&node.url(Role::Restreamer), &["playlist", &name])
    }

    /// Where finished videos lie.
    pub fn videos(&self) -> PathBuf {
        self.place.videos()
    }

    /// The folder of everything.
    pub fn root(&self) -> &Path {
        self.place.root()
    }

    /// Returns, when there is some, the first trouble that no restart mends.
    pub(crate) async fn trouble(&self) -> anyhow::Error {
        anyhow!(self.supervisor.trouble().await)
    }

    /// Stops everything in order: what writes first, the database last.
    ///
    /// # Errors
    ///
    /// Names everything that did not end as it should; all of it has ended then, too.
    pub async fn stop(self) -> anyhow::Result<()> {
        let mut complaints = Vec::new();
        for role in Role::ALL {
            let [a, b] = &self.nodes;
            let (a, b) = tokio::join!(a.service(role).stop(), b.service(role).stop());
            complaints.extend([a, b].into_iter().filter_map(Result::err));
        }
        if let Some(origin) = self.origin {
            complaints.extend(origin.stop().await.err());
        }
        self.database.close().await;
        let cluster = self.cluster;
        if let Err(error) = tokio::task::spawn_blocking(|| cluster.stop()).await? {
            complaints.push(error.to_string());
        }
        if complaints.is_empty() { Ok(()) } else { Err(anyhow!(complaints.join("; "))) }
    }
}

async fn start_postgres(place: &Place) -> anyhow::Result<Cluster> {
    let options = private_postgres::Options { data: Some(place.postgres()), durable: false };
    let start = move || {
        let cluster = Cluster::start(&options)?;
        cluster.create_database(DATABASE)?;
        Ok(cluster)
    };
    tokio::task::spawn_blocking(start).await?
}

async fn go_on_air(
    picture: Picture,
    place: &Place,
    supervisor: &mut Supervisor,
    display: &Display,
) -> anyhow::Result<Origin> {
    display.step("a live origin goes on air");
    let origin = Origin::start(picture, place, supervisor)?;
    tokio::select! {
        on_air = origin.on_air() => on_air?,
        trouble = supervisor.trouble() => bail!(trouble),
    }
    display.held(origin.url());
    Ok(origin)
}

/// Starts both nodes: first what serves, so that whoever copies from it finds it there.
async fn start_nodes(
    channel: &Channel,
    database: &str,
    place: &Place,
    services: &Services,
    supervisor: &mut Supervisor,
) -> anyhow::Result<[Node; 2]> {
    let cutter_config = place.root().join("run").join("cutter.json");
    std::fs::write(&cutter_config, cutter_config_text(&place.videos()))
        .with_context(|| format!("write {}", cutter_config.display()))?;
    let common = Common { services, channel, database, cutter_config: &cutter_config };
    let (a, b) = (Site::prepare('a', place)?, Site::prepare('b', place)?);
    let (url_a, url_b) = (a.url(), b.url());
    let served_by_a = a.serve(&url_b, &common, supervisor);
    let served_by_b = b.serve(&url_a, &common, supervisor);
    tokio::select! {
        both = async { tokio::try_join!(a.serves(), b.serves()) } => both?,
        trouble = supervisor.trouble() => bail!(trouble),
    };
    let a = a.start(served_by_a, &url_b, &common, supervisor)?;
    let b = b.start(served_by_b, &url_a, &common, supervisor)?;
    Ok([a, b])
}

/// One upload location: a folder.
fn cutter_config_text(videos: &Path) -> String {
    let prefix = Url::from_directory_path(videos).expect("the demo's folder is absolute");
    let location = serde_json::json!({
        "type": "local",
        "path": videos,
        "url_prefix": prefix.as_str(),
        "write_info": true,
        "cut_type": "smart",
    });
    serde_json::json!({ UPLOAD_LOCATION: location }).to_string()
}

/// The address of a path below `base`, its components escaped.
fn at(base: &Url, components: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.clear().extend(components);
    }
    url
}
