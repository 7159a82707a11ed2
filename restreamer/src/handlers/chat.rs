//! `/CHANNEL/chat.json`: what was said in a range, as one list.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::TimeDelta;
use common::format::chat::ChatMessage;
use futures_util::{StreamExt, stream};

use crate::app::App;
use crate::chat;
use crate::error::ApiError;
use crate::request::{FirstName, Query};

const MAX_LENGTH: TimeDelta = TimeDelta::hours(2);
/// About how much text is made at a time.
const PIECE_BYTES: usize = 64 * 1024;

pub(crate) async fn messages(
    State(app): State<App>,
    FirstName(channel): FirstName,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let range = query.range(MAX_LENGTH)?;
    let turn = app.expensive.walks.turn().await?;
    // a turn lasts as long as the messages are held: while they are read, whatever becomes of the
    // client, and while they are sent
    let read = move |store: &_| {
        let messages = chat::messages(store, channel, range, chat::MAX_HELD_BYTES)?;
        Ok::<_, ApiError>((messages, turn))
    };
    let (messages, turn) = app.store.blocking(read).await?;
    let pieces = stream::iter(pieces(messages)).map(move |piece| {
        let _held = &turn;
        Ok::<_, std::convert::Infallible>(piece)
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(pieces)))
}

/// `messages` as a JSON list, a message a line.
fn pieces(messages: Vec<ChatMessage>) -> impl Iterator<Item = Bytes> {
    let mut messages = messages.into_iter();
    let mut before = Some("[");
    std::iter::from_fn(move || {
        let mut text = String::from(before?);
        while text.len() < PIECE_BYTES {
            let Some(message) = messages.next() else {
                text.push_str("]\n");
                before = None;
                return Some(text.into());
            };
            if before.replace("") == Some("") {
                text.push_str(",\n");
            }
            text.push_str(&message.to_line());
        }
        Some(text.into())
    })
}
