//! A whole feed on a disk that hangs over its notes.

use common::format::hls::MediaPlaylist;
use common::io::store::notes::Why;

use super::*;
use crate::config::Source;
use crate::planner::Shown;
use crate::provider::Provider;
use crate::recorder::Recorder;
use crate::testing::shared;

/// A list whose only segment, of that number, is announced as a gap.
fn gap(number: u64) -> MediaPlaylist {
    let text = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{number}\n\
         #EXT-X-PROGRAM-DATE-TIME:2026-11-20T10:00:{:02}Z\n#EXT-X-GAP\n#EXTINF:2.0,\n{number}.ts\n",
        2 * number
    );
    MediaPlaylist::parse(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_feed_takes_in_lists_while_the_disk_hangs_over_its_notes() {
    let base = tempfile::tempdir().unwrap();
    let disk = Disk::new(Mood::Hangs);
    let shared = shared(disk.under(Store::open(base.path(), Access::Write).unwrap()));
    let feed = Feed { channel: "chan".parse().unwrap(), quality: "source".parse().unwrap() };
    let url: url::Url = "http://127.0.0.1/live.m3u8".parse().unwrap();
    let rules = Provider::new(&Source::Url(url.clone()), &shared.providers).rules();
    let status = shared.statuses.of(&feed, false);
    let mut recorder = Recorder::open(&shared, feed.clone(), 0, &rules, status).await;
    let source = recorder.open_source(&url);
    let base_url = Arc::new(url);
    for number in 1..6 {
        let list = gap(number);
        let shown = Shown { list: &list, base: &base_url, advertisements: &[] };
        let taken_in = recorder.observe(source, &shown);
        tokio::time::timeout(Duration::from_secs(30), taken_in).await.unwrap();
    }
    until(|| disk.begun() == 1).await;
    let notes = Notes::new(shared.store.clone(), shared.node.clone(), feed);
    let hour = gap(1).segments[0].program_date_time.unwrap().hour();
    assert_eq!(notes.read(hour).unwrap(), []);
    disk.set(Mood::Works);
    recorder.finish().await;
    let why = |note: &Note| match note {
        Note::Missing { why, .. } => Some(*why),
        Note::Discontinuity { .. } => None,
    };
    let reasons: Vec<_> = notes.read(hour).unwrap().iter().map(why).collect();
    assert_eq!(reasons, [Some(Why::Gap); 5]);
}
