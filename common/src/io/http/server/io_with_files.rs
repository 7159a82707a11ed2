//! The socket of a connection: sends files where it is asked to write what stands for them, and gives
//! up on a client that takes nothing.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{SendAncillaryBuffer, SendFlags, Shutdown};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::limits::{MAX_UNSENT_BYTES, TAKE_PAUSE};
use super::metrics::{ConnectionMetrics, Slow};
use super::stall::Stall;
use super::transfer::{Link, is_stand_in};
use crate::io::cached;

/// How much of a file is read at a time where it cannot be sent directly.
const COPY_BYTES: usize = 64 * 1024;

/// The socket of a connection. Whoever owns that may look at it at the same time.
#[derive(Debug)]
pub(super) struct Io<'a> {
    stream: &'a TcpStream,
    link: Arc<Link>,
    stall: Stall,
    metrics: ConnectionMetrics,
}

impl<'a> Io<'a> {
    pub(super) fn new(stream: &'a TcpStream, link: Arc<Link>, metrics: ConnectionMetrics) -> Self {
        // small answers on a kept-alive connection would otherwise wait for the peer's delayed ACK
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
        // so that being asked for more tells that the client has taken something
        if let Err(error) = SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT_BYTES) {
            tracing::debug!("cannot set TCP_NOTSENT_LOWAT: {error}");
        }
        Self { stream, link, stall: Stall::new(TAKE_PAUSE), metrics }
    }

    /// Writes the first of `slices`: those up to the first that stands for a file, or that one.
    fn poll_some(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.link.was_copied() {
            return Poll::Ready(Err(io::Error::other("a file was copied instead of being sent")));
        }
        match slices.iter().position(|slice| is_stand_in(slice)) {
            None => self.poll_send(context, slices, SendFlags::empty()),
            Some(0) => self.poll_send_file(context, slices[0].len()),
            Some(count) => self.poll_send(context, &slices[..count], SendFlags::MORE),
        }
    }

    fn poll_send(
        &self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        flags: SendFlags,
    ) -> Poll<io::Result<usize>> {
        self.poll_io(context, |stream| {
            let mut control = SendAncillaryBuffer::default();
            rustix::net::sendmsg(stream, slices, &mut control, flags | SendFlags::NOSIGNAL)
        })
    }

    fn poll_send_file(
        &mut self,
        context: &mut Context<'_>,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let transfer = self.link.current();
        let transfer = transfer.ok_or_else(|| io::Error::other("there is no file to send"))?;
        let position = transfer.position();
        let sent = ready!(self.poll_io(context, |stream| {
            match rustix::fs::sendfile(stream, &transfer.file, Some(&mut position.clone()), length)
            {
                // not every file system can
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    copy(stream, &transfer.file, position, length)
                }
                sent => sent,
            }
        }))?;
        if sent == 0 {
            let error = cached::shrank();
            tracing::error!("an answer broke off: {error}");
            return Poll::Ready(Err(error));
        }
        transfer.advance(sent);
        Poll::Ready(Ok(sent))
    }

    /// Does `work` on the socket once that is ready for it.
    fn poll_io(
        &self,
        context: &mut Context<'_>,
        mut work: impl FnMut(&TcpStream) -> Result<usize, Errno>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(context))?;
            let done =
                self.stream.try_io(Interest::WRITABLE, || Ok(retry_on_intr(|| work(self.stream))?));
            match done {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

/// Sends what is at `position` of `file` by way of memory.
fn copy(stream: impl AsFd, file: &File, position: u64, length: usize) -> Result<usize, Errno> {
    let mut buffer = vec![0; length.min(COPY_BYTES)];
    let read = file.read_at(&mut buffer, position);
    let read = read.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    if read == 0 {
        return Ok(0);
    }
    rustix::net::send(stream, &buffer[..read], SendFlags::NOSIGNAL)
}

impl AsyncRead for Io<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(count) => {
                    if count > 0 {
                        self.link.note_read();
                    }
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Io<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Poll::Ready(written) = this.poll_some(context, slices) {
            this.stall.progressed();
            this.link.note_written();
            return Poll::Ready(written);
        }
        ready!(this.stall.poll_waiting(context));
        this.metrics.timed_out(Slow::Answer).inc();
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // what was written is with the kernel
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(rustix::net::shutdown(self.stream, Shutdown::Write)?))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use bytes::Buf;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::super::transfer::{Chunk, Transfer};
    use super::*;
    use crate::metrics::Metrics;

    /// A socket and its other end.
    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (stream, listener.accept().await.unwrap().0)
    }

    /// `stream` as the socket of a connection whose bodies share `link`.
    fn io<'a>(stream: &'a TcpStream, link: &Arc<Link>) -> Io<'a> {
        Io::new(stream, Arc::clone(link), ConnectionMetrics::new(&Metrics::empty()))
    }

    #[tokio::test]
    async fn nothing_is_written_once_a_stand_in_was_copied() {
        let link = Arc::new(Link::default());
        let (stream, mut other) = pair().await;
        let mut io = io(&stream, &link);
        io.write_all(b"before").await.unwrap();
        let file = Arc::new(tempfile::tempfile().unwrap());
        let transfer = Arc::new(Transfer::new(Arc::clone(&link), file, 0, Body::empty()));
        let copied = Chunk::OfFile { transfer, left: 10 }.copy_to_bytes(10);
        io.write_all(&copied).await.unwrap_err();
        drop(stream);
        let mut received = Vec::new();
        other.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"before");
    }

    #[tokio::test]
    async fn a_stand_in_without_its_file_is_an_error() {
        let link = Arc::new(Link::default());
        let (stream, _other) = pair().await;
        let mut io = io(&stream, &link);
        let file = Arc::new(tempfile::tempfile().unwrap());
        let transfer = Arc::new(Transfer::new(Arc::clone(&link), file, 0, Body::empty()));
        let chunk = Chunk::OfFile { transfer, left: 10 };
        io.write_all(chunk.chunk()).await.unwrap_err();
    }
}
