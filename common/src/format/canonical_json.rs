//! The one text form of a JSON value, the same on every node: keys sorted, ASCII alone, no blanks.
//!
//! Nodes of the Python implementation write it too, and the names of chat batches hold its hash. So
//! numbers are written as Python's `repr` writes them: `1e-05`, not `1e-5`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// The canonical text of `value`, whose maps must be sorted already, as [`serde_json::Value`]'s are.
pub fn to_string(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Canonical);
    value.serialize(&mut serializer).expect("a JSON value can be written to memory");
    String::from_utf8(text).expect("all of it is ASCII")
}

struct Canonical;

impl Formatter for Canonical {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let text = shortest(value);
        let (digits, exponent) = text.split_once('e').expect("this form has an exponent");
        if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
            // as many digits as are needed, but at least one after the point
            let exponent: i32 = exponent.parse().expect("it was printed as a number");
            let places = usize::try_from(fraction_digits(digits) - exponent).unwrap_or(0).max(1);
            return write!(writer, "{value:.places$}");
        }
        match exponent.strip_prefix('-') {
            Some(exponent) => write!(writer, "{digits}e-{exponent:0>2}"),
            None => write!(writer, "{digits}e+{exponent:0>2}"),
        }
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = fragment;
        while let Some(at) = plain.find(|character| !matches!(character, ' '..='~')) {
            let (before, rest) = plain.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut rest = rest.chars();
            // beyond 16 bits it is a surrogate pair (RFC 8259 §7)
            for unit in rest.next().unwrap_or_default().encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = rest.as_str();
        }
        writer.write_all(plain.as_bytes())
    }
}

/// `value` in the fewest digits that read back as it, with an exponent. Where two texts are equally
/// short and equally near, the one with the even last digit, which is not what `{:e}` alone prints.
fn shortest(value: f64) -> String {
    let text = format!("{value:e}");
    let (digits, _) = text.split_once('e').expect("this form has an exponent");
    let places = usize::try_from(fraction_digits(digits)).unwrap_or(0);
    let even = format!("{value:.places$e}");
    if even.parse() == Ok(value) { even } else { text }
}

/// How many digits `digits` has after its point.
fn fraction_digits(digits: &str) -> i32 {
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    i32::try_from(fraction).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn numbers_are_as_python_writes_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (2.0, "2.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (2.5e-7, "2.5e-07"),
            (-1.5e-300, "-1.5e-300"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1e22, "1e+22"),
            (123_456.0, "123456.0"),
            (0.1, "0.1"),
            // a tie between …312 and …313
            (0.916_999_816_894_531_3, "0.9169998168945312"),
            (5e-324, "5e-324"),
            (1_731_174_853.344, "1731174853.344"),
        ] {
            assert_eq!(to_string(&value), expected);
        }
        assert_eq!(to_string(&json!(0)), "0", "a whole number stays one");
    }

    #[test]
    fn text_is_ascii_and_keys_are_sorted_at_every_depth() {
        let value: Value =
            serde_json::from_str(r#"{"b":{"z":1,"é":2,"a":3},"a":"\u00e9❤😀\"\\\n\u007f\u0001/"}"#)
                .unwrap();
        let expected =
            r#"{"a":"\u00e9\u2764\ud83d\ude00\"\\\n\u007f\u0001/","b":{"a":3,"z":1,"\u00e9":2}}"#;
        assert_eq!(to_string(&value), expected);
    }
}
