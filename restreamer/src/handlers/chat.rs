//! `/CHANNEL/chat.json`: what was said in a range, as one list.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use chrono::TimeDelta;
use common::base::time::TimeRange;
use common::format::chat::ChatMessage;
use common::format::folder::FolderName;
use common::io::store::Store;

use crate::answers::{self, PIECE_BYTES};
use crate::app::App;
use crate::chat;
use crate::error::ApiError;
use crate::request::{FirstName, Query};

const MAX_LENGTH: TimeDelta = TimeDelta::hours(2);

pub(crate) async fn messages(
    State(app): State<App>,
    FirstName(channel): FirstName,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let range = query.range(MAX_LENGTH)?;
    let key = (channel.clone(), range);
    let together = app.together.chats.clone();
    let pieces = together.run(key, || read(app, channel, range)).await?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, answers::body(pieces)))
}

/// The text of the chat of `range`. Its turn ends with this, though the text is held until it was sent.
async fn read(app: App, channel: FolderName, range: TimeRange) -> Result<Vec<Bytes>, ApiError> {
    let answers = app.answers.clone();
    let read = move |store: &Store| {
        let messages = chat::messages(store, channel, range, chat::MAX_HELD_BYTES)?;
        let pieces = pieces(messages).map(|piece| {
            store.check_awaited().map_err(ApiError::internal("write chat"))?;
            answers.hold(piece)
        });
        pieces.collect()
    };
    app.expensive.walks.read(&app.store, read).await
}

/// `messages` as a JSON list, a message a line.
fn pieces(messages: Vec<ChatMessage>) -> impl Iterator<Item = Vec<u8>> {
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
