use std::fs;

use bytes::Bytes;
use common::base::time::Timestamp;
use common::io::db::edit::{Edit, Thumbnail};
use common::io::db::{ThumbnailMode, VideoRange};
use futures_util::stream;
use tempfile::TempDir;

use super::*;

fn place(folder: &TempDir) -> Local {
    let prefix = Some("https://v.example/videos");
    Local::new(folder.path(), prefix, true, &"a".parse().unwrap()).unwrap()
}

fn video(thumbnail: Option<&[u8]>) -> Video {
    let image_sha256 = thumbnail.map(|_| vec![7]);
    let mode = if thumbnail.is_some() { ThumbnailMode::Custom } else { ThumbnailMode::None };
    let start = Timestamp::from_micros(0);
    Video {
        id: Uuid::new_v4(),
        event_id: "e".to_owned(),
        edit: Edit {
            upload_location: "local".to_owned(),
            uploader_whitelist: None,
            allow_holes: false,
            public: true,
            video_ranges: vec![VideoRange { start, end: start + chrono::TimeDelta::seconds(1) }],
            video_transitions: vec![],
            video_title: "50% of a/b?".to_owned(),
            video_description: "words".to_owned(),
            video_tags: vec!["one".to_owned(), "two".to_owned()],
            video_channel: "chan".to_owned(),
            video_quality: "source".to_owned(),
            thumbnail: Thumbnail { mode, image_sha256, ..Thumbnail::NONE },
        },
        extra_tags: vec!["two".to_owned(), "three".to_owned()],
        thumbnail: thumbnail.map(<[u8]>::to_vec),
    }
}

fn cut(blocks: &[&'static str]) -> Cut {
    let blocks: Vec<_> =
        blocks.iter().map(|block| Ok(Bytes::from_static(block.as_bytes()))).collect();
    stream::iter(blocks).boxed()
}

/// All names in a folder, sorted, with `id` written as ID.
fn names(folder: &TempDir, id: Uuid) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let names = entries.map(|entry| name(entry.unwrap()).replace(&id.to_string(), "ID"));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_video_is_hidden_until_it_is_published_and_then_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (place, video) = (place(&folder), video(Some(b"\x89PNG\r\n\x1a\nimage")));
    let sent = place.send(&video, cut(&["one ", "two"])).await.unwrap();
    assert_eq!(names(&folder, video.id), [".ID.ts.a.temp"]);
    assert_eq!(place.settle(Uuid::new_v4()).await.unwrap(), None);

    let found = sent.publish().await.unwrap();
    let id = video.id;
    assert_eq!(found.link, format!("https://v.example/videos/50%25%20of%20a_b_-{id}.ts"));
    assert_eq!(found.thumbnail_sha256, Some(vec![7]));
    let stem = "50% of a_b_-ID";
    let expected = ["json", "png", "ts"].map(|extension| format!("{stem}.{extension}"));
    assert_eq!(names(&folder, id), expected);
    let path = folder.path().join(format!("50% of a_b_-{id}"));
    assert_eq!(fs::read(path.with_extension("ts")).unwrap(), b"one two");
    assert_eq!(fs::read(path.with_extension("png")).unwrap(), video.thumbnail.unwrap());
    let info = fs::read(path.with_extension("json")).unwrap();
    let info: serde_json::Value = serde_json::from_slice(&info).unwrap();
    assert_eq!(info["title"], "50% of a/b?");
    assert_eq!(info["tags"], serde_json::json!(["one", "two", "three"]));
    assert_eq!(info["ranges"][0][1], "1970-01-01T00:00:01.000000");
    assert_eq!(info["size_bytes"], 7);
    // echo -n "one two" | sha256sum
    assert_eq!(info["sha256"], "8ab63e29a4ba14e4e1688f9c15e5af90895421358c945b0431f85d66977bd3d2");
}

#[tokio::test]
async fn without_a_prefix_the_link_is_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = Local::new(folder.path(), None, false, &"a".parse().unwrap()).unwrap();
    let video = video(None);
    let found = place.send(&video, cut(&["x"])).await.unwrap().publish().await.unwrap();
    let path = Url::parse(&found.link).unwrap().to_file_path().unwrap();
    assert_eq!(fs::read(path).unwrap(), b"x");
    assert_eq!(names(&folder, video.id).len(), 1);
}

#[tokio::test]
async fn what_is_not_published_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (place, video) = (place(&folder), video(None));
    drop(place.send(&video, cut(&["x"])).await.unwrap());
    assert!(names(&folder, video.id).is_empty());

    let broken: Cut =
        stream::iter([Ok(Bytes::from_static(b"x")), Err(std::io::Error::other("gone"))]).boxed();
    let error = place.send(&video, broken).await.err().unwrap();
    assert!(matches!(error, UploadError::Source(_)), "{error}");
    assert!(names(&folder, video.id).is_empty());

    std::mem::forget(place.send(&video, cut(&["x"])).await.unwrap());
    fs::write(folder.path().join(".other.temp"), "").unwrap();
    place.forget_unpublished().await.unwrap();
    assert_eq!(names(&folder, video.id), [".other.temp"]);
}

#[tokio::test]
async fn a_video_is_found_by_its_id_whatever_its_title() {
    let folder = tempfile::tempdir().unwrap();
    let (place, mut video) = (place(&folder), video(Some(b"\xff\xd8\xffimage")));
    let published = place.send(&video, cut(&["x"])).await.unwrap().publish().await.unwrap();
    video.edit.video_title = "Another title".to_owned();
    let found = place.settle(video.id).await.unwrap().unwrap();
    assert_eq!(found.link, published.link);
    // of the file, not of what the row says now
    assert_eq!(found.thumbnail_sha256.unwrap().len(), 32);
    assert_eq!(place.settle(Uuid::nil()).await.unwrap(), None);
}

#[tokio::test]
async fn what_goes_with_a_video_is_removed_when_the_video_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (place, video) = (place(&folder), video(Some(b"image")));
    let id = video.id;
    place.send(&video, cut(&["x"])).await.unwrap().publish().await.unwrap();
    fs::remove_file(folder.path().join(format!("50% of a_b_-{id}.ts"))).unwrap();
    assert_eq!(names(&folder, id).len(), 2);
    assert_eq!(place.settle(id).await.unwrap(), None);
    assert!(names(&folder, id).is_empty());
}

#[tokio::test]
async fn a_folder_that_is_gone_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = place(&folder);
    let path = folder.path().to_owned();
    folder.close().unwrap();
    fs::write(&path, "").unwrap();
    let error = place.send(&video(None), cut(&["x"])).await.err().unwrap().to_string();
    assert!(
        error.starts_with("cannot create ") && error.contains(path.to_str().unwrap()),
        "{error}"
    );
    assert!(place.settle(Uuid::nil()).await.is_err());
    fs::remove_file(path).unwrap();
}
