use std::time::Duration;

use common::io::http::client::Options;
use common::metrics::Metrics;

use super::token::QUERY_HASH;
use super::*;

use crate::origin::{Origin, Response};
use crate::provider::Provider;

const PLAYLIST: &str =
    include_str!("../../../../common/testdata/playlists/twitch-multivariant.m3u8");
const OFFLINE: &str =
    r#"[{"type":"error","error":"Can not find channel","error_code":"transcode_does_not_exist"}]"#;
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
        let provider = Provider::Twitch { login: "chan".to_owned(), config: self.config.clone() };
        provider.resolve(&self.client).await
    }

    /// A look whose waits pass at once as soon as `path` was asked for.
    async fn resolve_once_asked(&self, path: &str) -> Result<Offer, ResolveError> {
        let asked = async {
            while self.origin.requests(path).is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            tokio::time::pause();
        };
        let (resolved, ()) = tokio::join!(self.resolve(), asked);
        tokio::time::resume();
        resolved
    }

    /// Opens several connections that are kept: their ports.
    async fn open_connections(&self) -> Vec<u16> {
        let late = Response::ok("").after(Duration::from_millis(50));
        self.origin.serve("/warm", [late]);
        let ask = async || {
            let request = self.client.get(self.origin.url("/warm"));
            let answer = self.client.send("warm", request).await.unwrap();
            answer.bytes(1).await.unwrap();
        };
        tokio::join!(ask(), ask(), ask(), ask());
        self.origin.requests("/warm").iter().map(|request| request.port).collect()
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

#[tokio::test]
async fn a_token_that_has_expired_loses_no_channel_that_anyone_may_see() {
    let mut bench = Bench::new(Response::status(500), Response::ok(PLAYLIST)).await;
    let folder = tempfile::tempdir().unwrap();
    bench.config.auth_file = Some(folder.path().join("token"));
    std::fs::write(folder.path().join("token"), "expired").unwrap();
    let no = || Response::new(401, &[], br#"{"message":"The token is invalid."}"#);
    bench.origin.serve("/gql", [no(), Response::ok(TOKEN), no(), Response::ok(TOKEN), no()]);

    let offer = bench.resolve().await.unwrap();
    assert!(offer.choose("source").is_ok());
    let [warning] = offer.warnings() else { panic!("{:?}", offer.warnings()) };
    assert!(warning.contains("--twitch-auth-file is not accepted: The token is invalid."));
    let asked = bench.origin.requests("/gql");
    assert_eq!(asked.len(), 2, "in one look");
    assert_eq!(asked[0].headers["authorization"], "OAuth expired");
    assert!(!asked[1].headers.contains_key("authorization"));

    // only subscribers may see it, or nobody at the moment
    let refused = Response::new(403, &[], br#"[{"error_code":"unauthorized_entitlements"}]"#);
    bench.origin.serve("/hls/chan.m3u8", [refused]);
    let error = bench.resolve().await.unwrap_err();
    let ResolveError::Refused(detail) = &error else { panic!("{error:?}") };
    assert!(detail.contains("unauthorized_entitlements; the token of --twitch-auth-file"));

    // without it neither
    let error = bench.resolve().await.unwrap_err();
    let ResolveError::Refused(detail) = &error else { panic!("{error:?}") };
    assert!(detail.contains("client id, is not accepted: The token is invalid."), "{detail}");
    assert_eq!(bench.origin.requests("/gql").len(), 6);
}

#[tokio::test]
async fn nothing_is_asked_twice_that_has_no_token_to_leave_out() {
    let bench = Bench::new(Response::status(401), Response::ok(PLAYLIST)).await;
    assert!(matches!(bench.resolve().await, Err(ResolveError::Refused(_))));
    assert_eq!(bench.origin.requests("/gql").len(), 1);
    let bench = Bench::new(Response::ok(TOKEN), Response::ok(PLAYLIST)).await;
    assert_eq!(bench.resolve().await.unwrap().warnings(), [""; 0]);
}

type Fits = fn(&ResolveError) -> bool;

#[tokio::test]
async fn offline_refused_changed_and_unreachable_are_told_apart() {
    use ResolveError::{Changed, Offline, Refused, Unreachable};
    let token = || Response::ok(TOKEN);
    let unknown = Response::ok(r#"{"data":{"streamPlaybackAccessToken":null}}"#);
    let persisted = Response::ok(r#"{"errors":[{"message":"PersistedQueryNotFound"}]}"#);
    let nothing = || Response::status(404);
    let cases: [(Response, Response, Fits); 11] = [
        (token(), Response::new(404, &[], OFFLINE.as_bytes()), |error| matches!(error, Offline(_))),
        (token(), Response::status(403), |error| matches!(error, Refused(_))),
        (token(), Response::ok("<html>"), |error| matches!(error, Changed(_))),
        (token(), Response::status(502), |error| matches!(error, Unreachable(_))),
        (nothing(), nothing(), |error| matches!(error, Changed(_))),
        (Response::status(401), nothing(), |error| matches!(error, Refused(_))),
        (Response::status(503), nothing(), |error| matches!(error, Unreachable(_))),
        (Response::ok("<html>"), nothing(), |error| matches!(error, Changed(_))),
        (persisted, nothing(), |error| matches!(error, Changed(_))),
        (unknown, nothing(), |error| matches!(error, Changed(_))),
        (token(), Response::ok("#EXTM3U\n#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"a\"\n"), |error| {
            matches!(error, Changed(_))
        }),
    ];
    for (token, playlist, fits) in cases {
        let described = format!("{token:?} {playlist:?}");
        let error = Bench::new(token, playlist).await.resolve().await.unwrap_err();
        assert!(fits(&error), "{error:?} for {described}");
    }
}

#[tokio::test]
async fn no_error_shows_the_token() {
    let echo = Response::new(404, &[], b"no such page: /hls/chan.m3u8?sig=5ig&token=x");
    for refusal in [Response::status(403), echo] {
        let error = told(Response::ok(TOKEN), refusal).await.to_string();
        assert!(!error.contains("5ig"), "{error}");
    }
}

async fn told(token: Response, playlist: Response) -> ResolveError {
    Bench::new(token, playlist).await.resolve().await.unwrap_err()
}

#[tokio::test]
async fn what_twitch_says_is_handed_on() {
    use ResolveError::{Offline, Refused, Unreachable};
    let token = || Response::ok(TOKEN);
    let json = |status, text: &str| Response::new(status, &[], text.as_bytes());
    let geoblocked = r#"[{"type":"error","error":"Content Restricted\n In Region","error_code":"content_geoblocked"}]"#;
    let expected = Refused("Content Restricted In Region, content_geoblocked".to_owned());
    assert_eq!(told(token(), json(403, geoblocked)).await, expected);
    let subscribers = r#"[{"error":"","error_code":"unauthorized_entitlements"}]"#;
    let expected = Refused("unauthorized_entitlements".to_owned());
    assert_eq!(told(token(), json(403, subscribers)).await, expected);
    let expected = Offline("Can not find channel, transcode_does_not_exist".to_owned());
    assert_eq!(told(token(), json(404, OFFLINE)).await, expected);
    let invalid = r#"{"error":"Unauthorized","status":401,"message":"The \"Authorization\" token is invalid."}"#;
    let error = told(json(401, invalid), token()).await.to_string();
    assert!(error.contains("not accepted: The \"Authorization\" token is invalid."), "{error}");
    let timeout = r#"{"errors":[{"message":"service timeout","path":["x"]}],"data":{"streamPlaybackAccessToken":null}}"#;
    let expected = Unreachable("Twitch gives no tokens: service timeout".to_owned());
    assert_eq!(told(Response::ok(timeout), token()).await, expected);
    let long = format!(r#"[{{"error":"{}","error_code":"x"}}]"#, "\\u001b[31m ".repeat(1000));
    let error = told(token(), json(403, &long)).await.to_string();
    assert!(error.len() < 500 && !error.contains('\u{1b}'), "{error}");
}

#[tokio::test]
async fn an_address_that_is_gone_is_never_a_channel_that_is_offline() {
    use ResolveError::Changed;
    let token = || Response::ok(TOKEN);
    let json = |status, text: &str| Response::new(status, &[], text.as_bytes());
    for (token, playlist, part) in [
        (json(404, "404 page not found"), token(), "gives no tokens (status 404"),
        (
            json(404, r#"[{"error":"Can not find channel"}]"#),
            token(),
            "gives no tokens (status 404",
        ),
        (json(400, r#"{"message":"The \"Client-ID\" header is invalid."}"#), token(), "Client-ID"),
        (
            json(200, r#"{"errors":[{"message":"failed integrity check"}],"data":null}"#),
            token(),
            "integrity",
        ),
        (json(403, r#"{"errors":[{"message":"failed integrity check"}]}"#), token(), "integrity"),
        (json(200, "[]"), token(), "gives no tokens"),
        (token(), json(404, "404 page not found"), "404 page not found"),
        (token(), json(410, "<html><body>Gone"), "(status 410): <html><body>Gone"),
        (token(), json(404, ""), "(status 404): it says nothing that could be read"),
        (token(), json(410, " \r\n"), "(status 410): it says nothing"),
        (token(), json(404, r#"{"message":"Not Found"}"#), r#"{"message":"Not Found"}"#),
        (token(), json(404, r#"{"error":"Not Found","status":404}"#), "Not Found"),
        (token(), json(404, r#"{"error":"no","error_code":"route"}"#), "(status 404)"),
        (token(), json(404, r#"[{"error":"Not Found"}]"#), "Not Found"),
        (token(), json(404, r#"[{"error":"no","error_code":""}]"#), "(status 404)"),
        (token(), json(404, "[]"), "(status 404): []"),
        (token(), json(404, &format!("{OFFLINE}{}", " ".repeat(64 << 10))), "says nothing"),
        (token(), json(418, ""), "status 418"),
    ] {
        let error = told(token, playlist).await;
        assert!(matches!(error, Changed(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(part) && text.contains("too old for the service"), "{text}");
    }
}

#[tokio::test]
async fn the_words_of_a_refusal_are_not_waited_for_long() {
    let refused = told_without_end(403).await;
    assert_eq!(refused, ResolveError::Refused("status 403".to_owned()));
    let gone = told_without_end(404).await;
    assert!(matches!(gone, ResolveError::Changed(_)), "{gone:?}");
}

#[tokio::test]
async fn a_look_that_takes_too_long_leaves_the_connections() {
    let silent = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
    for (path, sick) in [
        ("/gql", Response::silence()),
        ("/gql", Response::raw_then_silence(silent)),
        ("/hls/chan.m3u8", Response::silence()),
        ("/hls/chan.m3u8", Response::raw_then_silence(silent)),
    ] {
        let bench = Bench::new(Response::ok(TOKEN), Response::ok(PLAYLIST)).await;
        let kept = bench.open_connections().await;
        bench.origin.serve(path, [sick]);
        let error = bench.resolve_once_asked(path).await.unwrap_err();
        assert!(matches!(error, ResolveError::Silent(_)), "{error:?}");
        assert!(error.to_string().contains("not complete within 15 s"), "{error}");

        bench.origin.serve("/gql", [Response::ok(TOKEN)]);
        bench.origin.serve("/hls/chan.m3u8", [Response::ok(PLAYLIST)]);
        bench.resolve().await.unwrap();
        let asked = bench.origin.requests("/gql");
        let port = asked.last().unwrap().port;
        assert!(!kept.contains(&port), "{path}: {port} of {kept:?} was sick");
    }
}

/// What is made of a refusal whose body stalls.
async fn told_without_end(status: u16) -> ResolveError {
    let bench = Bench::new(Response::ok(TOKEN), Response::status(200)).await;
    let refusal = format!("HTTP/1.1 {status} no\r\nContent-Length: 100\r\n\r\n[");
    bench.origin.serve("/hls/chan.m3u8", [Response::raw_then_silence(refusal.as_bytes())]);
    bench.resolve_once_asked("/hls/chan.m3u8").await.unwrap_err()
}
