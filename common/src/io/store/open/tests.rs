use std::io::Read;
use std::os::unix::fs::symlink;

use super::*;
use crate::io::store::Access;

fn store() -> (tempfile::TempDir, Store) {
    let base = tempfile::tempdir().unwrap();
    let store = Store::open(base.path(), Access::Read).unwrap();
    (base, store)
}

fn opened(store: &Store, path: &str, wait: Wait) -> Result<String, Unopened> {
    let mut text = String::new();
    store.open_file(path.as_ref(), wait)?.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn waiting_or_not_the_same_file_is_found() {
    let (base, store) = store();
    std::fs::create_dir(base.path().join("a")).unwrap();
    std::fs::write(base.path().join("a/b"), b"text").unwrap();
    for wait in [Wait::ForDisk, Wait::Never] {
        assert_eq!(opened(&store, "a/b", wait).unwrap(), "text", "{wait:?}");
        assert!(store.is_there("a/b".as_ref(), wait).unwrap());
    }
    let long = "a/".repeat(3000);
    for nothing in ["a/c", "a/b/c", &long] {
        let unopened = opened(&store, nothing, Wait::ForDisk).unwrap_err();
        assert!(matches!(unopened, Unopened::Nothing), "{unopened:?}");
        assert!(!store.is_there(nothing.as_ref(), Wait::ForDisk).unwrap());
    }
}

#[test]
fn without_waiting_nothing_is_looked_up() {
    let (_base, store) = store();
    let error = io::Error::from(opened(&store, "never-seen", Wait::Never).unwrap_err());
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn no_way_of_opening_leaves_the_base_folder() {
    let (base, store) = store();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), b"").unwrap();
    let up = format!("../{}", outside.path().file_name().unwrap().to_str().unwrap());
    symlink(outside.path(), base.path().join("absolute")).unwrap();
    symlink(up, base.path().join("relative")).unwrap();
    for link in ["absolute", "relative"] {
        let path = Path::new(link).join("secret");
        assert!(base.path().join(&path).exists());
        let beneath = store.beneath(Wait::ForDisk).unwrap();
        assert_eq!(beneath.walk(&path, OFlags::RDONLY).unwrap_err(), Errno::XDEV);
        assert!(matches!(beneath.resolved(&path), Err(Unopened::Outside)));
        let unopened = store.open_file(&path, Wait::ForDisk).unwrap_err();
        assert!(matches!(unopened, Unopened::Outside), "{unopened:?}");
        assert!(!store.is_there(&path, Wait::ForDisk).unwrap());
    }
    for path in ["../secret", outside.path().join("secret").to_str().unwrap()] {
        assert!(store.open_file(path.as_ref(), Wait::ForDisk).is_err(), "{path}");
    }
}

#[test]
fn links_within_the_base_folder_are_followed() {
    let (base, store) = store();
    std::fs::create_dir(base.path().join("a")).unwrap();
    std::fs::write(base.path().join("a/b"), b"text").unwrap();
    symlink(base.path().join("a"), base.path().join("absolute")).unwrap();
    symlink("a", base.path().join("relative")).unwrap();
    symlink("../relative/b", base.path().join("a/up")).unwrap();
    for path in ["absolute/b", "relative/b", "absolute/up"] {
        assert_eq!(opened(&store, path, Wait::ForDisk).unwrap(), "text", "{path}");
    }
}

#[test]
fn only_a_regular_file_is_opened_and_nobody_is_waited_for() {
    let (base, store) = store();
    let pipe = base.path().join("pipe");
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(CWD, &pipe, kind, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(base.path().join("socket")).unwrap();
    std::fs::create_dir(base.path().join("folder")).unwrap();
    symlink(&pipe, base.path().join("link")).unwrap();
    for name in ["pipe", "socket", "folder", "link"] {
        let unopened = store.open_file(name.as_ref(), Wait::ForDisk).unwrap_err();
        assert!(matches!(unopened, Unopened::NoFile), "{name}: {unopened:?}");
        assert!(store.is_there(name.as_ref(), Wait::ForDisk).unwrap(), "though something is there");
    }
}
