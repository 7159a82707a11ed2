//! The sound of what is stored, as samples.
//!
//! ffmpeg is told one container, and loses its way where the format changes or a file is damaged. So
//! each stretch of segments that play on from one another is decoded by itself and takes the time that
//! the names of its segments say: what cannot be decoded is silence, and the next one begins in its
//! place.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Bytes;
use common::base::time::Hour;
use common::cut::rough;
use common::format::media::Container;
use common::io::ffmpeg::Ffmpeg;
use common::io::store::{Feed, Store};
use common::plan::cut::Plan;
use common::plan::listing::{Format, Segment};
use common::plan::select::hole_between;
use futures_util::{Stream, StreamExt, stream};

/// How long a stretch may become before another is begun, in microseconds: its samples are held in
/// memory.
const MAX_STRETCH_MICROS: i64 = 10 * 60 * 1_000_000;

const BYTES_PER_SAMPLE: u64 = 2;

/// Sound that was found and is not decoded yet.
#[derive(Debug)]
pub(crate) struct Sound {
    stretches: Vec<Stretch>,
    /// Samples a second.
    rate: i64,
}

/// Segments that play on from one another, in order.
#[derive(Debug)]
struct Stretch {
    format: Format,
    files: Vec<(Hour, String)>,
    micros: i64,
}

impl Sound {
    /// The sound of the segments of `plan` with `rate` samples a second. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// When the beginning of one cannot be read.
    pub(crate) fn find(store: &Store, feed: &Feed, plan: &Plan, rate: i64) -> io::Result<Self> {
        let mut sound = Self { stretches: Vec::new(), rate };
        let mut previous = None;
        for part in plan.ranges.iter().flat_map(|range| range.selection.parts()) {
            store.read_heads(feed, part.listing(), part.picks())?;
            let heads = part.listing().heads().view();
            for segment in part.segments() {
                let head = heads.get(segment.index()).ok_or_else(|| unreadable(segment))?;
                // also where a segment that is not full may end in the middle of something
                let joins = previous
                    .replace(segment)
                    .is_some_and(|previous| hole_between(previous, segment.start()).is_none());
                sound.add(segment, head.format, joins);
            }
        }
        Ok(sound)
    }

    fn add(&mut self, segment: Segment<'_>, format: Format, joins: bool) {
        let last = self.stretches.pop_if(|last| joins && last.is_followed_by(format));
        let new = || Stretch { format, files: Vec::new(), micros: 0 };
        let mut stretch = last.unwrap_or_else(new);
        stretch.files.push((segment.hour(), segment.file_name()));
        stretch.micros += segment.duration().micros();
        self.stretches.push(stretch);
    }

    /// What ffmpeg calls what [`Sound::samples`] gives.
    pub(crate) fn format(&self) -> String {
        format!("s16le -ar {}", self.rate)
    }

    /// The samples: one channel of 16 bits each, the lower byte first. `heard` is set once there is any
    /// that is not made up.
    ///
    /// Cancel safety: dropped, it kills ffmpeg.
    pub(crate) fn samples(
        self,
        ffmpeg: Ffmpeg,
        store: Store,
        feed: Feed,
        heard: Arc<AtomicBool>,
    ) -> impl Stream<Item = io::Result<Bytes>> {
        let rate = self.rate;
        let places = self.stretches.into_iter().scan(0, move |end_micros, stretch| {
            let sample_at = |micros: i64| micros * rate / 1_000_000;
            let start = sample_at(*end_micros);
            *end_micros += stretch.micros;
            Some((stretch, u64::try_from(sample_at(*end_micros) - start).unwrap_or(0)))
        });
        stream::iter(places).then(move |(stretch, count)| {
            let media = rough::stream_files(&store, &feed, stretch.files.into_iter());
            let (ffmpeg, heard, format) = (ffmpeg.clone(), Arc::clone(&heard), stretch.format);
            Box::pin(async move {
                let mut samples = decoded(&ffmpeg, format.container, media, rate, count).await?;
                heard.fetch_or(!samples.is_empty(), Ordering::Relaxed);
                let size = usize::try_from(count * BYTES_PER_SAMPLE).map_err(io::Error::other)?;
                samples.resize(size, 0);
                Ok(samples.into())
            })
        })
    }
}

fn unreadable(segment: Segment<'_>) -> io::Error {
    io::Error::other(format!("the beginning of {segment:?} cannot be read"))
}

impl Stretch {
    /// Whether a segment of `format` that comes next can be decoded with it.
    fn is_followed_by(&self, format: Format) -> bool {
        self.micros < MAX_STRETCH_MICROS && !format.breaks_with(self.format)
    }
}

/// The first `count` samples of `media`, or as many as can be had of it.
async fn decoded(
    ffmpeg: &Ffmpeg,
    container: Container,
    media: impl Stream<Item = io::Result<Bytes>>,
    rate: i64,
    count: u64,
) -> io::Result<Vec<u8>> {
    let container = match container {
        Container::MpegTs { .. } => "mpegts",
        Container::Fmp4 { .. } => "mp4",
        Container::Unknown => return Ok(Vec::new()),
    };
    let arguments = format!(
        // one thread: as many run at a time as there are cores
        "-threads 1 -f {container} -i pipe:0 -map 0:a:0 -max_error_rate 1 -filter_threads 1 \
         -af aresample={rate},aformat=sample_fmts=s16:channel_layouts=mono,asetpts=N/SR/TB,\
         atrim=end_sample={count} -threads 1 -c:a pcm_s16le -f s16le pipe:1"
    );
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    match ffmpeg.run(&arguments, media, count * BYTES_PER_SAMPLE).await {
        Ok(samples) => Ok(samples),
        Err(error) => {
            let Some(complaint) = error.complaint() else { return Err(io::Error::other(error)) };
            tracing::info!("ffmpeg heard no sound: {complaint}");
            Ok(Vec::new())
        }
    }
}
