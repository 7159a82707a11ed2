//! What cutters write into an event's `error` while it waits: a line each, so that people see what
//! every node says, and no cutter overwrites another's.

/// The longest text, in bytes; lines that do not fit any more are dropped.
const MAX_TEXT: usize = 4_000;

/// Returns the text with what `cutter` now says in place of what it said before; `None` when it says
/// the same as before.
pub(crate) fn with_reason(before: Option<&str>, cutter: &str, reason: &str) -> Option<String> {
    let before = before.unwrap_or_default();
    let start = format!("{cutter}: ");
    let line = format!("{start}{}", reason.replace(['\n', '\r'], " "));
    let mut lines: Vec<&str> = vec![&line];
    lines.extend(before.lines().filter(|other| !other.starts_with(&start)));
    while lines.len() > 1 && lines.iter().map(|line| line.len() + 1).sum::<usize>() > MAX_TEXT {
        lines.pop();
    }
    let is_said = before.lines().any(|other| other == line);
    // whose line comes first is no news
    (!is_said || lines.len() != before.lines().count()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cutter_replaces_its_own_line_and_keeps_the_others() {
        let first = with_reason(None, "a", "source lacks 10:00 to 10:01").unwrap();
        assert_eq!(first, "a: source lacks 10:00 to 10:01");
        let second = with_reason(Some(&first), "b", "two\nlines").unwrap();
        assert_eq!(second, "b: two lines\na: source lacks 10:00 to 10:01");
        let third = with_reason(Some(&second), "a", "less").unwrap();
        assert_eq!(third, "a: less\nb: two lines");
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        assert_eq!(with_reason(Some("b: other\na: same"), "a", "same"), None);
        assert_eq!(with_reason(Some("a: same"), "a", "same"), None);
        assert!(with_reason(Some("a: same\na: old"), "a", "same").is_some());
    }

    #[test]
    fn the_text_does_not_grow_without_end() {
        let mut text = None;
        for number in 0..1_000 {
            text = with_reason(text.as_deref(), &format!("cutter {number}"), &"x".repeat(100));
        }
        let text = text.unwrap();
        assert!(text.len() <= MAX_TEXT && text.contains("cutter 999: "), "{}", text.len());
    }
}
