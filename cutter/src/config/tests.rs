use common::cut::Kind;
use common::cut::smart::Timeline;
use tempfile::TempDir;

use super::*;

/// A folder that serves as the store and as the place to publish to.
fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn config(folder: &TempDir, config: &str, more: &[&str]) -> anyhow::Result<Config> {
    let base = folder.path().to_str().unwrap();
    let database = "postgres://me:secret@host/wub";
    let arguments = ["cutter", "--database", database, "--base-dir", base, "--config", config];
    Config::new(Options::try_parse_from(arguments.iter().chain(more))?)
}

/// What is said about a configuration with `keys` at an upload location `x`.
fn complaint(keys: &str) -> String {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    let keys = keys.replace("HERE", path);
    let error = config(&folder, &format!(r#"{{"x": {keys}}}"#), &[]).unwrap_err();
    let text = format!("{error:#}");
    assert!(!text.contains('\n'), "{text}");
    text.replace(path, "HERE")
}

#[test]
fn an_inline_configuration_and_a_file_are_the_same() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    let json = format!(
        r#"{{"local": {{"type": "local", "path": "{path}", "url_prefix": "https://v.example/x",
            "write_info": true, "cut_type": "smart"}},
            "old": {{"type": "local", "path": "{path}", "no_uploader": true, "no_updater": true}}}}"#
    );
    let file = folder.path().join("config.json");
    std::fs::write(&file, &json).unwrap();
    for given in [json.as_str(), file.to_str().unwrap()] {
        let more = ["--name", "node-a", "--tags", "a, b,,", "--uploader-explicit-only"];
        let config = config(&folder, given, &more).unwrap();
        assert_eq!(config.name.as_str(), "node-a");
        assert_eq!(config.tags, ["a", "b"]);
        assert!(config.explicit_only);
        assert_eq!(config.locations.taking(), ["local"]);
        let cut = |name: &str| config.locations.get(name).unwrap().cut;
        assert_eq!(cut("local"), Kind::Exact(Timeline::Continuous));
        assert_eq!(cut("old"), Kind::Rough);
        assert_eq!(config.locations.names().collect::<Vec<_>>(), ["local", "old"]);
    }
}

#[test]
fn what_is_wrong_is_said_in_a_line_that_names_it() {
    let start = "upload location \"x\" of --config: ";
    for (keys, expected) in [
        ("3", "it is no object with a key \"type\""),
        (r#"{"path": "HERE"}"#, "it is no object with a key \"type\""),
        (r#"{"type": "s3"}"#, "there is no type \"s3\"; use \"local\""),
        (r#"{"type": "youtube"}"#, "the type \"youtube\" is not built yet; use \"local\""),
        (r#"{"type": "local"}"#, "missing field `path`"),
        (
            r#"{"type": "local", "path": ""}"#,
            "cannot use its path: cannot make an empty path absolute",
        ),
        (r#"{"type": "local", "path": "HERE/no"}"#, "the path HERE/no is no folder; create it"),
        (
            r#"{"type": "local", "path": "HERE", "url_prefix": "video"}"#,
            "the url_prefix \"video\" is no address: relative URL without a base",
        ),
        (
            r#"{"type": "local", "path": "HERE", "url_prefix": "mailto:me"}"#,
            "the url_prefix \"mailto:me\" is no address of a folder",
        ),
    ] {
        assert_eq!(complaint(keys), format!("{start}{expected}"));
    }
    let unknown = complaint(r#"{"type": "local", "path": "HERE", "pth": 1}"#);
    assert!(unknown.contains("unknown field `pth`, expected one of"), "{unknown}");
    let unknown = complaint(r#"{"type": "local", "path": "HERE", "cut_type": "exact"}"#);
    assert!(unknown.contains("unknown variant `exact`"), "{unknown}");
}

#[test]
fn what_is_no_object_of_locations_is_refused() {
    let folder = folder();
    let complaint = |given: &str| format!("{:#}", config(&folder, given, &[]).unwrap_err());
    assert!(complaint("{}").contains("names no upload location"));
    assert!(complaint("{").starts_with("--config is no JSON object of upload locations"));
    assert!(complaint("/no/such/file").starts_with("cannot read the file \"/no/such/file\""));
}

#[test]
fn a_bad_database_or_name_or_folder_is_refused() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    let json = format!(r#"{{"x": {{"type": "local", "path": "{path}"}}}}"#);
    let complaint = |more: &[&str]| format!("{:#}", config(&folder, &json, more).unwrap_err());
    assert!(complaint(&["--name", "../x"]).contains("can be no cutter's name"));
    assert!(complaint(&["--name", &"x".repeat(65)]).contains("longer than 64 bytes"));

    let complaint = |database: &str, base: &str| {
        let arguments = ["cutter", "--database", database, "--base-dir", base, "--config", &json];
        format!("{:#}", Config::new(Options::try_parse_from(arguments).unwrap()).unwrap_err())
    };
    let text = complaint("me:secret@host", path);
    assert!(text.starts_with("cannot use --database") && !text.contains("secret"), "{text}");
    assert!(complaint("host=x", "/no/such/folder").contains("/no/such/folder"));
}

#[test]
fn a_configuration_is_shown_without_its_password() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    let json = format!(r#"{{"x": {{"type": "local", "path": "{path}"}}}}"#);
    let config = config(&folder, &json, &["--name", "a"]).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("secret") && shown.contains("me@host:5432/wub"), "{shown}");
}
