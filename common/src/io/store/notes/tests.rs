use std::fs::File;
use std::path::Path;

use super::*;
use crate::io::store::{Access, Step};

fn at(text: &str) -> Timestamp {
    Timestamp::parse_http(text).unwrap()
}

fn name(text: &str) -> FolderName {
    text.parse().unwrap()
}

fn notes_in(base: &Path) -> Notes {
    let feed = Feed { channel: name("chan"), quality: name("source") };
    Notes::new(Store::open(base, Access::Write).unwrap(), name("node-a"), feed)
}

fn missing(start: &str, why: Why, detail: &str) -> Note {
    Note::Missing {
        start: at(start),
        duration: 2.0,
        why,
        detail: detail.to_owned(),
        learned: at("2026-11-20T10:00:31.5"),
    }
}

#[test]
fn notes_are_lines_in_the_file_of_their_hour() {
    let base = tempfile::tempdir().unwrap();
    let notes = notes_in(base.path());
    let first = missing("2026-11-20T10:00:02", Why::Expired, "404 after 3 attempts");
    let second = Note::Discontinuity {
        start: at("2026-11-20T11:12:40"),
        skipped: Some(1.5),
        detail: String::new(),
        learned: at("2026-11-20T11:12:41"),
    };
    notes.append([first.clone(), second.clone()]).unwrap();
    notes.append([missing("2026-11-20T10:59:59", Why::TimeOut, "")]).unwrap();
    let path = base.path().join("notes/node-a/chan/source/2026-11-20T10.jsonl");
    let expected = "\
{\"kind\":\"missing\",\"start\":\"2026-11-20T10:00:02.000000\",\"duration\":2.0,\
\"why\":\"expired\",\"detail\":\"404 after 3 attempts\",\"learned\":\"2026-11-20T10:00:31.500000\"}\n\
{\"kind\":\"missing\",\"start\":\"2026-11-20T10:59:59.000000\",\"duration\":2.0,\
\"why\":\"time-out\",\"learned\":\"2026-11-20T10:00:31.500000\"}\n";
    assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
    let hour = |text: &str| notes.read(text.parse().unwrap()).unwrap();
    assert_eq!(hour("2026-11-20T10")[0], first);
    assert_eq!(hour("2026-11-20T11"), [second]);
    assert_eq!(hour("2026-11-20T12"), []);
}

#[test]
fn a_torn_line_stays_and_takes_no_other_along() {
    let base = tempfile::tempdir().unwrap();
    let notes = notes_in(base.path());
    let first = missing("2026-11-20T10:00:02", Why::Gap, "");
    notes.append([first.clone()]).unwrap();
    let path = notes.path(first.start().hour());
    let mut torn = std::fs::read(&path).unwrap();
    torn.extend_from_slice(b"{\"kind\":\"missing\",\"sta");
    std::fs::write(&path, &torn).unwrap();
    assert_eq!(notes.read(first.start().hour()).unwrap(), std::slice::from_ref(&first));
    let second = missing("2026-11-20T10:00:04", Why::Gap, "");
    notes.append([second.clone()]).unwrap();
    assert_eq!(notes.read(first.start().hour()).unwrap(), [first, second]);
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.starts_with(&torn), "a copy made before is a prefix");
}

#[test]
fn unknown_kinds_and_fields_are_no_trouble() {
    let note = missing("2026-11-20T10:00:02", Why::SequenceJump, "");
    let known = serde_json::to_string(&note).unwrap();
    let extended = known.replace("\"kind\"", "\"by\":\"x\",\"kind\"");
    let text = format!("{{\"kind\":\"invented\",\"start\":7}}\nnonsense\n{extended}\n");
    assert_eq!(parse(text.as_bytes()), [note]);
    assert_eq!(
        parse(text.trim_end().as_bytes()),
        [],
        "a line without its line break is not there yet"
    );
}

#[test]
fn a_damaged_line_takes_no_other_along() {
    let base = tempfile::tempdir().unwrap();
    let notes = notes_in(base.path());
    let [first, damaged, last] = ["10:00:02", "10:00:04", "10:00:06"]
        .map(|time| missing(&format!("2026-11-20T{time}"), Why::Gap, "at the end"));
    notes.append([first.clone(), damaged, last.clone()]).unwrap();
    let path = notes.path(first.start().hour());
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] = 0xff;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(notes.read(first.start().hour()).unwrap(), [first, last]);
}

/// Notes on a disk that refuses a step as long as there is one to refuse, and what that is.
fn failing_notes(base: &Path) -> (Notes, Arc<Mutex<Option<Step>>>) {
    let refused: Arc<Mutex<Option<Step>>> = Arc::default();
    let shared = Arc::clone(&refused);
    let notes = notes_in(base);
    let store = notes.store.clone().with_faults(move |step| {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        if *shared.lock().unwrap() == Some(step) { Err(full()) } else { Ok(()) }
    });
    (Notes { store, ..notes }, refused)
}

#[test]
fn what_a_disk_refused_halfway_is_finished_and_not_written_twice() {
    let note = |second: usize| missing(&format!("2026-11-20T10:00:{second:02}"), Why::Gap, "x");
    for step in [Step::Write, Step::Flush, Step::FlushFolder] {
        for torn in ["", "{\"kind\":\"mi"] {
            let base = tempfile::tempdir().unwrap();
            let (notes, refused) = failing_notes(base.path());
            let path = notes.path(note(0).start().hour());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, torn).unwrap();
            *refused.lock().unwrap() = Some(step);
            let mut pending: Vec<Note> = (0..5).map(note).collect();
            for more in 5..8 {
                let unwritten = notes.append(pending.clone()).unwrap_err();
                assert_eq!((unwritten.lost, &unwritten.notes), (0, &pending), "{step:?}");
                pending.push(note(more));
            }
            let copy = std::fs::read(&path).unwrap();
            *refused.lock().unwrap() = None;
            notes.append(pending.clone()).unwrap();
            notes.append([note(9)]).unwrap();
            pending.push(note(9));
            assert_eq!(notes.read(note(0).start().hour()).unwrap(), pending, "{step:?}");
            let bytes = std::fs::read(&path).unwrap();
            assert!(bytes.starts_with(&copy), "a copy made before is a prefix");
            let lines = String::from_utf8(bytes).unwrap();
            assert_eq!(
                lines.lines().count(),
                pending.len() + usize::from(!torn.is_empty()),
                "{step:?}"
            );
        }
    }
}

#[test]
fn notes_are_not_written_before_the_name_of_their_file_is() {
    let base = tempfile::tempdir().unwrap();
    let (notes, refused) = failing_notes(base.path());
    let note = missing("2026-11-20T10:00:02", Why::Gap, "");
    *refused.lock().unwrap() = Some(Step::FlushFolder);
    for _ in 0..2 {
        assert_eq!(notes.append([note.clone()]).unwrap_err().notes, std::slice::from_ref(&note));
    }
    // another process does not know what the one before has flushed
    let (again, refused) = failing_notes(base.path());
    *refused.lock().unwrap() = Some(Step::FlushFolder);
    assert!(again.append([note.clone()]).is_err());
    *refused.lock().unwrap() = None;
    again.append([note.clone()]).unwrap();
    // once it is flushed it stays so, unless somebody removes it
    *refused.lock().unwrap() = Some(Step::FlushFolder);
    again.append([note.clone()]).unwrap();
    std::fs::remove_dir_all(base.path().join(FOLDER)).unwrap();
    assert!(again.append([note.clone()]).is_err());
    *refused.lock().unwrap() = None;
    again.append([note]).unwrap();
}

#[test]
fn other_notes_than_those_that_were_begun_are_new() {
    let base = tempfile::tempdir().unwrap();
    let (notes, refused) = failing_notes(base.path());
    let note = |second: usize| missing(&format!("2026-11-20T10:00:{second:02}"), Why::Gap, "x");
    *refused.lock().unwrap() = Some(Step::Write);
    notes.append((0..5).map(note)).unwrap_err();
    *refused.lock().unwrap() = None;
    notes.append((3..5).map(note)).unwrap();
    let read = notes.read(note(0).start().hour()).unwrap();
    assert_eq!(read, [0, 1, 3, 4].map(note), "those that were written, and the new ones");
    // a file that was cut meanwhile
    *refused.lock().unwrap() = Some(Step::Flush);
    notes.append([note(5)]).unwrap_err();
    File::create(notes.path(note(0).start().hour())).unwrap();
    *refused.lock().unwrap() = None;
    notes.append([note(5)]).unwrap();
    assert_eq!(notes.read(note(0).start().hour()).unwrap(), [note(5)]);
}

#[test]
fn a_reason_has_one_word() {
    for why in Why::ALL {
        assert_eq!(serde_json::to_value(why).unwrap(), why.token());
    }
}

#[test]
fn a_file_does_not_grow_without_end() {
    let base = tempfile::tempdir().unwrap();
    let notes = notes_in(base.path());
    let note = missing("2026-11-20T10:00:02", Why::Gap, "");
    let path = notes.path(note.start().hour());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(&path).unwrap().set_len(MAX_FILE_BYTES - 10).unwrap();
    let other_hour = missing("2026-11-20T11:00:02", Why::Gap, "");
    let unwritten = notes.append([note, other_hour.clone()]).unwrap_err();
    assert_eq!(unwritten.error.kind(), io::ErrorKind::FileTooLarge);
    assert_eq!((unwritten.lost, unwritten.notes), (1, vec![]));
    assert_eq!(notes.read(other_hour.start().hour()).unwrap(), [other_hour]);
}

#[test]
fn what_the_disk_refuses_is_given_back_and_only_that() {
    let base = tempfile::tempdir().unwrap();
    let notes = notes_in(base.path());
    let [refused, written] =
        ["2026-11-20T10:00:02", "2026-11-20T11:00:02"].map(|start| missing(start, Why::Gap, ""));
    std::fs::create_dir_all(notes.path(refused.start().hour())).unwrap();
    let unwritten = notes.append([refused.clone(), written.clone()]).unwrap_err();
    assert_eq!((unwritten.lost, unwritten.notes), (0, vec![refused]));
    assert_eq!(notes.read(written.start().hour()).unwrap(), [written]);
}
