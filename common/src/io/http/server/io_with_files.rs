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
use rustix::net::{SendAncillaryBuffer, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::limits::TAKE_PAUSE;
use super::metrics::{ConnectionMetrics, Slow};
use super::stall::Stall;
use super::transfer::{Link, is_stand_in};
use crate::io::cached;

/// How much of a file is read at a time where it cannot be sent directly.
const COPY_BYTES: usize = 64 * 1024;

/// The socket of a connection.
#[derive(Debug)]
pub(super) struct Io {
    stream: TcpStream,
    link: Arc<Link>,
    stall: Stall,
    metrics: ConnectionMetrics,
}

impl Io {
    pub(super) const fn new(
        stream: TcpStream,
        link: Arc<Link>,
        metrics: ConnectionMetrics,
    ) -> Self {
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
            None => Pin::new(&mut self.stream).poll_write_vectored(context, slices),
            Some(0) => self.poll_send_file(context, slices[0].len()),
            Some(count) => {
                let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
                self.poll_io(context, |stream| {
                    let mut control = SendAncillaryBuffer::default();
                    rustix::net::sendmsg(stream, &slices[..count], &mut control, flags)
                })
            }
        }
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
            let done = self
                .stream
                .try_io(Interest::WRITABLE, || Ok(retry_on_intr(|| work(&self.stream))?));
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

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.link.note_read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
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

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
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

    /// A socket whose bodies share `link`, and its other end.
    async fn pair(link: &Arc<Link>) -> (Io, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let metrics = ConnectionMetrics::new(&Metrics::empty());
        (Io::new(stream, Arc::clone(link), metrics), listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn nothing_is_written_once_a_stand_in_was_copied() {
        let link = Arc::new(Link::default());
        let (mut io, mut other) = pair(&link).await;
        io.write_all(b"before").await.unwrap();
        let file = Arc::new(tempfile::tempfile().unwrap());
        let transfer = Arc::new(Transfer::new(Arc::clone(&link), file, 0, Body::empty()));
        let copied = Chunk::OfFile { transfer, left: 10 }.copy_to_bytes(10);
        io.write_all(&copied).await.unwrap_err();
        drop(io);
        let mut received = Vec::new();
        other.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"before");
    }

    #[tokio::test]
    async fn a_stand_in_without_its_file_is_an_error() {
        let link = Arc::new(Link::default());
        let (mut io, _other) = pair(&link).await;
        let file = Arc::new(tempfile::tempfile().unwrap());
        let transfer = Arc::new(Transfer::new(Arc::clone(&link), file, 0, Body::empty()));
        let chunk = Chunk::OfFile { transfer, left: 10 };
        io.write_all(chunk.chunk()).await.unwrap_err();
    }
}
