//! The real file, and the real file with one thing wrong.

use anyhow::Result;

use super::{check_services, dockerfile, read};
use crate::deploy::settings::EnvFile;
use crate::run::Workspace;

/// Checks the real file after `change`.
fn check_changed(change: impl Fn(String) -> String) -> Result<()> {
    let workspace = Workspace::of_this_build();
    let settings = EnvFile::parse(&workspace.read(super::SETTINGS)?)?;
    let compose = read(&change(workspace.read(super::PATH)?), &settings)?;
    check_services(&compose, &dockerfile::check(&workspace)?)
}

#[test]
fn the_real_file_passes() {
    check_changed(|text| text).unwrap();
}

#[test]
fn one_thing_wrong_is_found() {
    for (right, wrong, complaint) in [
        ("  downloader:\n", "  downlaoder:\n", "no service downloader"),
        ("read_only: true", "read_onyl: true", "unknown field `read_onyl`"),
        ("read_only: true", "read_only: false", "can be written"),
        ("user: \"999:999\"", "user: \"0:999\"", "runs as root"),
        ("restart: unless-stopped", "restart: on-failure", "unknown variant `on-failure`"),
        ("postgres:17.6-bookworm", "postgres:latest", "no fixed version"),
        ("wubloader-cutter:0.1.0", "wubloader-cutter:9.1.0", "its image is"),
        ("target: cutter}", "target: restreamer}", "built from the stage restreamer"),
        ("127.0.0.1:8003:8003", "127.0.0.1:8003:8001", "8003 is not published"),
        ("http://localhost:8002/healthz", "http://localhost:8002/", "its health is asked at"),
        ("source: database", "source: databsae", "no known volume"),
        ("      postgres: {cond", "      postrges: {cond", "depends on postrges"),
        ("profiles: [database]", "profiles: [databsae]", "does not start the profile databsae"),
        (", required: false", "", "requires postgres, which only a profile starts"),
        ("  WUBLOADER_REVISION:", "  WUBLOADER_REVISON:", "cannot tell its revision"),
        ("service_healthy", "service_started", "unknown variant `service_started`"),
        ("${WUBLOADER_LOG:-info}", "${WUBLOADER_LGO:-info}", "WUBLOADER_LGO is not explained"),
        ("create_host_path: false", "create_host_path: true", "root's when missing"),
    ] {
        let error = check_changed(|text| {
            assert!(text.contains(right), "{right} is no longer in the file");
            text.replace(right, wrong)
        });
        let error = format!("{:#}", error.expect_err(wrong));
        assert!(error.contains(complaint), "{wrong}: {error}");
    }
}
