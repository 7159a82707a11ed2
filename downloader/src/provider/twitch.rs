//! Twitch: an access token for the channel, then its multivariant playlist.

use common::format::hls::MultivariantPlaylist;
use common::io::http::client::Client;
use rand::RngExt;
use url::Url;

mod auth_file;
mod said;
mod token;

use super::playlist::{self, LoadError};
use super::{Offer, ResolveError};
use crate::config::TwitchConfig;
use token::AccessToken;

/// The qualities of the channel `login` right now.
pub(super) async fn resolve(
    client: &Client,
    config: &TwitchConfig,
    login: &str,
) -> Result<Offer, ResolveError> {
    let (token, warning) = token::access_token(client, config, login).await?;
    let offer = offer(client, &playlist_url(config, login, &token)?).await;
    match warning {
        Some(warning) => offer
            .map(|offer| offer.warn_of(warning.clone()))
            .map_err(|error| error.beside(&warning)),
        None => offer,
    }
}

/// The qualities in the multivariant playlist at `url`.
async fn offer(client: &Client, url: &Url) -> Result<Offer, ResolveError> {
    let answer = playlist::fetch_with_refusal(client, "twitch_playlist", url).await?;
    match answer {
        Ok(loaded) => {
            let list = MultivariantPlaylist::parse(&loaded.bytes).map_err(LoadError::Playlist)?;
            Ok(Offer::new(&list, &loaded.base))
        }
        Err((status, body)) => Err(said::no_playlist(status, &body)),
    }
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
