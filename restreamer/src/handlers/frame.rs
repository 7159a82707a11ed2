//! `/frame`: what was on the screen at an instant.

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;
use common::base::time::{TimeRange, Timestamp};
use common::cut::PlanError;
use common::plan::cut::{CutError, Holes, Plan};

use crate::app::App;
use crate::error::ApiError;
use crate::picture::{Recipe, Seconds, of_video};
use crate::request::{Names, Query};

/// `/frame/CHANNEL/QUALITY.png`
pub(crate) async fn frame(
    State(app): State<App>,
    names: Names,
    query: Query,
) -> Result<Response, ApiError> {
    let feed = names.video_feed(".png")?;
    let instant = query.required_time("timestamp")?;
    let range = TimeRange::new(instant, instant + TimeDelta::microseconds(1));
    let range = range.ok_or_else(|| ApiError::parameter("timestamp", "it is the end of time"))?;
    let plan = move |store: &_, feed: &_| {
        common::cut::plan(store, feed, &[range], Holes::Allow).map_err(|error| match error {
            PlanError::Refused(CutError::Empty { .. }) => ApiError::Unacceptable(NO_VIDEO.into()),
            other => other.into(),
        })
    };
    let plan = app.select(feed.clone(), plan, Plan::segments).await?;
    let recipe = recipe(&plan, instant);
    of_video(&app, &feed, plan, &recipe).await
}

const NO_VIDEO: &str = "there is no video at that instant";

/// The last picture that begins at `instant` or before.
fn recipe(plan: &Plan, instant: Timestamp) -> Recipe {
    let offset = Seconds::into_plan(plan, instant);
    let filters = format!(
        // time is counted in microseconds from the first picture, which is at the segment's start; the
        // last one stays for as long as it takes; of all those one a second is kept from the instant on,
        // each the latest that had begun
        "settb=1/1000000,setpts=PTS-STARTPTS,tpad=stop=-1:stop_mode=clone,\
         fps=fps=1:start_time={offset}:round=up"
    );
    Recipe { medium: 'v', filters, lacking: NO_VIDEO }
}
