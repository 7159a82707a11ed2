//! The access token that a playlist of Twitch is asked for with.

use common::io::http::client::{Client, Error};
use serde::Deserialize;
use serde_json::json;

use super::{auth_file, said};
use crate::config::TwitchConfig;
use crate::provider::ResolveError;
use crate::provider::playlist::{self, LoadError};

/// The hash of the query that hands out access tokens, which the service knows.
pub(super) const QUERY_HASH: &str =
    "ed230aa1e33e07eebb8928504583da78a5173989fadfb1ac94be06a04f3cdbe9";
/// The largest answer that a token may come in, in bytes.
const MAX_TOKEN_ANSWER: usize = 64 << 10;

/// What lets us see a channel, for a while.
#[derive(Debug, Deserialize)]
pub(super) struct AccessToken {
    pub(super) signature: String,
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
struct TokenAnswer {
    data: Option<TokenData>,
    #[serde(default)]
    errors: Vec<said::GraphError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenData {
    stream_playback_access_token: Option<AccessToken>,
}

/// A token for the channel `login`, and what somebody should do although there is one.
///
/// The operator's own token only opens what not everyone may see, and expires some day. Most channels
/// are open to all, so one that is no longer accepted is left out rather than losing them.
///
/// # Errors
///
/// Says why there is none; of an own token that is not accepted, if there is none without it either.
///
/// Cancel safety: dropping the future gives the requests up.
pub(super) async fn access_token(
    client: &Client,
    config: &TwitchConfig,
    login: &str,
) -> Result<(AccessToken, Option<String>), ResolveError> {
    let Some(file) = &config.auth_file else {
        return Ok((ask(client, config, login, None).await?, None));
    };
    let own = auth_file::read(file).await?;
    match ask(client, config, login, Some(&own)).await {
        Ok(token) => Ok((token, None)),
        Err(NoToken::NotAccepted(words)) => {
            let token = ask(client, config, login, None).await;
            let token = token.map_err(|_| said::not_accepted(&words))?;
            Ok((token, Some(said::without_own_token(&words))))
        }
        Err(NoToken::Other(error)) => Err(error),
    }
}

/// Why a request brought no token.
pub(super) enum NoToken {
    /// Whoever asked is not accepted; the words, if any, begin with a colon.
    NotAccepted(String),
    /// Any other reason.
    Other(ResolveError),
}

impl From<ResolveError> for NoToken {
    fn from(error: ResolveError) -> Self {
        Self::Other(error)
    }
}

impl From<NoToken> for ResolveError {
    fn from(none: NoToken) -> Self {
        match none {
            NoToken::NotAccepted(words) => said::not_accepted(&words),
            NoToken::Other(error) => error,
        }
    }
}

/// Asks for a token, with the operator's `own` or without.
async fn ask(
    client: &Client,
    config: &TwitchConfig,
    login: &str,
    own: Option<&str>,
) -> Result<AccessToken, NoToken> {
    let mut request = client
        .post(config.token_url.clone())
        .header("Client-ID", &config.client_id)
        .json(&token_query(login));
    if let Some(own) = own {
        request = request.header("Authorization", format!("OAuth {own}"));
    }
    let load = async {
        let answer = client.send("twitch_token", request).await?;
        let status = answer.status().as_u16();
        if status == 200 {
            return Ok(Ok(answer.bytes(MAX_TOKEN_ANSWER).await?));
        }
        // words are welcome, but the status alone will do
        Ok(Err((status, playlist::words_of(client, answer).await)))
    };
    match playlist::in_time(client, load).await {
        Ok(Ok(body)) => Ok(token_in(&body, login)?),
        Ok(Err((status, words))) => Err(said::no_token(status, &words)),
        Err(LoadError::Http(error @ (Error::TooLong(_) | Error::Content { .. }))) => {
            Err(no_tokens(error).into())
        }
        Err(error) => Err(ResolveError::from(error).beside("no token came").into()),
    }
}

/// The token in an answer.
fn token_in(body: &[u8], login: &str) -> Result<AccessToken, ResolveError> {
    let answer: TokenAnswer = serde_json::from_slice(body).map_err(no_tokens)?;
    match answer {
        TokenAnswer {
            data: Some(TokenData { stream_playback_access_token: Some(token) }), ..
        } => Ok(token),
        TokenAnswer { errors, .. } if !errors.is_empty() => Err(said::graph_errors(&errors)),
        TokenAnswer { data: Some(_), .. } => {
            Err(ResolveError::changed(format_args!("Twitch knows no channel {login}")))
        }
        TokenAnswer { data: None, .. } => Err(no_tokens("no data")),
    }
}

/// The answer is none that a token could be in.
pub(super) fn no_tokens(problem: impl std::fmt::Display) -> ResolveError {
    ResolveError::changed(format_args!("Twitch gives no tokens ({problem})"))
}

fn token_query(login: &str) -> serde_json::Value {
    json!({
        "operationName": "PlaybackAccessToken",
        "extensions": {"persistedQuery": {"version": 1, "sha256Hash": QUERY_HASH}},
        "variables": {
            "isLive": true,
            "login": login,
            "isVod": false,
            "vodID": "",
            "playerType": "embed",
            "platform": "site",
        },
    })
}
