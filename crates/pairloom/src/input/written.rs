//! Numbers as text.

use std::io::Write;

/// Whole numbers up to here are exact as floats.
const EXACT: f64 = (1u64 << 53) as f64;

/// Writes a whole number of this sign and size.
#[inline]
pub(crate) fn write_whole(is_negative: bool, mut size: u64, text: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (size % 10) as u8;
        size /= 10;
        if size == 0 {
            break;
        }
    }
    if is_negative {
        text.push(b'-');
    }
    text.extend_from_slice(&digits[at..]);
}

/// Writes the shortest text with the bits of a finite number; nothing if it is missing.
#[inline]
pub(super) fn write_number(number: f64, text: &mut Vec<u8>) {
    let is_whole = number.fract() == 0.0 && number.abs() < EXACT;
    if is_whole && !(number == 0.0 && number.is_sign_negative()) {
        // Most numbers are, and this is many times faster.
        write_whole(number < 0.0, number.abs() as u64, text);
    } else if !number.is_nan() {
        // Writing to a Vec cannot fail.
        let _ = write!(text, "{number}");
    }
}

#[cfg(test)]
mod tests {
    use super::write_number;
    use proptest::prelude::*;

    fn written(number: f64) -> String {
        let mut text = Vec::new();
        write_number(number, &mut text);
        String::from_utf8(text).unwrap_or_default()
    }

    proptest! {
        #[test]
        fn numbers_are_written_as_the_standard_library_does(bits: u64, whole: i64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            prop_assert_eq!(written(number), number.to_string());
            let whole = (whole >> (whole & 63)) as f64;
            prop_assert_eq!(written(whole), whole.to_string());
        }
    }

    #[test]
    fn zeros_keep_their_sign_and_what_is_missing_is_nothing() {
        assert_eq!(
            [0.0, -0.0, f64::NAN, 9e15, -9e15].map(written),
            ["0", "-0", "", "9000000000000000", "-9000000000000000"]
        );
    }
}
