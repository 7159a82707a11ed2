//! Twitch: an access token for the channel, then its multivariant playlist.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use common::format::hls::MultivariantPlaylist;
use common::io::http::client::{Client, Error};
use rand::RngExt;
use serde::Deserialize;
use serde_json::json;
use url::Url;

mod said;

use super::playlist::{self, LoadError};
use super::{Offer, ResolveError};
use crate::config::TwitchConfig;

/// The hash of the query that hands out access tokens, which the service knows.
const QUERY_HASH: &str = "ed230aa1e33e07eebb8928504583da78a5173989fadfb1ac94be06a04f3cdbe9";
/// The largest answer that a token may come in, in bytes.
const MAX_TOKEN_ANSWER: usize = 64 << 10;
/// How long such an answer may take once its headers have come.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(15);
/// The largest token file, in bytes.
const MAX_TOKEN_FILE: u64 = 4 << 10;

/// The qualities of the channel `login` right now.
pub(super) async fn resolve(
    client: &Client,
    config: &TwitchConfig,
    login: &str,
) -> Result<Offer, ResolveError> {
    let token = access_token(client, config, login).await?;
    let url = playlist_url(config, login, &token)?;
    let answer = playlist::fetch_with_refusal(client, "twitch_playlist", &url).await?;
    match answer {
        Ok((bytes, base)) => {
            let list = MultivariantPlaylist::parse(&bytes).map_err(LoadError::Playlist)?;
            Ok(Offer::new(&list, &base))
        }
        Err((status, body)) => Err(said::no_playlist(status, &body)),
    }
}

/// What lets us see a channel, for a while.
#[derive(Debug, Deserialize)]
struct AccessToken {
    signature: String,
    value: String,
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

async fn access_token(
    client: &Client,
    config: &TwitchConfig,
    login: &str,
) -> Result<AccessToken, ResolveError> {
    let mut request = client
        .post(config.token_url.clone())
        .header("Client-ID", &config.client_id)
        .json(&token_query(login));
    if let Some(file) = &config.auth_file {
        request = request.header("Authorization", format!("OAuth {}", read_token(file)?));
    }
    let unreachable = |error: Error| ResolveError::Unreachable(error.to_string());
    let answer = client.send("twitch_token", request).await.map_err(unreachable)?;
    let status = answer.status().as_u16();
    let body = tokio::time::timeout(TOKEN_TIMEOUT, answer.bytes(MAX_TOKEN_ANSWER)).await;
    if status != 200 {
        // words are welcome, but the status alone will do
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        return Err(said::no_token(status, &body));
    }
    let slow = || ResolveError::Unreachable("the token took too long".to_owned());
    let body = body.map_err(|_| slow())?.map_err(|error| match error {
        Error::Transport(_) | Error::Timeout(_) => unreachable(error),
        Error::TooLong(_) | Error::Content { .. } => no_tokens(error),
    })?;
    let answer: TokenAnswer = serde_json::from_slice(&body).map_err(no_tokens)?;
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
fn no_tokens(problem: impl std::fmt::Display) -> ResolveError {
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

/// The OAuth token of the operator, read anew each time so that it can be changed while we run.
fn read_token(file: &Path) -> Result<String, ResolveError> {
    let mut token = String::new();
    let read = std::fs::File::open(file)
        .and_then(|opened| opened.take(MAX_TOKEN_FILE).read_to_string(&mut token));
    let refused = |problem: &str| {
        ResolveError::Refused(format!("the token file {} {problem}", file.display()))
    };
    read.map_err(|error| refused(&format!("cannot be read: {error}")))?;
    let token = token.trim();
    let token = token.strip_prefix("oauth:").unwrap_or(token);
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(refused("holds no token"));
    }
    Ok(token.to_owned())
}

fn playlist_url(
    config: &TwitchConfig,
    login: &str,
    token: &AccessToken,
) -> Result<Url, ResolveError> {
    let mut url = config.playlist_url.clone();
    url.path_segments_mut()
        .map_err(|()| ResolveError::changed("the address of Twitch cannot be one"))?
        .pop_if_empty()
        .push(&format!("{login}.m3u8"));
    let random: u32 = rand::rng().random_range(0..1_000_000);
    url.query_pairs_mut()
        .append_pair("player", "twitchweb")
        .append_pair("p", &random.to_string())
        .append_pair("type", "any")
        .append_pair("allow_source", "true")
        .append_pair("allow_audio_only", "true")
        .append_pair("fast_bread", "true")
        .append_pair("supported_codecs", "av1,h265,h264")
        .append_pair("sig", &token.signature)
        .append_pair("token", &token.value);
    Ok(url)
}

#[cfg(test)]
mod tests;
