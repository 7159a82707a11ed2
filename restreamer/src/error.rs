//! Why a request is not answered with what it asked for.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use common::cut::PlanError;
use common::format::folder::BadFolderName;
use common::plan::cut::CutError;
use thiserror::Error;

/// When whoever was refused for now should ask again.
const RETRY_AFTER_SECONDS: u16 = 10;

/// Why a request is not answered with what it asked for; each message is one sentence for whoever
/// asked. It can be cloned, because equal requests fail together.
#[derive(Clone, Debug, Error)]
pub(crate) enum ApiError {
    /// A parameter of the query is missing or wrong.
    #[error("{parameter}: {problem}")]
    Parameter { parameter: &'static str, problem: Cow<'static, str> },
    /// A name in the path must not be used as one.
    #[error("the address names no file: {0}")]
    Name(BadName),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(Cow<'static, str>),
    /// The bytes asked for lie past the end of a file of this size.
    #[error("the file has {size} bytes")]
    PastTheEnd { size: u64 },
    /// Video is missing.
    #[error(transparent)]
    Missing(CutError),
    /// What is stored does not hold what was asked for.
    #[error("{0}")]
    Unacceptable(Cow<'static, str>),
    /// What the request carries is too large.
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
    /// The address is right, and the method is not.
    #[error("this address is not for that method; the header Allow names those that it is for")]
    Method,
    /// Too many others want the same.
    #[error("this node is busy; ask again in {RETRY_AFTER_SECONDS} seconds")]
    Busy,
    /// It was begun, and took too long.
    #[error("it takes too long; ask for a shorter range")]
    TookTooLong,
    /// Asked for rightly, but not there to be had.
    #[error("{0}")]
    NotImplemented(&'static str),
    /// Our side failed; what it was is for the log alone.
    #[error("cannot {doing}")]
    Internal {
        doing: &'static str,
        #[source]
        source: Arc<io::Error>,
    },
}

/// What is wrong with a name in a path.
#[derive(Clone, Debug, Error)]
pub(crate) enum BadName {
    #[error("a name must be UTF-8")]
    Encoding,
    #[error(transparent)]
    Name(BadFolderName),
}

impl ApiError {
    pub(crate) fn parameter(
        parameter: &'static str,
        problem: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Parameter { parameter, problem: problem.into() }
    }

    pub(crate) fn not_found(what: impl Into<Cow<'static, str>>) -> Self {
        Self::NotFound(what.into())
    }

    /// For `map_err`: our side failed while `doing`, a verb phrase.
    pub(crate) fn internal(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Internal { doing, source: Arc::new(source) }
    }

    /// A word for the metrics.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Parameter { .. } => "parameter",
            Self::Name(_) => "name",
            Self::NotFound(_) => "not_found",
            Self::PastTheEnd { .. } => "past_the_end",
            Self::Missing(_) => "missing",
            Self::Unacceptable(_) => "unacceptable",
            Self::TooLarge { .. } => "too_large",
            Self::Method => "method",
            Self::Busy => "busy",
            Self::TookTooLong => "took_too_long",
            Self::NotImplemented(_) => "not_implemented",
            Self::Internal { .. } => "internal",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Parameter { .. } => StatusCode::BAD_REQUEST,
            Self::Name(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::PastTheEnd { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Missing(_) | Self::Unacceptable(_) => StatusCode::NOT_ACCEPTABLE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TookTooLong => StatusCode::GATEWAY_TIMEOUT,
            Self::NotImplemented(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<BadFolderName> for ApiError {
    fn from(bad: BadFolderName) -> Self {
        match bad {
            BadFolderName::Empty => Self::not_found("the address names no file: a name is empty"),
            other => Self::Name(BadName::Name(other)),
        }
    }
}

impl From<PlanError> for ApiError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Refused(CutError::TooLong) => {
                Self::parameter("range", CutError::TooLong.to_string())
            }
            PlanError::Refused(missing) => Self::Missing(missing),
            PlanError::Store(error) => Self::internal("list what is stored")(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let sentence = match &self {
            Self::Internal { source, .. } => {
                tracing::error!("a request failed: {self}: {source}");
                "something is wrong on this node; its log says what\n".to_owned()
            }
            other => format!("{other}\n"),
        };
        let mut response = (self.status(), sentence).into_response();
        if let Self::PastTheEnd { size } = self {
            let range = HeaderValue::try_from(format!("bytes */{size}"));
            let range = range.expect("digits are valid in a header");
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        if let Self::Busy = self {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
        response
    }
}
