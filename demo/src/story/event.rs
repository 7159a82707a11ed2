//! An event becomes a video.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use common::base::time::{Clock, SystemClock, TimeRange};
use common::io::db::edit::{Edit, Thumbnail};
use common::io::db::event::{self, Event, NewEvent};
use common::io::db::transition::{Submission, submit};
use common::io::db::{EventState, Transition, VideoRange};
use url::Url;

use super::{Story, titles};
use crate::installation::UPLOAD_LOCATION;
use crate::poll::poll;

/// The event's key.
const ID: &str = "demo-outage";
/// How long it may take until the video is there, a killed cutter and its return included.
const PUBLISH: Duration = Duration::from_mins(2);

/// A published video.
#[derive(Debug)]
pub(super) struct Video {
    /// Its file.
    pub(super) path: PathBuf,
}

/// Puts an event over `stretch` in and submits its edit, as the editor does.
pub(super) async fn is_put_in(story: &Story<'_>, stretch: TimeRange) -> anyhow::Result<String> {
    let Story { installation, display, .. } = story;
    display.step(titles::EVENT);
    let event = NewEvent {
        id: ID.to_owned(),
        sheet_name: "Demo".to_owned(),
        event_start: Some(stretch.start()),
        event_end: Some(stretch.end()),
        category: "Outage".to_owned(),
        description: "One recorder is down, the other one is not".to_owned(),
    };
    let database = &installation.database;
    event::insert(database, &event).await.context("put the event in")?;
    let edit = edit(&installation.channel.name, installation.channel.best(), stretch);
    let submission =
        Submission { edit: &edit, thumbnail_image: None, editor: "demo", at: SystemClock.now() };
    let submitted = submit(database, ID, &submission).await.context("submit the event")?;
    ensure!(submitted == Transition::Done, "the event was not as it was put in");
    display.held(format_args!("\"{}\", {stretch}", edit.video_title));
    Ok(ID.to_owned())
}

fn edit(channel: &str, quality: &str, stretch: TimeRange) -> Edit {
    Edit {
        upload_location: UPLOAD_LOCATION.to_owned(),
        uploader_whitelist: None,
        allow_holes: false,
        public: true,
        video_ranges: vec![VideoRange { start: stretch.start(), end: stretch.end() }],
        video_transitions: Vec::new(),
        video_title: "Ten seconds without a recorder, and nothing is missing".to_owned(),
        video_description: "Node A was not recording. Node B was.".to_owned(),
        video_tags: vec!["demo".to_owned()],
        video_channel: channel.to_owned(),
        video_quality: quality.to_owned(),
        thumbnail: Thumbnail::NONE,
    }
}

/// Waits until a cutter has published the event, and tells every state that is seen on the way.
pub(super) async fn is_published(story: &Story<'_>, id: &str) -> anyhow::Result<Video> {
    let display = story.display;
    display.step(titles::CUT);
    let mut last_seen = None;
    let event = poll("no cutter published the event", PUBLISH, async || {
        let event = event::get(&story.installation.database, id).await?;
        let event = event.context("the event is gone")?;
        let seen = (event.state, event.uploader.clone());
        if last_seen.as_ref() != Some(&seen) {
            tell(story, &event);
            last_seen = Some(seen);
        }
        let error = event.error.as_deref().unwrap_or("no error");
        match event.state {
            // nobody would take it any more, so there is nothing to wait for
            EventState::Done | EventState::Unedited => Ok(event),
            state => bail!("it is {} ({error})", state.name()),
        }
    });
    let event = event.await?;
    if event.state == EventState::Unedited {
        bail!("no cutter could cut the event: {}", event.error.unwrap_or_default());
    }
    let link: Url = event.video_link.context("the event is DONE and has no link")?.parse()?;
    let path = link.to_file_path().ok().context("the video's link names no file")?;
    let holder = event.uploader.as_deref().unwrap_or("nobody");
    display.held(format_args!("{holder} made {}", path.display()));
    Ok(Video { path })
}

fn tell(story: &Story<'_>, event: &Event) {
    let holder = event.uploader.as_deref().map(|name| format!(" by {name}")).unwrap_or_default();
    story.display.tell(format_args!("   {}{holder}", event.state.name()));
}
