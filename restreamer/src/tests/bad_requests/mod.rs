//! Requests that must be refused, each with its status and its sentence.
//!
//! `names` holds what can be wrong with a path, `parameters` with a query or a body; here is what has to
//! do with neither. Where a table is multiplied by another, each line of it says which part it adds.

use super::{Answer, Served};

mod names;
mod parameters;

fn check(answer: &Answer, request: &str, status: u16, sentence: &str) {
    let request: String = request.chars().take(200).collect();
    let told = (answer.status, answer.text().to_owned());
    assert_eq!(told, (status, format!("{sentence}\n")), "{request}");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"), "{request}");
}

/// Checks that `GET path` is refused, and `HEAD path` the same without the sentence.
async fn refused(served: &Served, path: &str, status: u16, sentence: &str) {
    check(&served.get(path).await, path, status, sentence);
    let head = served.send("HEAD", path, &[]).await;
    assert_eq!((head.status, head.text()), (status, ""), "HEAD {path}");
}

#[tokio::test]
async fn a_method_that_an_address_is_not_for_is_told_the_right_ones() {
    let served = Served::with(&[0]).await;
    let sentence =
        "this address is not for that method; the header Allow names those that it is for";
    for (path, allowed) in [
        ("/files", "GET,HEAD"),
        ("/files/chan", "GET,HEAD"),
        ("/files/chan/source", "GET,HEAD"),
        ("/files/chan/source/2026-11-20T10", "GET,HEAD"),
        ("/extras/notes", "GET,HEAD"),
        ("/segments/chan/source/2026-11-20T10/x.ts", "GET,HEAD"),
        ("/playlist/chan.m3u8", "GET,HEAD"),
        ("/playlist/chan/source.m3u8", "GET,HEAD"),
        ("/cut/chan/source.ts", "GET,HEAD"),
        ("/waveform/chan/source.png", "GET,HEAD"),
        ("/frame/chan/source.png", "GET,HEAD"),
        ("/thumbnail/chan/source.png", "GET,HEAD,POST"),
        ("/chan/chat.json", "GET,HEAD"),
        ("/generate_videos/chan/source", "POST"),
        ("/metrics/restreamer", "GET,HEAD"),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            if allowed.split(',').all(|allowed| allowed != method) {
                let answer = served.send(method, path, &[]).await;
                check(&answer, &format!("{method} {path}"), 405, sentence);
                assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_larger_than_any_request_is_refused() {
    let served = Served::with(&[0]).await;
    let nothing = "there is nothing at this address";
    refused(&served, &format!("/{}", "x".repeat(30_000)), 404, nothing).await;
    refused(&served, &"/x".repeat(15_000), 404, nothing).await;
    // the HTTP library refuses these itself, without a word
    for (request, status) in [
        (format!("/files?{}", "x".repeat(40_000)), 431),
        (format!("/{}", "x".repeat(70_000)), 431),
        ("/files/a b".to_owned(), 400),
        ("/files/a\0b".to_owned(), 400),
    ] {
        let answer = served.get(&request).await;
        assert_eq!((answer.status, answer.text()), (status, ""), "{} bytes", request.len());
    }
    let header = format!("X: {}", "x".repeat(1 << 20));
    assert_eq!(served.send("GET", "/files", &[&header]).await.status, 431);
    let ignored = served.get(&format!("/files?{}", "x&".repeat(15_000))).await;
    assert_eq!(ignored.status, 200, "what nobody asks for is ignored");
}

#[tokio::test]
async fn what_went_wrong_inside_stays_inside() {
    let served = Served::with(&[0]).await;
    // a folder that is a link in a circle cannot be listed, which is no client's fault
    std::os::unix::fs::symlink("circle", served.base.path().join("circle")).unwrap();
    let sentence = "something is wrong on this node; its log says what";
    for path in ["/files/circle", "/segments/circle", "/extras/circle"] {
        refused(&served, path, 500, sentence).await;
    }
}
