//! The Prometheus configuration: read by promtool, and held against the services' ports.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{MissingTool, PORTS};
use crate::run::Workspace;

const PATH: &str = "deploy/prometheus/prometheus.yml";

/// Checks it.
///
/// # Errors
///
/// With the first thing that is wrong.
pub(super) fn check(workspace: &Workspace, missing: MissingTool) -> Result<()> {
    let targets = targets(&workspace.read(PATH)?).context(PATH)?;
    for (service, port) in PORTS {
        let target = targets.get(service).map(String::as_str);
        let expected = format!("localhost:{port}");
        ensure!(
            target == Some(&expected),
            "{PATH}: {service} is scraped at {target:?}, not {expected}"
        );
    }
    if missing.is_there("promtool")? {
        workspace.program("promtool").args(["check", "config", PATH]).output()?;
        println!("{PATH}: {} targets, checked by promtool", targets.len());
    }
    Ok(())
}

/// The address of each service, by its `service` label.
fn targets(text: &str) -> Result<BTreeMap<String, String>> {
    let file: Value = serde_saphyr::from_str(text).context("parse")?;
    let jobs = file["scrape_configs"].as_array().context("no scrape_configs")?;
    let groups = jobs.iter().filter_map(|job| job["static_configs"].as_array()).flatten();
    let target = |group: &Value| {
        let service = group["labels"]["service"].as_str()?;
        Some((service.to_owned(), group["targets"][0].as_str()?.to_owned()))
    };
    Ok(groups.filter_map(target).collect())
}
