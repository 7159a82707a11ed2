//! What Twitch says when it gives no token or no playlist. Pure.
//!
//! Each of its services has a form of its own: a GraphQL answer with `errors`, an object with `error`,
//! `status` and `message` around it, and from the playlists a list of objects with `error` and
//! `error_code`. A channel that is not live is told by the last one alone, with status 404. A 404 from
//! anywhere else, in another form, or without a body that could be read, may come from whatever answers
//! where the playlists used to be, and never means that the channel is offline.

use serde::Deserialize;
use serde_json::Value;

use super::token::{NoToken, no_tokens};
use crate::foreign::clean;
use crate::provider::ResolveError;

/// One of the `errors` of a GraphQL answer.
#[derive(Debug, Deserialize)]
pub(super) struct GraphError {
    #[serde(default)]
    message: String,
}

/// A token was asked for and the answer has `status`.
pub(super) fn no_token(status: u16, body: &[u8]) -> NoToken {
    let said = words(body).map(|words| format!(": {words}")).unwrap_or_default();
    match status {
        // whoever asks must now prove to be a browser, which no token of ours does
        _ if said.contains("integrity") => no_tokens(format_args!("status {status}{said}")).into(),
        401 => NoToken::NotAccepted(said),
        403 => not_accepted(&said).into(),
        408 | 425 | 429 | 500.. => {
            ResolveError::Unreachable(format!("status {status} for a token{said}")).into()
        }
        // also 404: that is the address we ask at, never the channel
        _ => no_tokens(format_args!("status {status}{said}")).into(),
    }
}

/// Whoever asks for a token is not accepted, in these words.
pub(super) fn not_accepted(words: &str) -> ResolveError {
    ResolveError::Refused(format!(
        "the token of --twitch-auth-file, or our client id, is not accepted{words}"
    ))
}

/// The operator's token was not accepted, in these words, and it went without.
pub(super) fn without_own_token(words: &str) -> String {
    format!(
        "the token of --twitch-auth-file is not accepted{words}; without it only what anyone may \
        see is found, so put a new one into the file"
    )
}

/// A token was asked for and the answer has errors in its place.
pub(super) fn graph_errors(errors: &[GraphError]) -> ResolveError {
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    let said = clean(&messages.join(", "));
    // these say that something behind the service is down, not that we ask in the wrong way
    let passing = ["service timeout", "service error", "service unavailable", "server error"];
    if messages.iter().any(|message| passing.contains(&message.to_ascii_lowercase().as_str())) {
        return ResolveError::Unreachable(format!("Twitch gives no tokens: {said}"));
    }
    no_tokens(said)
}

/// A playlist was asked for and the answer has `status`.
pub(super) fn no_playlist(status: u16, body: &[u8]) -> ResolveError {
    let detail = words(body).unwrap_or_else(|| format!("status {status}"));
    match status {
        401 | 403 | 451 => ResolveError::Refused(detail),
        404 | 410 if is_of_playlists(body) => ResolveError::Offline(detail),
        404 | 410 => ResolveError::changed(format_args!(
            "Twitch has no playlists where they are looked for (status {status}): {}",
            beginning(body)
        )),
        408 | 425 | 429 | 500.. => ResolveError::Unreachable(detail),
        _ => ResolveError::changed(format_args!("Twitch gives no playlist ({detail})")),
    }
}

/// Whether a refusal has the form of those that come from the playlists: nothing else answers with a
/// list, or has codes.
fn is_of_playlists(body: &[u8]) -> bool {
    let said: Option<Value> = serde_json::from_slice(body).ok();
    let code = said.as_ref().and_then(|said| said.as_array()?.first()?.get("error_code")?.as_str());
    code.is_some_and(|code| !code.is_empty())
}

/// How a body begins, which may repeat our address: without what follows a `?`, where the token is.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(100)]);
    let text = clean(text.split('?').next().unwrap_or_default());
    if text.is_empty() { "it says nothing that could be read".to_owned() } else { text }
}

/// The words in a body of one of these forms, in one line, with the code where there is one.
fn words(body: &[u8]) -> Option<String> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let said = said.as_array().and_then(|list| list.first()).unwrap_or(&said);
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let of_graph = || said.pointer("/errors/0/message").and_then(Value::as_str);
    let message = text("message").or_else(|| text("error")).or_else(of_graph);
    match (message, text("error_code")) {
        (Some(message), Some(code)) => Some(clean(&format!("{message}, {code}"))),
        (Some(words), None) | (None, Some(words)) => Some(clean(words)),
        (None, None) => None,
    }
}
