//! The names in a path.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use common::format::folder::FolderName;
use common::io::store::Feed;
use percent_encoding::percent_decode_str;

use crate::error::{ApiError, BadName};

/// The decoded components of a request's path, without the first, which chose the route.
///
/// Each is a name that cannot lead out of the folder it is in, however it was encoded.
#[derive(Debug)]
pub(crate) struct Names(pub(crate) Vec<FolderName>);

impl Names {
    /// The names, of which the route promises `N`.
    pub(crate) fn exactly<const N: usize>(self) -> Result<[FolderName; N], ApiError> {
        self.0.try_into().map_err(|_| ApiError::not_found("there is nothing at this address"))
    }

    /// The one name, which must end in `extension`, without that.
    pub(crate) fn stem(self, extension: &str) -> Result<FolderName, ApiError> {
        let [name] = self.exactly()?;
        stem(&name, extension)
    }

    /// The feed that two names stand for, of which the last must end in `extension`.
    ///
    /// # Errors
    ///
    /// Also for `chat`, which is no video.
    pub(crate) fn video_feed(self, extension: &str) -> Result<Feed, ApiError> {
        let [channel, quality] = self.exactly()?;
        let quality = stem(&quality, extension)?;
        if quality.as_str() == "chat" {
            return Err(ApiError::not_found("chat is no video"));
        }
        Ok(Feed { channel, quality })
    }
}

/// The name in the first component of a request's path.
#[derive(Debug)]
pub(crate) struct FirstName(pub(crate) FolderName);

impl<S: Sync> FromRequestParts<S> for FirstName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        decoded(parts.uri.path().split('/').nth(1).unwrap_or_default()).map(Self)
    }
}

fn stem(name: &FolderName, extension: &str) -> Result<FolderName, ApiError> {
    match name.as_str().strip_suffix(extension) {
        Some(stem) => Ok(stem.parse()?),
        None => Err(ApiError::not_found(format!("the address does not end in {extension}"))),
    }
}

impl<S: Sync> FromRequestParts<S> for Names {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        // the path begins with a slash, so what comes first is empty
        parts.uri.path().split('/').skip(2).map(decoded).collect::<Result<_, _>>().map(Self)
    }
}

fn decoded(component: &str) -> Result<FolderName, ApiError> {
    let name = percent_decode_str(component).decode_utf8();
    Ok(name.map_err(|_| ApiError::Name(BadName::Encoding))?.parse()?)
}
