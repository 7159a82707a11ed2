use common::io::http::client::Options;
use common::metrics::Metrics;

use super::*;

use crate::origin::{Origin, Response};
use crate::provider::Provider;

fn client() -> Client {
    Client::new(&Metrics::empty(), Options::default())
}

async fn resolve_to(response: Response) -> Result<Offer, ResolveError> {
    let origin = Origin::start().await;
    origin.serve("/live.m3u8", [response]);
    resolve(&client(), &origin.url("/live.m3u8")).await
}

#[tokio::test]
async fn either_kind_of_playlist_will_do() {
    let media = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n";
    let offer = resolve_to(Response::ok(media)).await.unwrap();
    assert_eq!(offer.choose("source").unwrap().url.path(), "/live.m3u8");
    let multivariant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/index.m3u8\n";
    let offer = resolve_to(Response::ok(multivariant)).await.unwrap();
    assert_eq!(offer.choose("source").unwrap().url.path(), "/low/index.m3u8");
}

#[tokio::test]
async fn each_wrong_answer_is_a_sentence_that_says_what_to_do() {
    for (response, expected) in [
        (
            Response::status(404),
            "the channel is offline (status 404); if it should be live, check its name or address",
        ),
        (
            Response::status(403),
            "refused (status 403); a token, a subscription or another region may be needed",
        ),
        (
            Response::status(500),
            "cannot be reached (status 500); check the network, or wait if others cannot reach it \
            either",
        ),
        (
            Response::ok(""),
            "the answer is empty where a playlist should be; check the channel's address, or \
            whether this program is too old for the service",
        ),
        (
            Response::ok("<html>"),
            "the answer is a web page, not a playlist: it begins \"<html>\"; check the channel's \
            address, or whether this program is too old for the service",
        ),
    ] {
        assert_eq!(resolve_to(response).await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn addresses_are_relative_to_where_the_playlist_came_from() {
    let origin = Origin::start().await;
    origin.serve("/live.m3u8", [Response::new(302, &[("Location", "/edge/7/live.m3u8")], b"")]);
    origin.serve("/edge/7/live.m3u8", [Response::ok("#EXTM3U\n#EXTINF:2,\na.ts\n")]);
    let Seen { list, base, .. } = load(&client(), &origin.url("/live.m3u8")).await.unwrap();
    assert_eq!(list.segments.len(), 1);
    assert_eq!(base, origin.url("/edge/7/live.m3u8"));
}

#[tokio::test]
async fn a_playlist_without_end_is_left_at_the_limit() {
    let lines = [b"#EXTM3U\n".as_slice(), &vec![b'#'; 1 << 20]].concat();
    let endless = || Response::endless(&lines, Duration::from_millis(1));
    let error = resolve_to(endless()).await.unwrap_err();
    assert!(matches!(error, ResolveError::Changed(_)), "{error:?}");
    let origin = Origin::start().await;
    origin.serve("/live.m3u8", [endless()]);
    let (client, url) = (client(), origin.url("/live.m3u8"));
    let error = load(&client, &url).await.unwrap_err();
    assert!(matches!(error, LoadError::Http(Error::TooLong(_))), "{error:?}");
    let error = fetch_with_refusal(&client, "multivariant", &url).await.unwrap_err();
    assert!(matches!(error, LoadError::Http(Error::TooLong(_))), "{error:?}");
}

#[tokio::test]
async fn a_playlist_that_never_comes_is_given_up() {
    let origin = Origin::start().await;
    origin.serve("/live.m3u8", [Response::stalled(b"#EXTM3U\n", 100)]);
    let url = origin.url("/live.m3u8");
    let client = client();
    let load = load(&client, &url);
    let script = async {
        while origin.requests("/live.m3u8").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::pause();
    };
    let (loaded, ()) = tokio::join!(load, script);
    assert!(matches!(loaded, Err(LoadError::Slow)), "{loaded:?}");
}

#[tokio::test]
async fn a_look_that_is_not_answered_soon_is_made_again_beside_it_and_again() {
    for silent in 1..=2 {
        let origin = Origin::start().await;
        let list = Response::ok("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n");
        let silence = std::iter::repeat_n(Response::silence(), silent);
        origin.serve("/live.m3u8", silence.chain([list]));
        let (provider, client) = (Provider::Url(origin.url("/live.m3u8")), client());
        let look = provider.resolve(&client);
        let script = async {
            for asked in 1..=silent {
                while origin.requests("/live.m3u8").len() < asked {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                // no other timer is due before, and the answer has real time to come
                tokio::time::pause();
                tokio::time::sleep(SOFT_TIMEOUT).await;
                tokio::time::resume();
            }
        };
        let (offer, ()) = tokio::join!(look, script);
        let offer = offer.unwrap_or_else(|error| panic!("after {silent}: {error}"));
        assert_eq!(offer.choose("source").unwrap().url.path(), "/low.m3u8");
        assert_eq!(origin.requests("/live.m3u8").len(), silent + 1);
    }
}

#[tokio::test]
async fn large_lists_are_loaded_in_turn_and_others_do_not_wait() {
    let (origin, client) = (Origin::start().await, client());
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n";
    origin.serve("/small.m3u8", [Response::ok(list)]);
    let comment = format!("#{}\n", "x".repeat(1000));
    let large = format!("{list}{}", comment.repeat(LARGE / 1000));
    origin.serve("/large.m3u8", [Response::ok(large)]);
    let mut turns = Vec::new();
    for _ in 0..MOST_LARGE {
        turns.push(LARGE_ONES.acquire().await.unwrap());
    }
    let (small, large) = (origin.url("/small.m3u8"), origin.url("/large.m3u8"));
    let others = async {
        for _ in 0..20 {
            load(&client, &small).await.unwrap();
        }
        turns.clear();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        loaded = load(&client, &large) => assert_eq!(loaded.unwrap().list.segments.len(), 1),
        () = others => {}
    }
    assert_eq!(origin.requests("/small.m3u8").len(), 20, "the large one waited");
    assert_eq!(LARGE_ONES.available_permits(), MOST_LARGE);
}
