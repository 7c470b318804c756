//! Numbers from bytes, the same in all formats.
//!
//! The standard library's parser is exact and fast, but it also takes `nan`, `inf` and
//! `infinity`. One such value makes every weight it touches NaN, so here a number consists of
//! digits, a sign, a point and an exponent, and is finite.

use super::missing::is_missing;
use std::str::{self, FromStr};

/// Parses a finite decimal number, with blanks around it allowed: `-1`, `+.5`, `2.`, `1e-3`.
///
/// `None` for everything else: an empty text, `nan`, `inf`, hexadecimal, digits grouped by `_` or
/// `,`, and numbers beyond the range of `f64`. A number too small for `f64` is zero.
///
/// ```
/// # use pairloom::input::parse_number;
/// assert_eq!(parse_number(b" 1.5e2 "), Some(150.0));
/// assert_eq!(parse_number(b"nan"), None);
/// ```
pub fn parse_number(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    match small(text) {
        Some(number) => Some(f64::from(number)),
        None => parse::<f64>(text).filter(|number| number.is_finite()),
    }
}

/// Reads a cell of a numeric column: NaN if it is missing, `None` if it is no finite number.
pub(crate) fn parse_cell(cell: &[u8]) -> Option<f64> {
    let trimmed = cell.trim_ascii();
    parse_number(trimmed).or_else(|| is_missing(trimmed).then_some(f64::NAN))
}

/// A finite `f32`, without blanks. Not by way of `f64`, which would round twice.
pub(super) fn parse_f32(text: &[u8]) -> Option<f32> {
    match small(text) {
        // Up to 6 digits: exact.
        Some(number) => Some(number as f32),
        None => parse::<f32>(text).filter(|number| number.is_finite()),
    }
}

/// Whether the text is a number, but one too large for `f32`.
pub(super) fn overflows_f32(text: &[u8]) -> bool {
    parse::<f32>(text).is_some_and(f32::is_infinite)
}

/// An unsigned integer of digits alone. Wider than 64 bits is refused, never cut.
pub(super) fn parse_u64(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Up to six digits and nothing else, as most values are.
fn small(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 6 {
        return None;
    }
    text.iter().try_fold(0u32, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| number * 10 + u32::from(digit))
    })
}

fn parse<T: FromStr>(text: &[u8]) -> Option<T> {
    let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.iter().all(plain) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let cases: &[(&str, Option<f64>)] = &[
            ("0", Some(0.0)),
            ("000012", Some(12.0)),
            ("1234567", Some(1234567.0)),
            ("-3", Some(-3.0)),
            ("+3.5", Some(3.5)),
            (".5", Some(0.5)),
            ("2.", Some(2.0)),
            ("1e3", Some(1000.0)),
            ("1E-3", Some(0.001)),
            ("\t 7 ", Some(7.0)),
            ("1e-400", Some(0.0)),
            ("1e39", Some(1e39)),
            ("18446744073709551616", Some(18446744073709551616.0)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_number(text.as_bytes()), *expected, "{text}");
        }
        let refused = "|+|-|.|e5|1e|1e+|--1|1 2|1_000|1,5|0x10|nan|NaN|inf|-inf|infinity|1e400|1f";
        for text in refused.split('|') {
            assert_eq!(parse_number(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_number(b"\xff"), None);
    }

    #[test]
    fn narrow_numbers() {
        assert_eq!(parse_f32(b"1e-40"), Some(1e-40));
        assert_eq!(parse_f32(b"1e39"), None);
        assert!(overflows_f32(b"1e39") && overflows_f32(b"-1e400") && !overflows_f32(b"inf"));
        // Halfway between two f32 but for a digit beyond f64: rounding twice would go down.
        let text = "1.000000059604644775390625000000001";
        assert_eq!(parse_f32(text.as_bytes()), text.parse().ok());
        assert_ne!(parse_f32(text.as_bytes()), parse_number(text.as_bytes()).map(|x| x as f32));
    }

    #[test]
    fn integers() {
        assert_eq!(parse_u64(b"4294967299"), Some(4294967299));
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
        for text in ["", "18446744073709551616", "-1", "+1", "1.0", "0x1", " 1"] {
            assert_eq!(parse_u64(text.as_bytes()), None, "{text}");
        }
    }
}
