//! nginx: serves what publishers write, and is a publisher itself with its RTMP module.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use common::io::process;
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Process, eventually};

/// Debian keeps it outside the PATH of those who are not root.
const NGINX: &str = "/usr/sbin/nginx";
const RTMP_MODULE: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/// A running nginx; gone when it is dropped, with all that it served.
#[derive(Debug)]
pub(super) struct Web {
    http: Port,
    rtmp: Port,
    folder: TempDir,
    _process: Process,
}

/// A port that no other program is given by the kernel: the socket is bound and never listens, and
/// nginx, which asks with SO_REUSEADDR, may.
#[derive(Debug)]
struct Port {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl Port {
    fn take() -> Self {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        socket.set_reuseaddr(true).expect("it is possible");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port is free");
        Self { address: socket.local_addr().expect("it is bound"), _bound: socket }
    }
}

impl Web {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        fs::create_dir(folder.path().join("www")).expect("it is ours");
        let (http, rtmp) = (Port::take(), Port::take());
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, text(folder.path(), &http, &rtmp)).expect("it is ours");
        let mut command = process::command(NGINX);
        command.arg("-p").arg(folder.path()).args(["-e", "stderr", "-c"]).arg(configuration);
        let mut process = Process::start(command);
        for port in [&http, &rtmp] {
            eventually("nginx listens", async || {
                assert!(process.lives(), "run: make setup; {process:?}");
                TcpStream::connect(port.address).await.ok()
            })
            .await;
        }
        Self { http, rtmp, folder, _process: process }
    }

    /// The folder that is served.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().join("www")
    }

    /// The address of a playlist in that folder.
    pub(super) fn address(&self, playlist: &str) -> String {
        format!("http://{}/{playlist}", self.http.address)
    }

    /// Where a stream is to be sent, which then is published as `NAME.m3u8`.
    pub(super) fn rtmp(&self, name: &str) -> String {
        format!("rtmp://{}/live/{name}", self.rtmp.address)
    }
}

/// One process that stays in the foreground and writes nothing outside `folder`.
fn text(folder: &Path, http: &Port, rtmp: &Port) -> String {
    let folder = folder.display();
    let (http, rtmp) = (http.address, rtmp.address);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|kind| format!("{kind}_temp_path {folder}/{kind};")).concat();
    format!(
        "load_module {RTMP_MODULE};
        daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr warn;
        events {{ }}
        rtmp {{
            access_log off;
            server {{
                listen {rtmp};
                application live {{
                    live on;
                    hls on; hls_path {folder}/www; hls_cleanup off;
                    hls_fragment 1s; hls_playlist_length 12s;
                }}
            }}
        }}
        http {{
            access_log off; {temporary}
            server {{ listen {http}; root {folder}/www; }}
        }}"
    )
}
