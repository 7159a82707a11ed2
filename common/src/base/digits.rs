//! Printing whole numbers quickly: names and playlists hold hundreds of thousands of them.

/// The most digits that a `u64` can have.
const MAX_DIGITS: usize = 20;

/// Appends `value` in decimal, with zeros in front to at least `width` digits (at most 20).
pub fn push_padded(out: &mut String, value: u64, width: usize) {
    let mut digits = [b'0'; MAX_DIGITS];
    let (mut at, mut rest) = (MAX_DIGITS, value);
    while rest > 0 {
        at -= 1;
        digits[at] += u8::try_from(rest % 10).expect("a digit fits");
        rest /= 10;
    }
    let first = at.min(MAX_DIGITS - width.clamp(1, MAX_DIGITS));
    out.push_str(str::from_utf8(&digits[first..]).expect("digits are text"));
}

/// Appends `value` in decimal.
pub fn push_number(out: &mut String, value: u64) {
    push_padded(out, value, 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_the_standard_library_prints_them() {
        for value in [0, 7, 10, 59, 999_999, 1_000_000, u64::MAX] {
            for width in [0, 1, 2, 6, 20] {
                let mut out = String::from("x");
                push_padded(&mut out, value, width);
                assert_eq!(out, format!("x{value:0width$}"), "{value} in {width}");
            }
        }
    }
}
