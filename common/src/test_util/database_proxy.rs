//! A way to a database that can be cut and mended, and on which answers can be lost.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
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
    is_mute: Arc<AtomicBool>,
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
        Self { folder, upstream, url, listening: JoinSet::new(), is_mute: Arc::default() }
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
        self.is_mute.store(false, Ordering::Relaxed);
        let listener = UnixListener::bind(self.folder.path().join(SOCKET))
            .expect("it was cut, and the folder is its own");
        let (upstream, is_mute) = (self.upstream.clone(), Arc::clone(&self.is_mute));
        self.listening.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                sessions.spawn(hand_on(client, upstream.clone(), Arc::clone(&is_mute)));
                // what has ended is forgotten
                while sessions.try_join_next().is_some() {}
            }
        });
    }

    /// Loses every answer from now on until it is mended; what is asked still arrives. To be cut
    /// before that.
    pub fn lose_answers(&self) {
        self.is_mute.store(true, Ordering::Relaxed);
    }

    /// Ends every session wherever it is, and refuses new ones.
    pub async fn cut(&mut self) {
        self.listening.shutdown().await;
        let _ = std::fs::remove_file(self.folder.path().join(SOCKET));
    }
}

async fn hand_on(client: UnixStream, upstream: PathBuf, is_mute: Arc<AtomicBool>) {
    let Ok(server) = UnixStream::connect(upstream).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // either side may be cut at any time, and then the other one is too
    tokio::select! {
        _ = copy(from_client, to_server, None) => {}
        _ = copy(from_server, to_client, Some(&is_mute)) => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    is_mute: Option<&AtomicBool>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        if is_mute.is_none_or(|is_mute| !is_mute.load(Ordering::Relaxed)) {
            to.write_all(&buffer[..read]).await?;
        }
    }
}
