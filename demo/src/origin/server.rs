//! Serves the origin over HTTP, like a live service does.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::format::folder::FolderName;
use common::io::http::server;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::picture::Picture;
use super::{LIST, list, window};

/// What players want a playlist to be called.
const PLAYLIST: &str = "application/vnd.apple.mpegurl";
const SEGMENT: &str = "video/mp2t";

/// The origin on the network.
#[derive(Debug)]
pub(super) struct Server {
    url: Url,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// What is served.
#[derive(Debug)]
struct Broadcast {
    picture: Picture,
    folder: PathBuf,
}

impl Server {
    /// Serves what is in `folder` on a free port.
    pub(super) fn start(picture: Picture, folder: PathBuf) -> io::Result<Self> {
        let listener = server::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let url = format!("http://{address}/live/playlist.m3u8");
        let url = url.parse().expect("an address makes a URL");
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(listener, routes(Broadcast { picture, folder }), stop.clone()));
        Ok(Self { url, stop, tasks })
    }

    /// The address of the multivariant playlist.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// Stops serving.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        self.tasks.shutdown().await;
    }
}

fn routes(broadcast: Broadcast) -> Router {
    Router::new()
        .route("/live/playlist.m3u8", get(multivariant))
        .route("/live/{quality}/{file}", get(file))
        .with_state(Arc::new(broadcast))
}

async fn multivariant(State(broadcast): State<Arc<Broadcast>>) -> Response {
    playlist(window::multivariant(broadcast.picture, LIST).ok())
}

/// A list or a segment; what is no plain name is refused like what is not there.
async fn file(
    State(broadcast): State<Arc<Broadcast>>,
    Path((quality, file)): Path<(String, String)>,
) -> Response {
    let names = (quality.parse::<FolderName>(), file.parse::<FolderName>());
    let (Ok(quality), Ok(file)) = names else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let folder = broadcast.folder.join(quality.as_str());
    if file.as_str() == LIST {
        let whole = tokio::task::spawn_blocking(move || list(&folder)).await;
        let newest = whole.ok().and_then(Result::ok).map(|whole| window::newest(&whole));
        return playlist(newest.and_then(Result::ok));
    }
    match tokio::fs::read(folder.join(file.as_str())).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, SEGMENT)], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn playlist(text: Option<String>) -> Response {
    let headers = [(header::CONTENT_TYPE, PLAYLIST), (header::CACHE_CONTROL, "no-cache")];
    match text {
        Some(text) => (headers, text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::viewer::Viewer;

    #[tokio::test]
    async fn lists_move_on_and_segments_stay() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("source")).unwrap();
        fs::write(folder.path().join("secret"), "").unwrap();
        let server = Server::start(Picture::default(), folder.path().to_owned()).unwrap();
        let viewer = Viewer::new();
        let at = |path: &str| server.url().join(path).unwrap();
        viewer.text(&at("source/list.m3u8")).await.unwrap_err();

        let mut whole = vec!["#EXTM3U\n#EXT-X-TARGETDURATION:2\n".to_owned()];
        for n in 0..9 {
            whole.push(format!("#EXTINF:2.0,\n{n}.ts\n"));
            fs::write(folder.path().join(format!("source/{n}.ts")), n.to_string()).unwrap();
        }
        fs::write(folder.path().join("source/list.m3u8"), whole.concat()).unwrap();
        let list = viewer.text(&at("source/list.m3u8")).await.unwrap();
        assert!(!list.contains("\n4.ts") && list.contains("\n5.ts"), "{list}");
        assert_eq!(viewer.text(&at("source/0.ts")).await.unwrap(), "0");
        assert!(viewer.text(server.url()).await.unwrap().contains("source/list.m3u8"));
        viewer.text(&at("source/..%2Fsecret")).await.unwrap_err();
        viewer.text(&at("source/%2e%2e/secret")).await.unwrap_err();
        server.stop().await;
    }
}
