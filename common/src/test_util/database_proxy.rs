//! A way to a database that can be cut and mended.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use url::Url;

use super::database::TestDatabase;
use crate::io::db::Dsn;

/// The name of a PostgreSQL socket, by its port.
const SOCKET: &str = ".s.PGSQL.5432";

/// Hands sessions on to a database while it is open; nothing listens while it is cut.
#[derive(Debug)]
pub struct DatabaseProxy {
    folder: TempDir,
    upstream: PathBuf,
    url: Url,
    listening: JoinSet<()>,
}

impl DatabaseProxy {
    /// A way to `database` that is still cut.
    pub fn cut_off(database: &TestDatabase) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder can be written to");
        let mut url = database.url().clone();
        let host =
            url.query_pairs().find(|(key, _)| key == "host").map(|(_, host)| host.into_owned());
        let upstream = PathBuf::from(host.expect("the cluster listens on a socket")).join(SOCKET);
        let pairs: Vec<_> =
            url.query_pairs().into_owned().filter(|(key, _)| key != "host").collect();
        let here = folder.path().to_string_lossy();
        url.query_pairs_mut().clear().extend_pairs(pairs).append_pair("host", &here);
        Self { folder, upstream, url, listening: JoinSet::new() }
    }

    /// Returns the address of the database by this way.
    pub fn dsn(&self) -> Dsn {
        self.url.as_str().parse().expect("the cluster gives good addresses")
    }

    /// Returns the same as a URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Lets sessions through.
    pub fn mend(&mut self) {
        let listener = UnixListener::bind(self.folder.path().join(SOCKET))
            .expect("it was cut, and the folder is its own");
        let upstream = self.upstream.clone();
        self.listening.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                sessions.spawn(hand_on(client, upstream.clone()));
                // what has ended is forgotten
                while sessions.try_join_next().is_some() {}
            }
        });
    }

    /// Ends every session wherever it is, and refuses new ones.
    pub async fn cut(&mut self) {
        self.listening.shutdown().await;
        let _ = std::fs::remove_file(self.folder.path().join(SOCKET));
    }
}

async fn hand_on(mut client: UnixStream, upstream: PathBuf) {
    if let Ok(mut server) = UnixStream::connect(upstream).await {
        // either side may be cut at any time
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
