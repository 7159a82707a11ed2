//! The upload locations: a JSON object, checked to the last key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use common::cut::Kind;
use common::cut::full::Format;
use common::cut::smart::Timeline;
use common::format::folder::FolderName;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::upload::Backend;
use crate::upload::local::Local;

/// How an upload location is called, and what it is.
#[derive(Debug)]
pub struct Locations(BTreeMap<String, Location>);

/// One upload location.
#[derive(Debug)]
pub struct Location {
    /// What publishes there.
    pub backend: Arc<dyn Backend>,
    /// How videos for it are cut.
    pub cut: Kind,
    /// Whether events for it are taken; otherwise it only settles what it once began.
    pub takes_events: bool,
}

/// The keys that every type has.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CutType {
    #[default]
    Rough,
    Fast,
    Smart,
    Full,
}

/// The keys of the type `local`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalKeys {
    #[serde(rename = "type")]
    _type: String,
    path: PathBuf,
    url_prefix: Option<String>,
    #[serde(default)]
    write_info: bool,
    #[serde(default)]
    cut_type: CutType,
    #[serde(default)]
    no_uploader: bool,
    // what it turns off is not built yet
    #[serde(default, rename = "no_updater")]
    _no_updater: bool,
}

impl Locations {
    /// Reads inline JSON, or the file of it that `text` names. `cutter` is who publishes.
    ///
    /// # Errors
    ///
    /// Says which location and which key is wrong.
    pub fn read(text: &str, cutter: &FolderName) -> anyhow::Result<Self> {
        let json = if text.trim_start().starts_with('{') {
            text.to_owned()
        } else {
            std::fs::read_to_string(text)
                .with_context(|| format!("cannot read the file {text:?} of --config"))?
        };
        let object: Map<String, Value> = serde_json::from_str(&json)
            .context("--config is no JSON object of upload locations")?;
        ensure!(!object.is_empty(), "--config names no upload location; name at least one");
        let read = |(name, value): (String, Value)| {
            let location = Location::read(value, cutter)
                .with_context(|| format!("upload location {name:?} of --config"))?;
            anyhow::Ok((name, location))
        };
        object.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the location of this name.
    pub fn get(&self, name: &str) -> Option<&Location> {
        self.0.get(name)
    }

    /// Returns the names of all locations.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns all locations.
    pub fn all(&self) -> impl Iterator<Item = &Location> {
        self.0.values()
    }

    /// Returns the names of the locations for which events are taken.
    pub fn taking(&self) -> Vec<String> {
        let taking = self.0.iter().filter(|(_, location)| location.takes_events);
        taking.map(|(name, _)| name.clone()).collect()
    }
}

impl Location {
    fn read(value: Value, cutter: &FolderName) -> anyhow::Result<Self> {
        let kind = value.get("type").and_then(Value::as_str);
        match kind.context("it is no object with a key \"type\"")? {
            "local" => Self::local(&serde_json::from_value(value)?, cutter),
            known @ ("local-archive" | "youtube") => {
                bail!("the type {known:?} is not built yet; use \"local\"")
            }
            unknown => bail!("there is no type {unknown:?}; use \"local\""),
        }
    }

    fn local(keys: &LocalKeys, cutter: &FolderName) -> anyhow::Result<Self> {
        let cut = match keys.cut_type {
            CutType::Rough => Kind::Rough,
            CutType::Fast => Kind::Exact(Timeline::Kept),
            CutType::Smart => Kind::Exact(Timeline::Continuous),
            CutType::Full => Kind::Full(Format::MpegTs),
        };
        let local = Local::new(&keys.path, keys.url_prefix.as_deref(), keys.write_info, cutter)?;
        Ok(Self { backend: Arc::new(local), cut, takes_events: !keys.no_uploader })
    }
}
