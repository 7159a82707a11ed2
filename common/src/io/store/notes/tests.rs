use super::*;
use crate::io::store::Access;

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
    assert_eq!(parse(&text), [note]);
    assert_eq!(parse(text.trim_end()), [], "a line without its line break is not there yet");
}

#[test]
fn a_reason_has_one_word() {
    for why in [
        Why::Expired,
        Why::Refused,
        Why::Advertisement,
        Why::TimeOut,
        Why::Truncated,
        Why::Damaged,
        Why::Gap,
        Why::SequenceJump,
        Why::DiskFull,
        Why::Stopped,
        Why::Offline,
    ] {
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
