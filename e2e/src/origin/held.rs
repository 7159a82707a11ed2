//! What a recorder has of a channel: the files of its store, and its notes.

use std::io;

use common::base::hash::ContentHash;
use common::base::time::{Hour, Timestamp};
use common::format::folder::FolderName;
use common::format::segment::{Completeness, SegmentName};
use common::io::store::notes::{FOLDER, Note, Notes};
use common::io::store::{Feed, Store};

/// What a recorder has.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Its published files, by start.
    pub files: Vec<HeldFile>,
    /// In order of their hours.
    pub notes: Vec<Note>,
    /// Names in the folders of hours that are no segment's, a temp file's or a tombstone's.
    pub strangers: Vec<String>,
}

/// A published file.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldFile {
    /// For people.
    pub name: String,
    /// By its name.
    pub start: Timestamp,
    /// By its name, in microseconds.
    pub duration: i64,
    /// By its name.
    pub completeness: Completeness,
    /// By its name.
    pub named: ContentHash,
    /// Of its bytes.
    pub hash: ContentHash,
    /// Bytes.
    pub size: u64,
}

impl Held {
    /// Reads what `store` has of `feed`, with the notes of `node`. Blocks.
    ///
    /// # Errors
    ///
    /// When something cannot be read.
    pub fn read(store: &Store, node: &str, feed: &Feed) -> io::Result<Self> {
        let node: FolderName = node.parse().map_err(io::Error::other)?;
        let notes = Notes::new(store.clone(), node.clone(), feed.clone());
        let mut held = Self::default();
        for hour in store.hours(feed)? {
            held.read_hour(store, feed, hour)?;
        }
        held.files.sort_by_key(|file| (file.start, file.duration));
        let Feed { channel, quality } = feed;
        let folder = store.base().join(FOLDER).join(node.as_str());
        let folder = folder.join(channel.as_str()).join(quality.as_str());
        for file in std::fs::read_dir(folder).into_iter().flatten() {
            let name = file?.file_name();
            let hour = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
            if let Some(hour) = hour.and_then(|hour| hour.parse().ok()) {
                held.notes.extend(notes.read(hour)?);
            }
        }
        held.notes.sort_by_key(Note::start);
        Ok(held)
    }

    fn read_hour(&mut self, store: &Store, feed: &Feed, hour: Hour) -> io::Result<()> {
        for file_name in store.file_names(feed, hour)? {
            let Ok(name) = file_name.parse::<SegmentName>() else {
                self.strangers.push(file_name);
                continue;
            };
            let Some((completeness, named)) = name.published() else { continue };
            let bytes = std::fs::read(store.hour_path(feed, hour).join(&file_name))?;
            self.files.push(HeldFile {
                start: name.start(hour),
                duration: name.duration().micros(),
                completeness,
                named,
                hash: ContentHash::of(&bytes),
                size: bytes.len() as u64,
                name: format!("{hour}/{file_name}"),
            });
        }
        Ok(())
    }
}
