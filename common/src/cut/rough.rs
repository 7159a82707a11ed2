//! Rough cuts: whole segments, one after the other, as they are stored.

use std::io;

use bytes::Bytes;
use futures_util::Stream;

use crate::base::time::Hour;
use crate::io::blocks::{FilePart, blocks};
use crate::io::store::{Feed, Store};
use crate::plan::cut::Plan;

/// The bytes of every segment of `plan`, in order and in large blocks.
///
/// The cut begins and ends with whole segments, so it may be longer than its ranges, and nothing is
/// blended where they meet. A file that is gone since it was planned, or that the store does not open,
/// ends the stream with an error.
///
/// Cancel safety: dropped at any time, it reads no further than the block that is being read.
pub fn stream(
    store: &Store,
    feed: &Feed,
    plan: Plan,
) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    stream_files(store, feed, plan.into_files())
}

/// As [`stream`], of the segments of these hours and names.
pub fn stream_files<F>(
    store: &Store,
    feed: &Feed,
    files: F,
) -> impl Stream<Item = io::Result<Bytes>> + Send + use<F>
where
    F: Iterator<Item = (Hour, String)> + Send + 'static,
{
    let (store, feed) = (store.clone(), feed.clone());
    blocks(files.map(move |(hour, file_name)| open(&store, &feed, hour, &file_name)))
}

fn open(store: &Store, feed: &Feed, hour: Hour, name: &str) -> io::Result<FilePart> {
    store.open_in_hour(feed, hour, name).map(FilePart::rest_of).map_err(|unopened| {
        let error = io::Error::from(unopened);
        io::Error::new(error.kind(), format!("cannot open {feed}/{hour}/{name}: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use futures_util::{StreamExt, TryStreamExt};

    use super::super::plan;
    use super::*;
    use crate::base::time::TimeRange;
    use crate::format::segment::{Completeness, MediaDuration};
    use crate::io::store::Access;
    use crate::plan::cut::Holes;

    fn minutes(start: i64, end: i64) -> TimeRange {
        let ten = "2026-11-20T10".parse::<Hour>().unwrap().start();
        TimeRange::new(ten + TimeDelta::minutes(start), ten + TimeDelta::minutes(end)).unwrap()
    }

    /// A store with a segment of a minute, holding its own number, at each of these minutes.
    async fn store(starts: &[i64]) -> (tempfile::TempDir, Store, Feed) {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), Access::Write).unwrap();
        let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
        let minute = MediaDuration::from_seconds(60.0).unwrap();
        for start in starts {
            let range = minutes(*start, start + 1);
            let mut segment = store.begin_segment(&feed, range.start(), minute).await.unwrap();
            segment.write(format!("{start} ").as_bytes()).await.unwrap();
            segment.publish(Completeness::Full).await.unwrap();
        }
        (base, store, feed)
    }

    #[tokio::test]
    async fn a_cut_is_its_segments_range_by_range() {
        let (_base, store, feed) = store(&[0, 1, 58, 59, 60, 61]).await;
        let ranges = [minutes(59, 61), minutes(0, 2)];
        let plan = plan(&store, &feed, &ranges, Holes::Refuse).unwrap();
        let blocks: Vec<Bytes> = stream(&store, &feed, plan).try_collect().await.unwrap();
        assert_eq!(blocks.concat(), b"59 60 0 1 ");
    }

    #[tokio::test]
    async fn a_segment_that_vanished_is_an_error_that_names_it() {
        let (_base, store, feed) = store(&[0, 1]).await;
        let plan = plan(&store, &feed, &[minutes(0, 2)], Holes::Refuse).unwrap();
        let gone = plan.ranges[0].selection.segments().nth(1).unwrap().file_name();
        std::fs::remove_file(store.hour_path(&feed, minutes(1, 2).start().hour()).join(&gone))
            .unwrap();
        let read: Vec<io::Result<Bytes>> = stream(&store, &feed, plan).collect().await;
        assert_eq!(read.len(), 2);
        let error = read[1].as_ref().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(&gone), "{error}");
    }

    #[tokio::test]
    async fn a_segment_that_must_not_be_read_is_an_error_that_names_it() {
        let (_base, store, feed) = store(&[0, 1]).await;
        let plan = plan(&store, &feed, &[minutes(0, 2)], Holes::Refuse).unwrap();
        let name = plan.ranges[0].selection.segments().nth(1).unwrap().file_name();
        let path = store.hour_path(&feed, minutes(1, 2).start().hour()).join(&name);
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&outside, "secret").unwrap();
        let as_link = || std::os::unix::fs::symlink(&outside, &path).unwrap();
        let as_pipe = || {
            let kind = rustix::fs::FileType::Fifo;
            let mode = rustix::fs::Mode::RUSR;
            rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
        };
        let puts: [(&dyn Fn(), &str); 2] =
            [(&as_link, "it leads out of the base folder"), (&as_pipe, "it is no regular file")];
        for (put, why) in puts {
            std::fs::remove_file(&path).unwrap();
            put();
            let read: Vec<io::Result<Bytes>> = stream(&store, &feed, plan.clone()).collect().await;
            assert_eq!(read[0].as_ref().unwrap(), "0 ");
            let error = read[1].as_ref().unwrap_err().to_string();
            assert!(error.contains(&name) && error.ends_with(why), "{error}");
            assert_eq!(read.len(), 2);
        }
    }
}
