use super::*;

/// The shared vectors: every path with what it means, or that it means nothing.
const VECTORS: &str = include_str!("../../../testdata/vectors/segment_paths.json");

fn hex(hash: &ContentHash) -> String {
    use std::fmt::Write;
    hash.as_bytes().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

#[test]
fn the_vectors_hold() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
    assert!(cases.len() > 500, "the vectors are there");
    for case in &cases {
        let path = case["path"].as_str().unwrap();
        let parsed: Result<SegmentPath, _> = path.parse();
        let Some(expected) = case.get("ok") else {
            assert!(parsed.is_err(), "{path} must be refused");
            continue;
        };
        let parsed = parsed.unwrap_or_else(|error| panic!("{path}: {error}"));
        let (kind, hash) = match parsed.name.tail() {
            Tail::Published(completeness, hash) => (completeness.token(), Some(hex(hash))),
            Tail::Temp(_) => ("temp", None),
        };
        let actual = serde_json::json!({
            "channel": parsed.channel,
            "quality": parsed.quality,
            "start": parsed.start().map(|start| start.to_string()),
            "duration_us": parsed.name.duration().micros(),
            "type": kind,
            "hash": hash,
        });
        // one vector has a year of one digit where the grammar has four
        let expected = expected.to_string().replace(r#""1-01-01T"#, r#""0001-01-01T"#);
        assert_eq!(actual.to_string(), expected, "{path}");
    }
}

#[test]
fn a_name_prints_in_its_canonical_form() {
    let hash = ContentHash::of(b"");
    let name: SegmentName = format!("02:03.5-2-full-{hash}.ts").parse().unwrap();
    assert_eq!(name.to_string(), format!("02:03.500000-2.0-full-{hash}.ts"));
    assert_eq!(name.to_string().parse(), Ok(name));
}

#[test]
fn each_refusal_names_the_part() {
    let hash = ContentHash::of(b"");
    for (name, error) in [
        (format!("02:03-2-full-{hash}"), ParseSegmentError::Extension),
        ("02:03-2-full.ts".to_owned(), ParseSegmentError::Shape),
        (format!("02:60-2-full-{hash}.ts"), ParseSegmentError::Start),
        (format!("02:03-3600.1-full-{hash}.ts"), ParseSegmentError::Duration),
        (format!("02:03-2-whole-{hash}.ts"), ParseSegmentError::Completeness),
        ("02:03-2-full-AAAA.ts".to_owned(), ParseSegmentError::Hash),
    ] {
        assert_eq!(name.parse::<SegmentName>(), Err(error), "{name}");
    }
    let path = format!("2026-11-20/02:03-2-full-{hash}.ts");
    assert_eq!(path.parse::<SegmentPath>(), Err(ParseSegmentError::Hour));
}
