//! What strangers say, made fit for a line of the log.

/// How much of it is kept, in characters.
const MAX_CHARS: usize = 300;

/// `text` in one line without control characters, runs of blanks as one, cut where it gets long.
pub(crate) fn clean(text: &str) -> String {
    let plain = |c: char| if is_plain(c) { c } else { ' ' };
    // enough of a text without end
    let begin: String = text.chars().take(8 * MAX_CHARS).map(plain).collect();
    let words: Vec<&str> = begin.split_whitespace().collect();
    let line = words.join(" ");
    let cut = line.chars().count() > MAX_CHARS;
    let kept: String = line.chars().take(MAX_CHARS).collect();
    if cut { kept + "…" } else { kept }
}

/// Neither a control character nor one that turns or hides what is beside it.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_words_is_left() {
        assert_eq!(clean(" a\tb\r\nc \u{1b}[31mred\u{7}\u{202e} "), "a b c [31mred");
        assert_eq!(clean(""), "");
        assert_eq!(clean("Älter als 18?"), "Älter als 18?");
    }

    #[test]
    fn a_long_text_is_cut() {
        let cut = clean(&"ä".repeat(100_000));
        assert_eq!(cut.chars().count(), MAX_CHARS + 1);
        assert!(cut.ends_with('…'));
        assert_eq!(clean(&"b".repeat(MAX_CHARS)).len(), MAX_CHARS);
    }
}
