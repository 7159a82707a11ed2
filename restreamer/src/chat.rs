//! Reading the chat of a range. Blocks on the disk.

use std::io::{self, Read};

use common::base::time::{Hour, TimeRange};
use common::format::chat::ChatMessage;
use common::format::folder::FolderName;
use common::io::store::{Feed, Store, Unopened, names_nothing};
use common::plan::chat::ChatMerge;
use common::plan::listing::{CHAT_EXTENSION, FolderKind, visible_names};

use crate::error::ApiError;

/// How much memory the messages of one answer may take.
pub(crate) const MAX_HELD_BYTES: usize = 64 << 20;
/// How large a batch may be; one of a minute is a hundredth of it where chat is busy.
const MAX_BATCH_BYTES: u64 = 16 << 20;
/// How many bytes are read for one answer: each message is in the batch of every node that saw it.
const MAX_READ_BYTES: u64 = 1 << 30;
/// How many batches are read for one answer: five hours of sixty, from each of many nodes.
const MAX_BATCHES: usize = 20_000;

/// The messages of `range`, each once, if they fit into about `max_held_bytes`.
///
/// # Errors
///
/// When there is no such channel, its chat is beyond the bounds above, cannot be read, or nobody waits for
/// it any more.
pub(crate) fn messages(
    store: &Store,
    channel: FolderName,
    range: TimeRange,
    max_held_bytes: usize,
) -> Result<Vec<ChatMessage>, ApiError> {
    if !store.base().join(channel.as_str()).is_dir() {
        return Err(ApiError::not_found(format!("nothing is stored of {channel}")));
    }
    let quality = "chat".parse().expect("it is a name");
    let feed = Feed { channel, quality };
    let merge = ChatMerge::of(range);
    let mut reader = Reader { store, feed: &feed, merge, max_held_bytes, batches: 0, bytes: 0 };
    for hour in hours(reader.merge.reach()) {
        let names = store.file_names(&feed, hour).or_else(none_if_missing);
        let names = names.map_err(ApiError::internal("list chat"))?;
        for name in visible_names(&names, FolderKind::Chat, false) {
            if name.ends_with(CHAT_EXTENSION) {
                reader.read(hour, name)?;
            }
        }
    }
    Ok(reader.merge.finish())
}

/// The hours whose batches can hold messages of `reach`: a batch lies in the hour of its messages.
fn hours(reach: TimeRange) -> impl Iterator<Item = Hour> {
    let hours = std::iter::successors(Some(reach.start().hour()), |hour| hour.next());
    hours.take_while(move |hour| hour.start() < reach.end())
}

fn none_if_missing(error: io::Error) -> io::Result<Vec<String>> {
    if names_nothing(&error) { Ok(Vec::new()) } else { Err(error) }
}

/// Takes in one batch after the other, as long as there is room.
struct Reader<'a> {
    store: &'a Store,
    feed: &'a Feed,
    merge: ChatMerge,
    max_held_bytes: usize,
    batches: usize,
    bytes: u64,
}

impl Reader<'_> {
    fn read(&mut self, hour: Hour, name: &str) -> Result<(), ApiError> {
        self.store.check_awaited().map_err(ApiError::internal("read chat"))?;
        let batch = self.batch(hour, name).map_err(ApiError::internal("read chat"))?;
        let Some(batch) = batch else { return Ok(()) };
        self.batches += 1;
        self.bytes += batch.len() as u64;
        let mut bad = 0;
        for line in batch.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty())
        {
            match ChatMessage::parse(line) {
                Ok(message) => self.merge.add(message),
                Err(_) => bad += 1,
            }
        }
        if bad > 0 {
            let feed = self.feed;
            tracing::warn!(%feed, %hour, name, lines = bad, "lines that are no chat are skipped");
        }
        let fits = self.merge.held_bytes() <= self.max_held_bytes
            && self.bytes <= MAX_READ_BYTES
            && self.batches <= MAX_BATCHES;
        let problem = "there is too much chat before it; ask for a shorter range";
        if fits { Ok(()) } else { Err(ApiError::parameter("end", problem)) }
    }

    /// What a batch holds; `None` when it is gone, must not be read or is too large.
    fn batch(&self, hour: Hour, name: &str) -> io::Result<Option<Vec<u8>>> {
        let feed = self.feed;
        let Some(file) = Unopened::found(self.store.open_in_hour(feed, hour, name))? else {
            return Ok(None);
        };
        let mut batch = Vec::new();
        if file.take(MAX_BATCH_BYTES + 1).read_to_end(&mut batch)? as u64 > MAX_BATCH_BYTES {
            tracing::warn!(%feed, %hour, name, "chat of more than {MAX_BATCH_BYTES} bytes is skipped");
            return Ok(None);
        }
        Ok(Some(batch))
    }
}
