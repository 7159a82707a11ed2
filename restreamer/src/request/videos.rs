//! What a request to write videos says.

use std::fmt;

use common::base::time::{TimeRange, Timestamp};
use common::format::folder::FolderName;
use common::plan::cut::check_length;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::error::ApiError;

/// How many videos one request may name.
const MAX_VIDEOS: usize = 100;
/// How long a name may be, so that there is room for what is added to it.
const MAX_NAME_BYTES: usize = 200;

/// Checks a body `{NAME: [START, END], …}`.
///
/// # Errors
///
/// When it is none, or beyond its bounds.
pub(crate) fn check_videos(body: &[u8]) -> Result<(), ApiError> {
    let bad = |problem: String| ApiError::parameter("body", problem);
    let videos: Videos = serde_json::from_slice(body).map_err(|error| {
        bad(format!("it must be JSON like {{\"name\": [\"start\", \"end\"]}}: {error}"))
    })?;
    if videos.0.is_empty() {
        return Err(bad("it names no video".to_owned()));
    }
    let ranges: Vec<TimeRange> = videos.0.into_iter().map(|(_, range)| range).collect();
    check_length(&ranges).map_err(|error| bad(error.to_string()))
}

/// The videos by name, in the order in which they were given.
struct Videos(Vec<(FolderName, TimeRange)>);

impl<'de> Deserialize<'de> for Videos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(VideosVisitor)
    }
}

/// Reads a map by hand, because others keep only the last of equal names.
struct VideosVisitor;

impl<'de> Visitor<'de> for VideosVisitor {
    type Value = Videos;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Videos, A::Error> {
        let mut videos: Vec<(FolderName, TimeRange)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let name: FolderName = name.parse().map_err(Error::custom)?;
            if name.as_str().len() > MAX_NAME_BYTES {
                return Err(Error::custom(format!("a name is longer than {MAX_NAME_BYTES} bytes")));
            }
            if videos.iter().any(|(known, _)| *known == name) {
                return Err(Error::custom("a name is given more than once"));
            }
            if videos.len() == MAX_VIDEOS {
                return Err(Error::custom(format!("there are more than {MAX_VIDEOS} names")));
            }
            let (start, end): (Timestamp, Timestamp) = map.next_value()?;
            let range = TimeRange::new(start, end);
            let range = range.ok_or_else(|| Error::custom("a start must be before its end"))?;
            videos.push((name, range));
        }
        Ok(Videos(videos))
    }
}
