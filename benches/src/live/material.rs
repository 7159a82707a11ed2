//! What the channels send: a minute of real H.264 and AAC at 6.4 Mbit/s in MPEG-TS, over and over, with time
//! stamps and counters that go on, and other ones for each channel.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::stamps::Stamps;

/// How long each segment lasts.
pub const SEGMENT: Duration = Duration::from_secs(2);

/// How many segments there are before they begin again: 64 s, in which there are whole frames both of
/// the pictures, 30 a second, and of the sound, 46.875 a second.
const SEGMENTS: usize = 32;

/// The rate of the whole, in bits a second, and by how much the material may miss it.
const RATE: f64 = 6.4e6;
const RATE_TOLERANCE: f64 = 0.02;

/// Time stamps of neighbouring channels differ by 15 minutes, longer than anything measures.
const CHANNEL_TICKS: u64 = 15 * 60 * 90_000;

/// The segments of a minute.
#[derive(Debug)]
pub struct Material {
    segments: Vec<(Stamps, Vec<u8>)>,
    /// How many packets of each stream there are in all of them.
    packets: HashMap<u16, u64>,
}

impl Material {
    /// The material, made first if it is not there, which takes ffmpeg a minute.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or does not have the rate that it should have.
    pub fn ready() -> Result<Self> {
        let folder = crate::folder().join("live-material");
        if !folder.is_dir() {
            let unfinished = crate::folder().join("live-material.unfinished");
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished).context("remove what was not finished")?;
            }
            fs::create_dir_all(&unfinished).context("make a folder for the material")?;
            encode(&unfinished).context("encode the material")?;
            fs::rename(&unfinished, &folder).context("put the material in its place")?;
        }
        let files = (0..SEGMENTS).map(|number| fs::read(folder.join(file_name(number + 1))));
        let material = Self::of(files.collect::<io::Result<_>>().context("read the material")?);
        let off = material.rate() / RATE - 1.0;
        ensure!(off.abs() < RATE_TOLERANCE, "the material has {} bit/s", material.rate());
        Ok(material)
    }

    /// What repeats `files`, each of which is a segment.
    pub(super) fn of(files: Vec<Vec<u8>>) -> Self {
        let with_stamps = |bytes: Vec<u8>| (Stamps::find(&bytes), bytes);
        let segments: Vec<(Stamps, Vec<u8>)> = files.into_iter().map(with_stamps).collect();
        let mut packets = HashMap::new();
        for (pid, count) in segments.iter().flat_map(|(stamps, _)| stamps.packets()) {
            *packets.entry(pid).or_default() += count;
        }
        Self { segments, packets }
    }

    /// The mean rate in bits a second.
    #[expect(clippy::cast_precision_loss, reason = "some 50 MB")]
    fn rate(&self) -> f64 {
        let bytes: usize = self.segments.iter().map(|(_, bytes)| bytes.len()).sum();
        let seconds = SEGMENT.as_secs_f64() * self.segments.len() as f64;
        8.0 * bytes as f64 / seconds
    }

    /// Puts the bytes of the segment `number` of `channel` in place of those in `buffer`.
    pub fn write(&self, channel: usize, number: u64, buffer: &mut Vec<u8>) {
        let (repetition, (stamps, bytes)) = self.at(number);
        buffer.clear();
        buffer.extend_from_slice(bytes);
        let round = self.segments.len() as u64 * SEGMENT.as_secs() * 90_000;
        let ticks = channel as u64 * CHANNEL_TICKS + repetition * round;
        let sent = self.packets.iter().map(|(pid, count)| (*pid, count * repetition)).collect();
        stamps.shift(buffer, ticks, &sent);
    }

    /// In which repetition the segment `number` is, and what it is made from.
    fn at(&self, number: u64) -> (u64, &(Stamps, Vec<u8>)) {
        let count = self.segments.len() as u64;
        let index = usize::try_from(number % count).expect("less than what is in memory");
        (number / count, &self.segments[index])
    }
}

fn file_name(number: usize) -> String {
    format!("{number:02}.ts")
}

/// Encodes one segment before those that are used, since the sound of the first one begins late.
fn encode(folder: &Path) -> Result<()> {
    let seconds = SEGMENT.as_secs() * (SEGMENTS as u64 + 2);
    #[expect(clippy::disallowed_methods, reason = "no runtime here; it is waited for")]
    let mut ffmpeg = Command::new("ffmpeg");
    // noise, so that the encoder has something to do with so many bits
    let pictures = "testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t";
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", pictures]);
    ffmpeg.args(["-f", "lavfi", "-i", "anoisesrc=sample_rate=48000:amplitude=0.3:color=pink"]);
    ffmpeg.args(["-t", &seconds.to_string(), "-pix_fmt", "yuv420p", "-c:v", "libx264"]);
    ffmpeg.args(["-preset", "superfast", "-b:v", "6040k", "-minrate", "6040k"]);
    ffmpeg.args(["-maxrate", "6040k", "-bufsize", "3M", "-x264-params"]);
    ffmpeg.args(["nal-hrd=cbr:keyint=60:min-keyint=60:scenecut=0"]);
    ffmpeg.args(["-c:a", "aac", "-b:a", "160k", "-ac", "2", "-f", "hls", "-hls_time"]);
    ffmpeg.args([&SEGMENT.as_secs().to_string(), "-hls_list_size", "0"]);
    ffmpeg.arg("-hls_segment_filename").arg(folder.join("%02d.ts")).arg(folder.join("all.m3u8"));
    let output = ffmpeg.stdin(Stdio::null()).output().context("start ffmpeg")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ffmpeg failed: {said}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIA: &[u8] = include_bytes!("../../../common/testdata/media/h264-aac.ts");

    #[test]
    fn no_two_segments_are_the_same() {
        let material = Material::of(vec![MEDIA.to_vec(), MEDIA[..18_800 / 2].to_vec()]);
        let mut all: Vec<Vec<u8>> = Vec::new();
        for (channel, number) in [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 2)] {
            let mut bytes = Vec::new();
            material.write(channel, number, &mut bytes);
            assert!(all.iter().all(|other| *other != bytes), "{channel}, {number}");
            all.push(bytes);
        }
        assert!(all[0] == MEDIA, "the first round of the first channel is what was encoded");
    }
}
