//! `/files`: what is stored, level by level. What does not exist has an empty list.

use std::io;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use common::base::time::Hour;
use common::io::store::{Feed, Store, names_nothing};

use crate::app::App;
use crate::error::ApiError;
use crate::listings::HourFolder;
use crate::request::{Names, Query};

type Listing = Result<Json<Vec<String>>, ApiError>;

pub(crate) async fn channels(State(app): State<App>) -> Listing {
    listing(app.store.blocking(Store::channels).await)
}

pub(crate) async fn qualities(State(app): State<App>, names: Names) -> Listing {
    let [channel] = names.exactly()?;
    listing(app.store.blocking(move |store| store.qualities(&channel)).await)
}

pub(crate) async fn hours(State(app): State<App>, names: Names) -> Listing {
    let [channel, quality] = names.exactly()?;
    let feed = Feed { channel, quality };
    listing(app.store.blocking(move |store| store.hours(&feed)).await)
}

pub(crate) async fn files(
    State(app): State<App>,
    names: Names,
    query: Query,
) -> Result<Response, ApiError> {
    let [channel, quality, hour] = names.exactly()?;
    let tombstones = query.flag("tombstones")?;
    let Ok(hour) = hour.as_str().parse::<Hour>() else {
        return Ok(Json::<[&str; 0]>([]).into_response());
    };
    let folder = HourFolder { feed: Feed { channel, quality }, hour, tombstones };
    let listings = app.listings.clone();
    let listed = app.store.blocking(move |store| listings.get(store, &folder)).await;
    let json = match listed {
        Ok(json) => json,
        Err(error) if names_nothing(&error) => Bytes::from_static(b"[]"),
        Err(error) => return Err(ApiError::internal("list what is stored")(error)),
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

fn listing<T: ToString>(names: io::Result<Vec<T>>) -> Listing {
    match names {
        Ok(names) => Ok(Json(names.iter().map(ToString::to_string).collect())),
        Err(error) if names_nothing(&error) => Ok(Json(Vec::new())),
        Err(error) => Err(ApiError::internal("list what is stored")(error)),
    }
}
