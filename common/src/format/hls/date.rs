//! Dates in playlists: ISO 8601 as publishers write it, which is looser than our own interface.

use crate::base::time::Timestamp;

/// Reads an EXT-X-PROGRAM-DATE-TIME (RFC 8216 §4.3.2.6).
///
/// Beyond what [`Timestamp::parse_http`] takes: blanks around and instead of the `T`, lower case, a
/// comma before the fraction, more than nine digits of it (dropped past the sixth, as every node
/// must), and offsets without a colon or without minutes. Without a zone it is UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let mut text = text.trim().to_ascii_uppercase();
    if !text.is_ascii() || text.len() < "2026-11-20T10:00".len() {
        return None;
    }
    if text.as_bytes()[10] == b' ' {
        text.replace_range(10..11, "T");
    }
    let (local, zone) = split_zone(&text);
    let (whole, fraction) = local.trim_end().split_once(['.', ',']).unwrap_or((local, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    let fraction = &fraction[..fraction.len().min(6)];
    let zone = canonical_zone(zone.trim())?;
    Timestamp::parse_http(&format!("{whole}{point}{fraction}{zone}")).ok()
}

/// Splits before the `Z` or the sign of an offset; the dashes of the date are no sign.
fn split_zone(text: &str) -> (&str, &str) {
    let time_of_day = 11;
    match text[time_of_day..].find(['Z', '+', '-']) {
        Some(at) => text.split_at(time_of_day + at),
        None => (text, ""),
    }
}

/// `±HH`, `±HHMM` and `±HH:MM` as the last.
fn canonical_zone(zone: &str) -> Option<String> {
    match zone.len() {
        0 | 1 | 6 => Some(zone.to_owned()),
        3 => Some(format!("{zone}:00")),
        5 => Some(format!("{}:{}", &zone[..3], &zone[3..])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse(text).map(|time| time.to_string())
    }

    #[test]
    fn offsets_are_converted_in_every_form() {
        let same = Some("2026-11-20T10:00:00.500000".to_owned());
        for text in [
            "2026-11-20T10:00:00.5Z",
            "2026-11-20T10:00:00.500",
            "2026-11-20 10:00:00,500 z",
            "2026-11-20T11:00:00.5+01:00",
            "2026-11-20T11:00:00.500000+0100",
            " 2026-11-20t05:30:00.5-0430 ",
            "2026-11-20T08:00:00.5-02",
            "2026-11-20T10:00:00.50000000000000Z",
        ] {
            assert_eq!(read(text), same, "{text}");
        }
    }

    #[test]
    fn digits_past_microseconds_are_dropped() {
        let expected = Some("2026-11-20T10:00:00.123456".to_owned());
        assert_eq!(read("2026-11-20T10:00:00.1234569999Z"), expected);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "today",
            "2026-11-20",
            "2026-13-20T10:00:00Z",
            "2026-11-20T10:00:00EST",
            "2026-11-20T10:00:00+1",
            "2026-11-20T10:00:00.Z.5",
            "２026-11-20T10:00:00Z",
            "2026-11-20T10:00:00-",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
