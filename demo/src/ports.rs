//! Free ports, kept for their service also while it does not run.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port of the loopback interface that nobody else gets while this lives.
///
/// The socket is bound but never listens. So the kernel gives its port to no other program, while
/// one that asks for it by number with SO_REUSEADDR, as every service does, may listen on it.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl ReservedPort {
    /// Takes a free port; to be called within a runtime.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(crate) fn take() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self { address: socket.local_addr()?, _bound: socket })
    }

    /// Where the service is to listen.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::{TcpListener, TcpStream};

    use common::io::http::server;

    use super::*;

    #[tokio::test]
    async fn the_service_can_listen_on_it_again_and_again() {
        let port = ReservedPort::take().unwrap();
        for _ in 0..3 {
            let listener = server::bind(port.address()).unwrap();
            TcpStream::connect(port.address()).unwrap();
            drop(listener);
            TcpStream::connect(port.address()).unwrap_err();
        }
    }

    #[tokio::test]
    async fn nobody_else_gets_it() {
        let reserved: Vec<_> = (0..50).map(|_| ReservedPort::take().unwrap()).collect();
        let reserved: HashSet<u16> = reserved.iter().map(|port| port.address().port()).collect();
        assert_eq!(reserved.len(), 50);
        let others: Vec<_> =
            (0..500).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        for other in others {
            assert!(!reserved.contains(&other.local_addr().unwrap().port()));
        }
    }
}
