//! Runs every test, with the services built beside them and one PostgreSQL for the whole run.

use anyhow::{Context, Result};
use private_postgres::{Cluster, Options};

use crate::hls_js;
use crate::layers::crates::SERVICES;
use crate::run::Workspace;

/// Where the tests find the cluster; each makes databases of its own in it.
const CLUSTER: &str = "WUBLOADER_TEST_CLUSTER";

/// Where the tests find hls.js.
const HLS_JS: &str = "WUBLOADER_TEST_HLS_JS";

/// Runs the tests; with nextest where that is installed, then with `filter` handed on to it.
///
/// The documentation's tests, which nextest does not know, run first, so that the last line of a
/// test runner counts the others.
///
/// # Errors
///
/// When the services do not build, PostgreSQL does not start, hls.js cannot be fetched, or a test fails.
pub(crate) fn run(workspace: &Workspace, filter: &[&str]) -> Result<()> {
    build_programs(workspace)?;
    let cluster =
        Cluster::start(&Options::default()).context("start a PostgreSQL for the tests")?;
    let url = cluster.url("postgres");
    let player = hls_js::ready(workspace)?;
    let with_nextest = workspace.cargo(["nextest", "--version"]).output().is_ok();

    if filter.is_empty() {
        let doc = ["test", "--locked", "--workspace", "--doc", "--quiet"];
        workspace.cargo(doc).env(CLUSTER, &url).run()?;
    }
    let all: &[&str] = if with_nextest {
        &["nextest", "run", "--locked", "--workspace"]
    } else {
        &["test", "--locked", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]
    };
    workspace.cargo(all).args(filter).env(CLUSTER, &url).env(HLS_JS, player).run()
}

/// Builds what the whole-system tests start: the services and the demo, as `make demo` builds them.
///
/// # Errors
///
/// When they do not build.
pub(crate) fn build_programs(workspace: &Workspace) -> Result<()> {
    let packages = SERVICES.iter().chain(&["demo"]).flat_map(|name| ["--package", name]);
    workspace.cargo(["build", "--locked"]).args(packages).run()
}
