use common::io::http::client::Options;
use common::metrics::Metrics;

use super::*;

use crate::origin::{Origin, Response};

const PLAYLIST: &str =
    include_str!("../../../../common/testdata/playlists/twitch-multivariant.m3u8");
const TOKEN: &str =
    r#"{"data":{"streamPlaybackAccessToken":{"value":"{\"a\":1}","signature":"5ig"}}}"#;

/// A stand-in for Twitch.
struct Bench {
    origin: Origin,
    config: TwitchConfig,
    client: Client,
}

impl Bench {
    async fn new(token: Response, playlist: Response) -> Self {
        let origin = Origin::start().await;
        origin.serve("/gql", [token]);
        origin.serve("/hls/chan.m3u8", [playlist]);
        let config = TwitchConfig {
            token_url: origin.url("/gql"),
            playlist_url: origin.url("/hls/"),
            client_id: "client".to_owned(),
            auth_file: None,
        };
        let client = Client::new(&Metrics::empty(), Options::default());
        Self { origin, config, client }
    }

    async fn resolve(&self) -> Result<Offer, ResolveError> {
        resolve(&self.client, &self.config, "chan").await
    }
}

#[tokio::test]
async fn the_token_is_asked_for_and_shown() {
    let bench = Bench::new(Response::ok(TOKEN), Response::ok(PLAYLIST)).await;
    let offer = bench.resolve().await.unwrap();
    assert!(offer.choose("source").unwrap().url.path().ends_with("source-token.m3u8"));

    let asked = &bench.origin.requests("/gql")[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.headers["client-id"], "client");
    assert!(!asked.headers.contains_key("authorization"));
    let expected = format!(
        "{{\"extensions\":{{\"persistedQuery\":{{\"sha256Hash\":\"{QUERY_HASH}\",\"version\":1}}}},\
        \"operationName\":\"PlaybackAccessToken\",\"variables\":{{\"isLive\":true,\"isVod\":false,\
        \"login\":\"chan\",\"platform\":\"site\",\"playerType\":\"embed\",\"vodID\":\"\"}}}}"
    );
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(json(&asked.body), json(&expected));

    let shown = bench.origin.requests("/hls/chan.m3u8")[0].target.clone();
    let url: Url = format!("http://host{shown}").parse().unwrap();
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "p")
        .map(|(n, v)| (n.into(), v.into()))
        .collect();
    let expected = [
        ("player", "twitchweb"),
        ("type", "any"),
        ("allow_source", "true"),
        ("allow_audio_only", "true"),
        ("fast_bread", "true"),
        ("supported_codecs", "av1,h265,h264"),
        ("sig", "5ig"),
        ("token", "{\"a\":1}"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn the_token_of_the_operator_is_read_anew_each_time() {
    let mut bench = Bench::new(Response::ok(TOKEN), Response::ok(PLAYLIST)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    bench.config.auth_file = Some(file.clone());
    for (content, expected) in [("first\n", "OAuth first"), ("oauth:second", "OAuth second")] {
        std::fs::write(&file, content).unwrap();
        bench.resolve().await.unwrap();
        let asked = bench.origin.requests("/gql");
        assert_eq!(asked.last().unwrap().headers["authorization"], expected);
    }
    std::fs::write(&file, "\n").unwrap();
    assert!(matches!(bench.resolve().await, Err(ResolveError::Refused(_))));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(bench.resolve().await, Err(ResolveError::Refused(_))));
}

type Fits = fn(&ResolveError) -> bool;

#[tokio::test]
async fn offline_refused_changed_and_unreachable_are_told_apart() {
    use ResolveError::{Changed, Offline, Refused, Unreachable};
    let token = || Response::ok(TOKEN);
    let unknown = Response::ok(r#"{"data":{"streamPlaybackAccessToken":null}}"#);
    let persisted = Response::ok(r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#);
    let nothing = || Response::status(404);
    let cases: [(Response, Response, Fits); 9] = [
        (token(), nothing(), |error| matches!(error, Offline(_))),
        (token(), Response::status(403), |error| matches!(error, Refused(_))),
        (token(), Response::ok("<html>"), |error| matches!(error, Changed(_))),
        (token(), Response::status(502), |error| matches!(error, Unreachable(_))),
        (nothing(), nothing(), |error| matches!(error, Changed(_))),
        (Response::status(401), nothing(), |error| matches!(error, Refused(_))),
        (Response::ok("<html>"), nothing(), |error| matches!(error, Changed(_))),
        (persisted, nothing(), |error| matches!(error, Changed(_))),
        (unknown, nothing(), |error| matches!(error, Changed(_))),
    ];
    for (token, playlist, fits) in cases {
        let described = format!("{token:?} {playlist:?}");
        let error = Bench::new(token, playlist).await.resolve().await.unwrap_err();
        assert!(fits(&error), "{error:?} for {described}");
    }
}

#[tokio::test]
async fn no_error_shows_the_token() {
    let bench = Bench::new(Response::ok(TOKEN), Response::status(403)).await;
    let error = bench.resolve().await.unwrap_err().to_string();
    assert!(!error.contains("5ig"), "{error}");
}
