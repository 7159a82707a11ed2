//! The part of the compose file format that ours uses, and no more.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compose {
    #[serde(rename = "name")]
    pub(super) _name: String,
    #[serde(rename = "x-revision")]
    pub(super) _revision: IgnoredAny,
    #[serde(rename = "x-service")]
    pub(super) _service: IgnoredAny,
    #[serde(rename = "x-store")]
    pub(super) _store: IgnoredAny,
    pub(super) services: BTreeMap<String, Service>,
    pub(super) volumes: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) image: String,
    pub(super) build: Option<Build>,
    #[serde(default)]
    pub(super) profiles: Vec<String>,
    pub(super) user: String,
    pub(super) read_only: bool,
    #[serde(default, rename = "tmpfs")]
    pub(super) _tmpfs: Vec<String>,
    pub(super) cap_drop: Vec<String>,
    pub(super) security_opt: Vec<String>,
    #[serde(rename = "restart")]
    pub(super) _restart: Restart,
    pub(super) stop_grace_period: String,
    #[serde(rename = "logging")]
    pub(super) _logging: Logging,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) volumes: Vec<Mount>,
    #[serde(default)]
    pub(super) ports: Vec<String>,
    pub(super) healthcheck: HealthCheck,
    #[serde(default)]
    pub(super) depends_on: BTreeMap<String, Dependency>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Build {
    pub(super) context: String,
    pub(super) dockerfile: String,
    pub(super) args: BTreeMap<String, String>,
    pub(super) target: String,
}

/// Only policies that bring a service back whatever ended it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Restart {
    Always,
    UnlessStopped,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Logging {
    #[serde(rename = "driver")]
    pub(super) _driver: String,
    #[serde(rename = "options")]
    pub(super) _options: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Mount {
    Bind {
        #[serde(rename = "source")]
        _source: String,
        target: String,
        #[serde(default, rename = "read_only")]
        _read_only: bool,
        bind: BindOptions,
    },
    Volume {
        source: String,
        target: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BindOptions {
    pub(super) create_host_path: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthCheck {
    pub(super) test: Vec<String>,
    #[serde(rename = "interval")]
    pub(super) _interval: String,
    #[serde(rename = "timeout")]
    pub(super) _timeout: String,
    #[serde(rename = "retries")]
    pub(super) _retries: u32,
    #[serde(rename = "start_period")]
    pub(super) _start_period: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dependency {
    #[serde(rename = "condition")]
    pub(super) _condition: Condition,
    #[serde(default = "yes")]
    pub(super) required: bool,
}

fn yes() -> bool {
    true
}

/// Only those that mean «it works»; `service_started` means «it may».
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Condition {
    ServiceCompletedSuccessfully,
    ServiceHealthy,
}
