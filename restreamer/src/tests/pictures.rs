//! Frames and waveforms of real video, made by the real ffmpeg.

use std::path::Path;

use common::format::segment::Completeness;
use common::io::process;

use super::{Answer, Served, at};

async fn ffmpeg(arguments: &str, files: &[&Path]) -> Vec<u8> {
    let mut command = process::command("ffmpeg");
    command.args(["-v", "error"]);
    for argument in arguments.split_whitespace() {
        match argument.strip_prefix('@') {
            Some(index) => command.arg(files[index.parse::<usize>().unwrap()]),
            None => command.arg(argument),
        };
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Two segments of two seconds with 25 pictures a second, in each of which every picture is four levels
/// lighter than the one before it; the second has a tone, the first is silent.
async fn film(container: &str) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let arguments = format!(
        "-f lavfi -i color=black:size=64x64:rate=25,geq=lum=20+4*mod(N\\,50):cb=128:cr=128 \
         -f lavfi -i sine=frequency=440:sample_rate=48000,volume=gte(t\\,2):eval=frame -t 4 \
         -c:v libx264 -qp 1 -g 50 -bf 2 -x264-params scenecut=0:open-gop=0 -c:a aac \
         -f hls -hls_time 2 -hls_segment_type {container} -hls_fmp4_init_filename init \
         -hls_segment_filename @0 -y @1"
    );
    ffmpeg(&arguments, &[&file("%d"), &file("playlist")]).await;
    let init = std::fs::read(file("init")).unwrap_or_default();
    ["0", "1"].map(|name| [init.clone(), std::fs::read(file(name)).unwrap()].concat()).to_vec()
}

async fn serve_films() -> Served {
    let served = Served::new();
    serve(&served, "source", &film("mpegts").await).await;
    serve(&served, "fmp4", &film("fmp4").await).await;
    served
}

async fn serve(served: &Served, quality: &str, segments: &[Vec<u8>]) {
    for (start, segment) in (0..).step_by(2).zip(segments) {
        served.segment(quality, start, Completeness::Full, segment).await;
    }
}

/// The pixels of a PNG in ffmpeg's format `format`.
async fn pixels(png: &Answer, format: &str) -> Vec<u8> {
    assert_eq!((png.status, png.header("content-type")), (200, Some("image/png")), "{png:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("picture.png");
    std::fs::write(&file, &png.body).unwrap();
    ffmpeg(&format!("-i @0 -f rawvideo -pix_fmt {format} pipe:1"), &[&file]).await
}

#[tokio::test]
async fn a_frame_is_the_one_shown_at_that_instant() {
    let served = serve_films().await;
    for quality in ["source", "fmp4"] {
        for (instant, expected) in [
            ("00", 0),
            ("00.000001", 0),
            ("00.039", 0),
            ("00.039999", 0),
            ("00.04", 1),
            ("01", 25),
            ("01.119999", 27),
            ("01.12", 28),
            ("01.96", 49),
            ("01.999999", 49),
            ("02", 0),
            ("02.079999", 1),
            ("02.08", 2),
            ("03.999999", 49),
        ] {
            let path = format!("/frame/chan/{quality}.png?timestamp=2026-11-20T10:00:{instant}");
            let answer = served.get(&path).await;
            let level = f64::from(pixels(&answer, "gray").await[32 * 64 + 32]);
            // black is 16 and white 235 in the film, and 0 and 255 in the picture
            let picture = (level * 219.0 / 255.0 + 16.0 - 20.0) / 4.0;
            assert!((picture - f64::from(expected)).abs() < 0.5, "{path}: {picture}");
        }
    }
}

/// The columns of a waveform of 200×50 in which there is a tone.
async fn loud(png: &Answer) -> Vec<usize> {
    let pixels = pixels(png, "rgba").await;
    assert_eq!(pixels.len(), 200 * 50 * 4);
    // the tone is a sixteenth as loud as can be, which is a few pixels around the middle
    let is_loud = |column: &usize| pixels[(23 * 200 + column) * 4 + 3] > 0;
    (0..200).filter(is_loud).collect()
}

#[tokio::test]
async fn a_waveform_is_of_its_range_alone() {
    let served = serve_films().await;
    for quality in ["source", "fmp4"] {
        for (start, end, from) in [("00", "04", 100), ("01", "03", 100), ("01.5", "03.5", 50)] {
            let range = format!("start=2026-11-20T10:00:{start}&end=2026-11-20T10:00:{end}");
            let path = format!("/waveform/chan/{quality}.png?{range}&size=200x50");
            let loud = loud(&served.get(&path).await).await;
            let first = *loud.first().unwrap();
            assert!(first.abs_diff(from) <= 5, "{path}: the tone begins at {first}");
            assert!(200 - loud.len() - first <= 10, "{path}: and goes on to the end");
        }
    }
    let path = format!("/waveform/chan/source.png?start={}&end={}", at(0), at(4));
    assert_eq!(
        pixels(&served.get(&path).await, "gray").await.len(),
        1024 * 64,
        "that is the usual size"
    );
}

#[tokio::test]
async fn what_cannot_be_decoded_is_silence_in_a_waveform() {
    let served = Served::new();
    let [ts, mp4] = [film("mpegts").await, film("fmp4").await];
    // of another format, though of the same container
    let other = film("fmp4 -vf hue=b=1 -ar 44100").await;
    let (tone, damaged) = (&ts[1], b"no media".to_vec());
    let cut_short = mp4[1][..mp4[1].len() / 2].to_vec();
    let full = Completeness::Full;
    let segments = [
        (full, &damaged),
        (full, tone),
        (full, &mp4[1]),
        (full, &other[1]),
        (full, &damaged),
        (full, tone),
        (Completeness::Partial, &cut_short),
        (full, &mp4[0]),
        (full, &mp4[1]),
        (full, &ts[0]),
    ];
    for (start, (completeness, bytes)) in (0..).step_by(2).zip(segments) {
        served.segment("source", start, completeness, bytes).await;
    }
    let path = format!("/waveform/chan/source.png?start={}&end={}&size=200x50", at(0), at(20));
    let loud = loud(&served.get(&path).await).await;
    // twenty columns for each segment; those at its ends may be either
    for (column, expected) in
        (0..).step_by(20).zip([false, true, true, true, false, true, true, false, true, false])
    {
        let is_as_expected = |column: &usize| loud.contains(column) == expected;
        // of the one that is cut short the first quarter is there in any case
        let end = if column == 120 { column + 5 } else { column + 17 };
        assert!((column + 3..end).all(|column| is_as_expected(&column)), "{column}: {loud:?}");
    }
    assert!(!(130..160).any(|column| loud.contains(&column)), "the rest of it: {loud:?}");
}

#[tokio::test]
async fn a_segment_that_must_not_be_read_is_in_no_answer() {
    let served = Served::new();
    let film = film("mpegts").await;
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&outside, &film[1]).unwrap();
    let full = Completeness::Full;
    let linked = served.segment("linked", 0, full, &film[1]).await;
    std::fs::remove_file(served.stored(&linked)).unwrap();
    std::os::unix::fs::symlink(&outside, served.stored(&linked)).unwrap();
    let pipe = served.segment("pipe", 0, full, &film[1]).await;
    std::fs::remove_file(served.stored(&pipe)).unwrap();
    let kind = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, served.stored(&pipe), kind, mode, 0).unwrap();
    let range = format!("start={}&end={}", at(0), at(2));
    for (quality, segment) in [("linked", linked), ("pipe", pipe)] {
        assert_eq!(served.get(&segment).await.status, 404);
        for path in [
            format!("/cut/chan/{quality}.ts?type=rough&{range}"),
            format!("/frame/chan/{quality}.png?timestamp={}", at(1)),
            format!("/waveform/chan/{quality}.png?{range}"),
        ] {
            assert_eq!(served.get(&path).await.status, 500, "as one that is gone: {path}");
        }
        let path = format!("/playlist/chan/{quality}.m3u8?{range}");
        assert_eq!(served.get(&path).await.status, 200, "{path}");
    }
    let text = served.get("/playlist/chan.m3u8").await;
    assert_eq!((text.status, text.text()), (200, "#EXTM3U\n"), "nothing is known of either");
}

#[tokio::test]
async fn what_is_no_picture_is_told() {
    let served = Served::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("segment");
    ffmpeg("-f lavfi -i sine -t 2 -c:a mp2 -f mpegts -y @0", &[&file]).await;
    let sound = std::fs::read(&file).unwrap();
    ffmpeg("-f lavfi -i testsrc -t 2 -c:v mpeg2video -f mpegts -y @0", &[&file]).await;
    let video = std::fs::read(&file).unwrap();
    let mut noise = vec![0x47; 188 * 100];
    noise[188 * 3 + 7] = 0;
    // a playlist is a stream to ffmpeg, of whatever it names
    std::fs::write(folder.path().join("secret.ts"), &video).unwrap();
    let secret = format!("file://{}/secret.ts", folder.path().display());
    let playlist =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n");
    serve(&served, "sound", &[sound]).await;
    serve(&served, "video", &[video]).await;
    serve(&served, "noise", &[noise]).await;
    serve(&served, "playlist", &[playlist.into_bytes()]).await;
    serve(&served, "empty", &[Vec::new()]).await;
    let no_video = "there is no video at that instant\n";
    let no_sound = "what is stored of that range has no sound\n";
    let range = format!("start={}&end={}", at(0), at(2));
    for quality in ["sound", "noise", "playlist", "empty"] {
        let path = format!("/frame/chan/{quality}.png?timestamp={}", at(1));
        let answer = served.get(&path).await;
        assert_eq!((answer.status, answer.text()), (406, no_video), "{path}");
    }
    for quality in ["video", "noise", "playlist", "empty"] {
        let path = format!("/waveform/chan/{quality}.png?{range}");
        let answer = served.get(&path).await;
        assert_eq!((answer.status, answer.text()), (406, no_sound), "{path}");
    }
    let answer = served.get(&format!("/frame/chan/video.png?timestamp={}", at(2))).await;
    assert_eq!((answer.status, answer.text()), (406, no_video), "it is the end");
}
