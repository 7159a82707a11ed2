//! Segments that are encrypted.

use aws_lc_rs::cipher::{AES_128, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use common::format::hls::{Key, KeyMethod};
use common::io::store::{Hang, Step};

use super::*;

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/encrypted/", $name)).as_slice()
    };
}

fn key(iv: Option<&str>) -> Arc<Key> {
    Arc::new(Key {
        method: KeyMethod::Aes128,
        uri: Some("key".to_owned()),
        iv: iv.map(str::to_owned),
        key_format: None,
    })
}

/// The segment of number 7 whose vector is its number.
fn encrypted() -> Segment {
    Segment { key: Some(key(None)), ..segment() }
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.origin.serve("/live/key", [Response::ok(data!("key"))]);
    bench.origin.serve("/live/7.ts", [Response::ok(data!("number-7.ts"))]);
    bench
}

#[tokio::test]
async fn an_encrypted_segment_is_stored_in_clear_text() {
    let bench = bench().await;
    for _ in 0..2 {
        assert_eq!(failure(&bench.done(&bench.job(encrypted())).await), None);
    }
    assert_eq!(bench.stored(), [(Completeness::Full, data!("clear.ts").to_vec())]);
    assert_eq!(bench.origin.requests("/live/key").len(), 1, "the key is kept");
}

#[tokio::test]
async fn an_encrypted_segment_that_the_disk_hangs_at_waits_in_clear_text() {
    let disk = Hang::default();
    let bench = Bench::hanging(&disk, false).await;
    bench.origin.serve("/live/key", [Response::ok(data!("key"))]);
    bench.origin.serve("/live/7.ts", [Response::ok(data!("number-7.ts"))]);
    disk.at(Step::Flush, 0);
    let held = bench.held(&bench.fetcher, encrypted());
    let (held, ()) = tokio::join!(held, hang::patience_ends(&disk));
    assert_eq!(held.pieces.concat(), data!("clear.ts"));
    disk.release();
    assert_eq!(held.land().await.failure, None);
    bench.ends_with(data!("clear.ts").to_vec()).await;
}

#[tokio::test]
async fn a_vector_that_is_stated_counts() {
    let bench = bench().await;
    bench.origin.serve("/live/7.ts", [Response::ok(data!("stated.ts"))]);
    let stated = Some(key(Some("0x0123456789abcdef0123456789abcdef")));
    let attempt = bench.done(&bench.job(Segment { key: stated, ..segment() })).await;
    assert_eq!(failure(&attempt), None);
    assert_eq!(bench.stored(), [(Completeness::Full, data!("clear.ts").to_vec())]);
}

#[tokio::test]
async fn a_range_is_encrypted_by_itself() {
    let bench = bench().await;
    let whole = [b"before", data!("number-7.ts"), b"behind"].concat();
    bench.origin.serve("/live/7.ts", [Response::ok(whole)]);
    let length = data!("number-7.ts").len() as u64;
    let byte_range = Some(ByteRange { length, offset: Some(6) });
    let attempt = bench.done(&bench.job(Segment { byte_range, ..encrypted() })).await;
    assert_eq!(failure(&attempt), None);
    assert_eq!(bench.stored(), [(Completeness::Full, data!("clear.ts").to_vec())]);
}

#[tokio::test]
async fn what_is_cut_short_is_partial_up_to_its_last_blocks() {
    let bench = bench().await;
    let cut = &data!("number-7.ts")[..400];
    let attempt = bench.fetch_as(encrypted(), Response::truncated(cut, 576)).await;
    assert_eq!(failure(&attempt), Some((Why::Truncated, Retry::Later)));
    let stored = bench.stored();
    assert_eq!(stored[0].0, Completeness::Partial);
    assert!(stored[0].1.len() >= 400 - 2 * 16);
    assert!(data!("clear.ts").starts_with(&stored[0].1));
}

#[tokio::test]
async fn what_does_not_decrypt_is_suspect_and_its_key_is_asked_for_again() {
    let bench = bench().await;
    bench.origin.serve("/live/key", [Response::ok([9; 16]), Response::ok(data!("key"))]);
    let attempt = bench.done(&bench.job(encrypted())).await;
    assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::AFewTimes)));
    let detail = attempt.failure.unwrap().detail;
    assert!(detail.contains("does not decrypt"), "{detail}");
    assert_eq!(bench.stored()[0].0, Completeness::Suspect);
    assert_eq!(failure(&bench.done(&bench.job(encrypted())).await), None);
    let full = (Completeness::Full, data!("clear.ts").to_vec());
    assert!(bench.stored().contains(&full));
}

#[tokio::test]
async fn what_does_not_decrypt_elsewhere_is_asked_for_with_the_key_from_there() {
    let silence = Limits { soft: Duration::from_millis(400), hard: Duration::from_secs(1) };
    let bench = Bench::patient(Patience { headers: silence, ..for_ever() }).await;
    bench.origin.serve("/live/key", [Response::ok(data!("key"))]);
    bench.origin.serve("/live/7.ts", [Response::silence()]);
    bench.origin.serve("/there/key", [Response::ok([9; 16]), Response::ok(data!("key"))]);
    bench.origin.serve("/there/7.ts", [Response::ok(data!("number-7.ts"))]);
    let job = bench.job(encrypted());
    let base = Arc::new(bench.origin.url("/there/list.m3u8"));
    let there = Job { base, source: SourceId(1), ..job.clone() };
    let (_tell, elsewhere) = watch::channel(Some(Arc::new(there.clone())));
    let Fetched::Done(attempt) = bench.fetcher.fetch(&job, &elsewhere).await else {
        panic!("the disk takes it")
    };
    assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::AFewTimes)));
    assert_eq!(failure(&bench.done(&there).await), None);
    assert_eq!(bench.origin.requests("/there/key").len(), 2);
}

#[tokio::test]
async fn an_error_page_is_not_decrypted_into_a_segment() {
    let bench = bench().await;
    let page = "<!DOCTYPE html><title>Sign in</title>";
    let attempt = bench.fetch_as(encrypted(), Response::ok(page)).await;
    assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::Later)));
    assert_eq!(bench.stored(), []);
}

fn encrypt(bytes: &[u8], iv: u128) -> Vec<u8> {
    let key = UnboundCipherKey::new(&AES_128, data!("key")).unwrap();
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).unwrap();
    let context = EncryptionContext::Iv128(FixedLength::from(iv.to_be_bytes()));
    let mut bytes = bytes.to_vec();
    key.less_safe_encrypt(&mut bytes, context).unwrap();
    bytes
}

#[tokio::test]
async fn what_looks_like_a_page_and_decrypts_to_media_is_media() {
    let first_block = &data!("clear.ts")[..16];
    let iv = (0..1 << 22).find(|iv| encrypt(first_block, *iv).starts_with(b"<h")).unwrap();
    let ciphertext = encrypt(data!("clear.ts"), iv);
    let stated = Some(key(Some(&format!("{iv:#x}"))));
    let segment = Segment { key: stated, ..segment() };
    let bench = bench().await;
    let attempt = bench.fetch_as(segment.clone(), Response::ok(&ciphertext)).await;
    assert_eq!(failure(&attempt), None);
    assert_eq!(bench.stored(), [(Completeness::Full, data!("clear.ts").to_vec())]);

    let bench = Bench::new().await;
    bench.origin.serve("/live/key", [Response::ok([9; 16])]);
    let attempt = bench.fetch_as(segment, Response::ok(&ciphertext)).await;
    assert_eq!(failure(&attempt), Some((Why::Damaged, Retry::Later)), "by another key");
    assert_eq!(bench.stored(), []);
}

#[tokio::test]
async fn without_its_key_a_segment_is_not_saved() {
    for (answer, expected) in [
        (Response::status(403), (Why::Refused, Retry::WhileListed)),
        (Response::status(401), (Why::Refused, Retry::WhileListed)),
        (Response::status(404), (Why::Expired, Retry::WhileListed)),
        (Response::ok(b"fifteen bytes.."), (Why::Damaged, Retry::Later)),
        (Response::ok(b"seventeen bytes.."), (Why::Damaged, Retry::Later)),
        (Response::ok([0; 10_000]), (Why::Damaged, Retry::Later)),
    ] {
        let bench = bench().await;
        bench.origin.serve("/live/key", [answer]);
        let attempt = bench.done(&bench.job(encrypted())).await;
        assert_eq!(failure(&attempt), Some(expected));
        assert!(attempt.failure.unwrap().detail.starts_with("its key: "));
        assert_eq!(bench.stored(), []);
        assert!(bench.ports().is_empty(), "nor asked for");
    }
}

#[tokio::test]
async fn an_initialization_section_is_decrypted_by_its_own_key() {
    for (name, section, iv) in [
        ("with its vector", data!("section-7.mp4"), Some("0x7")),
        ("without one", data!("section-0.mp4"), None),
        ("in clear text all the same", data!("section.mp4"), None),
    ] {
        let bench = bench().await;
        bench.origin.serve("/live/main.mp4", [Response::ok(section)]);
        bench.origin.serve("/live/7.ts", [Response::ok("\0\0\0\x0cmoofwhol")]);
        let map = Map { uri: "main.mp4".to_owned(), byte_range: None, key: Some(key(iv)) };
        let job = bench.job(Segment { map: Some(Arc::new(map)), ..segment() });
        assert_eq!(failure(&bench.done(&job).await), None, "{name}");
        let expected = [data!("section.mp4"), b"\0\0\0\x0cmoofwhol"].concat();
        assert_eq!(bench.stored(), [(Completeness::Full, expected)], "{name}");
    }
}

#[tokio::test]
async fn a_key_that_does_not_decrypt_a_section_is_asked_for_again() {
    let bench = bench().await;
    bench.origin.serve("/live/key", [Response::ok([9; 16]), Response::ok(data!("key"))]);
    bench.origin.serve("/live/main.mp4", [Response::ok(data!("section-7.mp4"))]);
    bench.origin.serve("/live/7.ts", [Response::ok("\0\0\0\x0cmoofwhol")]);
    let map = Map { uri: "main.mp4".to_owned(), byte_range: None, key: Some(key(Some("0x7"))) };
    let job = bench.job(Segment { map: Some(Arc::new(map)), ..segment() });
    assert_eq!(failure(&bench.done(&job).await), Some((Why::Damaged, Retry::Later)));
    assert_eq!(failure(&bench.done(&job).await), None);
    assert_eq!(bench.origin.requests("/live/key").len(), 2);
}
