//! A real player on real video.

use std::path::Path;

use common::format::segment::{Completeness, MediaDuration};
use common::io::process;

use super::{Served, at, feed};

/// Where ffmpeg and ffprobe are missing, what they would check is left unchecked.
async fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = process::command(program).args(arguments).output().await.ok()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    assert_eq!(errors, "", "{program} {arguments:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Makes three files of two seconds with 25 pictures a second.
async fn film(folder: &Path) -> Option<()> {
    let pattern = folder.join("%d.ts");
    let arguments = "-v error -f lavfi -i testsrc=size=320x180:rate=25 -f lavfi -i sine -t 6 \
                     -c:v mpeg2video -g 50 -sc_threshold 1000000000 -bf 2 -c:a mp2 \
                     -f segment -segment_time 2 -segment_format mpegts";
    let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
    arguments.push(pattern.to_str().unwrap());
    output_of("ffmpeg", &arguments).await.map(drop)
}

async fn pictures(url: &str) -> Option<usize> {
    let arguments = "-v error -select_streams v:0 -count_frames -of csv=p=0 \
                     -show_entries stream=nb_read_frames";
    let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
    arguments.push(url);
    let text = output_of("ffprobe", &arguments).await?;
    // programs and their streams are listed each on their own
    Some(text.lines().next().unwrap().trim_end_matches(',').parse().unwrap())
}

#[tokio::test]
async fn ffmpeg_reads_playlists_and_cuts_to_the_end() {
    let served = Served::new();
    let folder = tempfile::tempdir().unwrap();
    if film(folder.path()).await.is_none() {
        eprintln!("ffmpeg is not installed: nothing was checked");
        return;
    }
    for index in 0..3 {
        let video = std::fs::read(folder.path().join(format!("{index}.ts"))).unwrap();
        let duration = MediaDuration::from_seconds(2.0).unwrap();
        let mut segment =
            served.store.begin_segment(&feed("source"), at(index * 2), duration).await.unwrap();
        segment.write(&video).await.unwrap();
        segment.publish(Completeness::Full).await.unwrap();
    }
    let span = format!("start={}&end={}", at(0), at(6));
    for path in ["/playlist/chan/source.m3u8", "/playlist/chan.m3u8", "/cut/chan/source.ts"] {
        let url = served.url(&format!("{path}?{span}"));
        assert_eq!(pictures(url.as_str()).await, Some(150), "{path}");
    }
}
