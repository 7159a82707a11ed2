//! docker-compose.yml, as `docker compose config` would read it with the settings of `.env.example`.
//!
//! Owns what a service of ours must say there. The types list every key that the file may use: a key
//! that is not among them is a typing error, or a decision that belongs here first.

mod file;
mod interpolate;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use self::file::{Build, Compose, HealthCheck, Mount, Service};
use super::PORTS;
use super::dockerfile::{self, Stage, is_pinned};
use super::programs::Programs;
use super::settings::EnvFile;
use crate::run::Workspace;

const PATH: &str = "docker-compose.yml";
const SETTINGS: &str = ".env.example";

/// Read by docker compose itself: the profiles whose services are started.
const PROFILES: &str = "COMPOSE_PROFILES";

/// The build argument that becomes `revision` in the metric `build_info`.
const REVISION: &str = "WUBLOADER_REVISION";

/// Checks it against the stages of the Dockerfile.
///
/// # Errors
///
/// With the first thing that is wrong.
pub(super) fn check(
    workspace: &Workspace,
    stages: &BTreeMap<String, Stage>,
    programs: Option<&Programs>,
) -> Result<()> {
    let settings = EnvFile::parse(&workspace.read(SETTINGS)?).context(SETTINGS)?;
    let compose = read(&workspace.read(PATH)?, &settings).context(PATH)?;
    check_services(&compose, stages).context(PATH)?;
    if let Some(programs) = programs {
        check_environment(&compose, programs).context(PATH)?;
    }
    println!("{PATH}: {} services", compose.services.len());
    Ok(())
}

fn read(text: &str, settings: &EnvFile) -> Result<Compose> {
    let mut value: Value = serde_saphyr::from_str(text).context("parse")?;
    let used = interpolate::interpolate(&mut value, settings)?;
    for name in settings.names().filter(|name| *name != PROFILES) {
        ensure!(used.contains_key(name), "{SETTINGS} explains {name}, which nothing reads");
    }
    let compose: Compose = serde_json::from_value(value).context("understand")?;
    for profile in compose.services.values().flat_map(|service| &service.profiles) {
        let starts = settings.set.get(PROFILES).is_some_and(|profiles| profiles == profile);
        ensure!(starts, "{SETTINGS} does not start the profile {profile}");
    }
    Ok(compose)
}

fn check_services(compose: &Compose, stages: &BTreeMap<String, Stage>) -> Result<()> {
    for (name, service) in &compose.services {
        check_service(compose, service).with_context(|| format!("service {name}"))?;
    }
    for (name, port) in PORTS {
        let service = compose.services.get(name).with_context(|| format!("no service {name}"))?;
        check_own(name, port, service, stages).with_context(|| format!("service {name}"))?;
    }
    Ok(())
}

/// What holds for all services, the database among them.
fn check_service(compose: &Compose, service: &Service) -> Result<()> {
    ensure!(is_pinned(&service.image), "{} is no fixed version", service.image);
    let user = service.user.split(':').next().unwrap_or_default();
    ensure!(!matches!(user, "" | "0" | "root"), "it runs as root");
    ensure!(service.read_only, "its root file system can be written");
    ensure!(service.cap_drop == ["ALL"], "it keeps capabilities");
    ensure!(service.security_opt == ["no-new-privileges:true"], "it may gain privileges");
    ensure!(
        service.healthcheck.test.first().is_some_and(|first| first == "CMD"),
        "no health check"
    );
    for (name, dependency) in &service.depends_on {
        let other = compose.services.get(name);
        let other = other.with_context(|| format!("it depends on {name}, which is not there"))?;
        let may_lack = !dependency.required || other.profiles.is_empty();
        ensure!(may_lack, "it requires {name}, which only a profile starts");
    }
    for mount in &service.volumes {
        match mount {
            Mount::Bind { target, bind, .. } => {
                ensure!(!bind.create_host_path, "{target} would appear as root's when missing");
            }
            Mount::Volume { source, target } => {
                ensure!(compose.volumes.contains_key(source), "{target} is in no known volume");
            }
        }
    }
    Ok(())
}

/// What holds for a service that we build.
fn check_own(
    name: &str,
    port: u16,
    service: &Service,
    stages: &BTreeMap<String, Stage>,
) -> Result<()> {
    let expected = format!("wubloader-{name}:{}", env!("CARGO_PKG_VERSION"));
    ensure!(service.image == expected, "its image is {}, not {expected}", service.image);
    let Build { context, dockerfile, args, target } =
        service.build.as_ref().context("nothing builds it")?;
    ensure!(context == "." && dockerfile == dockerfile::PATH, "it is built from elsewhere");
    ensure!(target == name && stages.contains_key(target), "it is built from the stage {target}");
    ensure!(args.contains_key(REVISION), "its metrics cannot tell its revision: no {REVISION}");
    ensure!(service.stop_grace_period == "30s", "it has no 30 s to end in");
    let asks = health_address(&service.healthcheck);
    ensure!(asks == format!("http://localhost:{port}/healthz"), "its health is asked at {asks}");
    let published = service.ports.iter().any(|one| one.ends_with(&format!("{port}:{port}")));
    ensure!(published, "{port} is not published, where Prometheus looks for it");
    let store = |mount: &Mount| matches!(mount, Mount::Bind { target, .. } if target == "/data");
    ensure!(service.volumes.iter().any(store), "it does not see the segment store");
    Ok(())
}

/// Every setting that we hand to a service of ours is one that it reads.
fn check_environment(compose: &Compose, programs: &Programs) -> Result<()> {
    for (name, _) in PORTS {
        for setting in compose.services.get(name).into_iter().flat_map(|one| one.environment.keys())
        {
            programs.expect(name, setting)?;
        }
    }
    Ok(())
}

fn health_address(check: &HealthCheck) -> &str {
    check.test.last().map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
