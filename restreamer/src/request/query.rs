//! The parameters of a query.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::TimeDelta;
use common::base::time::{TimeRange, Timestamp};
use url::form_urlencoded;

use crate::error::ApiError;

/// The decoded parameters of a request. Those that nobody asks for are ignored.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Every value of `parameter`, in order.
    pub(crate) fn all(&self, parameter: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name == parameter).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn one(&self, parameter: &'static str) -> Result<Option<&str>, ApiError> {
        let mut values = self.all(parameter);
        let value = values.next();
        if values.next().is_some() {
            return Err(ApiError::parameter(parameter, "it is given more than once"));
        }
        Ok(value)
    }

    /// An instant.
    pub(crate) fn time(&self, parameter: &'static str) -> Result<Option<Timestamp>, ApiError> {
        self.one(parameter)?.map(|text| time(parameter, text)).transpose()
    }

    /// An instant that must be given.
    pub(crate) fn required_time(&self, parameter: &'static str) -> Result<Timestamp, ApiError> {
        self.time(parameter)?.ok_or_else(|| ApiError::parameter(parameter, "it is missing"))
    }

    /// The range from `start` to `end`, which must both be given.
    pub(crate) fn range(&self, max_length: TimeDelta) -> Result<TimeRange, ApiError> {
        let (start, end) = (self.required_time("start")?, self.required_time("end")?);
        let range = TimeRange::new(start, end);
        let range = range.ok_or_else(|| ApiError::parameter("start", "it must be before end"))?;
        if range.length() > max_length {
            let hours = max_length.num_hours();
            let problem = format!("it must be at most {hours} hours after start");
            return Err(ApiError::parameter("end", problem));
        }
        Ok(range)
    }

    /// `true` or `false`, which it is when not given.
    pub(crate) fn flag(&self, parameter: &'static str) -> Result<bool, ApiError> {
        match self.one(parameter)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::parameter(parameter, "it must be true or false")),
        }
    }
}

/// Reads an instant that `parameter` gave.
pub(crate) fn time(parameter: &'static str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::parse_http(text).map_err(|error| {
        let hint = if text.contains(' ') { "; a + is written %2B" } else { "" };
        ApiError::parameter(parameter, format!("{error}{hint}"))
    })
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}
