//! Twitch: an access token for the channel, then its multivariant playlist.

use std::io::Read;
use std::path::Path;

use common::format::hls::MultivariantPlaylist;
use common::io::http::client::{Client, Error};
use rand::RngExt;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::playlist::{self, LoadError};
use super::{Offer, ResolveError};
use crate::config::TwitchConfig;

/// The hash of the query that hands out access tokens, which the service knows.
const QUERY_HASH: &str = "ed230aa1e33e07eebb8928504583da78a5173989fadfb1ac94be06a04f3cdbe9";
/// The largest answer that a token may come in, in bytes.
const MAX_TOKEN_ANSWER: usize = 64 << 10;
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
    let (bytes, base) = playlist::fetch(client, "twitch_playlist", &url).await?;
    let list = MultivariantPlaylist::parse(&bytes).map_err(LoadError::Playlist)?;
    Ok(Offer::new(&list, &base))
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
    match answer.status().as_u16() {
        200 => {}
        401 | 403 => {
            let detail = "the token of --twitch-auth-file, or our client id, is not accepted";
            return Err(ResolveError::Refused(detail.to_owned()));
        }
        status @ (408 | 429 | 500..) => {
            return Err(ResolveError::Unreachable(format!("status {status} for a token")));
        }
        // also 404: that is the address we ask at, never the channel
        status => {
            return Err(ResolveError::Changed(format!("Twitch gives no tokens (status {status})")));
        }
    }
    let answer: TokenAnswer = answer.json(MAX_TOKEN_ANSWER).await.map_err(|error| match error {
        Error::Transport(_) | Error::Timeout(_) => unreachable(error),
        Error::TooLong(_) | Error::Content { .. } => {
            ResolveError::Changed(format!("Twitch gives no tokens ({error})"))
        }
    })?;
    let Some(data) = answer.data else {
        return Err(ResolveError::Changed("Twitch gives no tokens (no data)".to_owned()));
    };
    data.stream_playback_access_token
        .ok_or_else(|| ResolveError::Changed(format!("Twitch knows no channel {login}")))
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
        .map_err(|()| ResolveError::Changed("the address of Twitch cannot be one".to_owned()))?
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
