//! Answers that are a part of a file.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};

use super::transfer::{Chunk, Link, Transfer, WINDOW_BYTES};
use crate::io::blocks::{FilePart, blocks};
use crate::io::cached;

/// A part of a file that may be sent straight from the page cache (sendfile(2)).
///
/// As an answer it is a body that reads the file, which works everywhere, and a hint that
/// the server of this module acts on. The file must not be changed in place: what is sent is what it
/// holds at that moment. If it becomes shorter, the answer breaks off.
#[derive(Clone, Debug)]
pub struct FileRange {
    /// The file; where it stands does not matter.
    pub file: Arc<File>,
    /// The position of the first byte.
    pub start: u64,
    /// How many bytes.
    pub length: u64,
}

impl FileRange {
    /// The bytes, read by this process.
    fn into_body(self) -> Body {
        Body::from_stream(blocks(std::iter::once_with(move || {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(self.start))?;
            Ok(FilePart { file, length: self.length })
        })))
    }
}

impl IntoResponse for FileRange {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.clone().into_body());
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(self.length));
        response.extensions_mut().insert(self);
        response
    }
}

/// The body of an answer as it goes to a connection.
pub(super) enum Outgoing {
    Made(Body),
    Sent(FileBody),
}

impl Outgoing {
    /// The body of `response`. What it hints at is sent in its place only if it still promises just
    /// that: something on the way may have encoded it.
    pub(super) fn of(response: Response, link: &Arc<Link>) -> Response<Self> {
        let (mut parts, body) = response.into_parts();
        let range = parts.extensions.remove::<FileRange>().filter(|range| {
            body.size_hint().upper() != Some(0)
                && !parts.headers.contains_key(header::CONTENT_ENCODING)
                && parts.headers.get(header::CONTENT_LENGTH)
                    == Some(&HeaderValue::from(range.length))
        });
        let body = match range {
            Some(range) => Self::Sent(FileBody::new(range, link, body)),
            None => Self::Made(body),
        };
        Response::from_parts(parts, body)
    }
}

/// The body that a part of a file is.
pub(super) struct FileBody {
    link: Arc<Link>,
    transfer: Arc<Transfer>,
    next: u64,
    end: u64,
    /// Being under way when the next window is not in the page cache.
    filling: Option<Filling>,
}

type Filling = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

impl FileBody {
    fn new(range: FileRange, link: &Arc<Link>, instead_of: Body) -> Self {
        let FileRange { file, start, length } = range;
        Self {
            link: Arc::clone(link),
            transfer: Arc::new(Transfer::new(Arc::clone(link), file, start, instead_of)),
            next: start,
            end: start.saturating_add(length),
            filling: None,
        }
    }

    fn left(&self) -> u64 {
        self.end - self.next
    }

    /// Makes sure that the next `length` bytes can be sent without waiting for the disk.
    fn poll_cached(&mut self, length: usize, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let filling = match &mut self.filling {
            Some(filling) => filling,
            None if cached::is_cached(&self.transfer.file, self.next, length) => {
                return Poll::Ready(Ok(()));
            }
            none => {
                let file = Arc::clone(&self.transfer.file);
                none.insert(Box::pin(cached::fill(file, self.next, length)))
            }
        };
        let filled = ready!(filling.as_mut().poll(context));
        self.filling = None;
        Poll::Ready(filled)
    }

    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Chunk>>> {
        let length =
            usize::try_from(self.left()).map_or(WINDOW_BYTES, |left| left.min(WINDOW_BYTES));
        if length == 0 {
            return Poll::Ready(None);
        }
        if let Err(error) = ready!(self.poll_cached(length, context)) {
            tracing::error!("an answer broke off: {error}");
            return Poll::Ready(Some(Err(error)));
        }
        self.link.begin(&self.transfer);
        self.next += length as u64;
        let transfer = Arc::clone(&self.transfer);
        Poll::Ready(Some(Ok(Chunk::OfFile { transfer, left: length })))
    }
}

impl HttpBody for Outgoing {
    type Data = Chunk;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, axum::Error>>> {
        match &mut *self {
            Self::Made(body) => {
                let frame = ready!(Pin::new(body).poll_frame(context));
                Poll::Ready(frame.map(|frame| Ok(frame?.map_data(Chunk::Bytes))))
            }
            Self::Sent(body) => {
                let chunk = ready!(body.poll_chunk(context));
                Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data).map_err(axum::Error::new)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Made(body) => body.is_end_stream(),
            Self::Sent(body) => body.left() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Made(body) => body.size_hint(),
            Self::Sent(body) => SizeHint::with_exact(body.left()),
        }
    }
}
