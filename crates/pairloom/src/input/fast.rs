//! Plain lines of the sparse formats in one pass over their bytes.
//!
//! Eight bytes are looked at at a time: where their digits end and what number they are takes a few
//! operations on one word, whatever the number of digits, and no branch that depends on it. What is
//! not plain (comments, `qid`, exponents, long numbers, anything wrong) is left to the slow way.

use super::lines::MAX_ITEMS;
use super::sparse::Grammar;
use super::{Pair, RawRow};

/// Bytes behind a record that may be looked at and are no digits.
const PADDING: [u8; 8] = [0; 8];

/// Powers of 10 that an `f64` holds exactly, as far as they are needed.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Parses the line in `row`; `false` leaves it as it was, for the slow way.
pub(super) fn parse(grammar: Grammar, row: &mut RawRow) -> bool {
    row.text.extend_from_slice(&PADDING);
    let parsed = line(grammar, row).is_some();
    row.text.truncate(row.text.len() - PADDING.len());
    if !parsed {
        row.cells.clear();
        row.pairs.clear();
    }
    parsed
}

#[inline]
fn line(grammar: Grammar, row: &mut RawRow) -> Option<()> {
    let RawRow { text, record_len, cells, pairs, .. } = row;
    let (text, end) = (&text[..], *record_len);
    let mut at = text.iter().position(|byte| !is_plain(*byte))?;
    if text[at] == b':' {
        at = 0;
    } else if at == 0 {
        return None;
    }
    cells.extend([0..at, 0..0]);
    loop {
        let start = at;
        while matches!(text[at], b' ' | b'\t') {
            at += 1;
        }
        if at >= end {
            return (at == end && pairs.len() <= MAX_ITEMS).then_some(());
        }
        if at == start && at > 0 {
            return None;
        }
        let field = match grammar {
            Grammar::Libsvm => 0,
            Grammar::Libffm => u32::try_from(integer(text, &mut at)?).ok()?,
        };
        let index = integer(text, &mut at)?;
        let value = float(text, &mut at)?;
        pairs.push(Pair { field, index, value });
    }
}

/// What labels are made of, but for those that the slow way reads.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_')
}

/// An integer of at most 15 digits with a colon behind it, which is taken too.
#[inline(always)]
fn integer(text: &[u8], at: &mut usize) -> Option<u64> {
    let (number, count) = digits(text, *at)?;
    *at += count + 1;
    (count > 0 && text.get(*at - 1) == Some(&b':')).then_some(number)
}

/// A number of at most 15 digits without an exponent.
#[inline(always)]
fn float(text: &[u8], at: &mut usize) -> Option<f32> {
    let sign = *text.get(*at)?;
    // Nearly all values are one digit. A branch that is foreseen lets the next pair begin before the
    // end of this one is worked out.
    if sign.is_ascii_digit() && matches!(text.get(*at + 1), Some(b' ' | b'\n')) {
        *at += 1;
        return Some(f32::from(sign - b'0'));
    }
    *at += usize::from(matches!(sign, b'-' | b'+'));
    let (whole, count) = digits(text, *at)?;
    *at += count;
    let value = if text.get(*at) == Some(&b'.') {
        let (part, places) = digits(text, *at + 1)?;
        *at += 1 + places;
        if count + places == 0 || count + places > 15 {
            return None;
        }
        narrow((whole * POWERS[places] as u64 + part) as f64 / POWERS[places])?
    } else {
        // Whole numbers of more bits than an f32 has are rounded once, as the others are.
        (count > 0).then_some(whole as f32)?
    };
    Some(if sign == b'-' { -value } else { value })
}

/// The nearest `f32` of a quotient that was rounded to `f64`, unless it is so near to the middle
/// between two `f32` that the rounding may have hidden on which side it lies.
#[inline(always)]
fn narrow(quotient: f64) -> Option<f32> {
    const BELOW: u64 = (1 << 29) - 1;
    let below = quotient.to_bits() & BELOW;
    (below.abs_diff(1 << 28) > 1).then_some(quotient as f32)
}

/// The number that the digits at `at` are and how many they are; `None` for more than 15.
#[inline(always)]
fn digits(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let (first, count) = eight(text, at)?;
    if count < 8 {
        return Some((first, count));
    }
    let (second, more) = eight(text, at + 8)?;
    (more < 8).then(|| (first * POWERS[more] as u64 + second, 8 + more))
}

/// The same for at most the next 8 bytes.
#[inline(always)]
fn eight(text: &[u8], at: usize) -> Option<(u64, usize)> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let bytes = text.get(at..at + 8)?;
    let word = u64::from_le_bytes(bytes.try_into().ok()?) ^ (EACH * u64::from(b'0'));
    // A byte that is no digit has its highest bit here; carries only go to bytes behind it.
    let odd = (word | word.wrapping_add(EACH * 118)) & (EACH * 128);
    let count = (odd.trailing_zeros() / 8) as usize;
    if count == 0 {
        return Some((0, 0));
    }
    // The digits move to the end of the word, with zeros before them.
    Some((number(word << (64 - 8 * count)), count))
}

/// The number of 8 digits, the first of them in the lowest byte: neighbours are joined three times.
#[inline(always)]
fn number(digits: u64) -> u64 {
    let twos = (digits.wrapping_mul(10) + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(100) + (twos >> 16)) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn padded(text: &str) -> Vec<u8> {
        [text.as_bytes(), b" ", &PADDING].concat()
    }

    /// To the bit what the standard library says, or left to it.
    fn check(text: &str) -> bool {
        let mut at = 0;
        let found = float(&padded(text), &mut at).filter(|_| at == text.len());
        let expected: f32 = text.parse().unwrap();
        assert!(found.is_none_or(|x| x.to_bits() == expected.to_bits()), "{text}: {found:?}");
        found.is_some()
    }

    #[test]
    fn usual_numbers_are_read_here() {
        for text in
            "0|1|-1|+3|.5|2.|-0|-0.0|0.25|16777217|999999999999999|0.1234567|3.14159".split('|')
        {
            assert!(check(text), "{text}");
        }
        for text in ["1e3", "1234567890123456", "0.1234567890123456", "1.00000005960464477"] {
            assert!(!check(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn numbers_are_those_of_the_standard_library(
            whole in 0u64..100_000_000, part in 0u64..100_000_000, cut in 0u32..9, minus in any::<bool>(),
        ) {
            let (whole, part) = (whole / 10u64.pow(cut), part / 10u64.pow(8 - cut));
            let sign = if minus { "-" } else { "" };
            check(&format!("{sign}{whole}.{part}"));
            check(&format!("{sign}{whole}{part}"));
        }

        /// What is parsed here, the slow way parses to the same cells and pairs.
        #[test]
        fn lines_are_those_of_the_slow_way(
            tokens in prop::collection::vec(prop::sample::select(vec![
                "1", "-1", "yes", "3:4", "12345678:1", "7:.5", "2:3:4", "0:123456789:-2.25", "qid:3",
                "#", "x:1", "1:", ":1", "1:1e3", "\t", "1:2:3:4", "1:1\0", "1,2",
            ]), 0..6),
            ffm in any::<bool>(),
        ) {
            let grammar = if ffm { Grammar::Libffm } else { Grammar::Libsvm };
            let text = tokens.join(" ");
            let filled = || {
                let mut row = RawRow::new();
                row.text = format!("{text}\n").into_bytes();
                row.record_len = text.len();
                row
            };
            let (mut fast, mut slow) = (filled(), filled());
            let is_fast = parse(grammar, &mut fast);
            prop_assert_eq!(&fast.text, &slow.text);
            if is_fast {
                prop_assert!(crate::input::lines::refuse_controls(&slow).is_ok());
                prop_assert_eq!(grammar.parse(&mut slow), Ok(true));
                prop_assert_eq!(&fast.pairs, &slow.pairs);
                let cells = |row: &RawRow| row.cells.iter().map(|c| row.text[c.clone()].to_vec()).collect::<Vec<_>>();
                prop_assert_eq!(cells(&fast), cells(&slow));
            } else {
                prop_assert!(fast.cells.is_empty() && fast.pairs.is_empty());
            }
        }

        #[test]
        fn shown_floats_come_back(x in any::<f32>().prop_filter("finite", |x| x.is_finite())) {
            check(&format!("{x}"));
        }

        /// Halves between two floats, where rounding twice goes wrong.
        #[test]
        fn halves(bits in 0x3f00_0000u32..0x4100_0000, digits in 6usize..15) {
            let (low, high) = (f32::from_bits(bits), f32::from_bits(bits + 1));
            check(&format!("{:.*}", digits, (f64::from(low) + f64::from(high)) / 2.0));
        }

        #[test]
        fn integers(number in any::<u64>(), cut in 0u32..20, behind in any::<u8>()) {
            let number = number / 10u64.pow(cut);
            let mut text = padded(&number.to_string());
            let len = number.to_string().len();
            text[len] = behind;
            if !behind.is_ascii_digit() {
                let found = digits(&text, 0);
                prop_assert!(found.is_none_or(|found| found == (number, len)));
                prop_assert_eq!(found.is_some(), len < 16);
            }
        }
    }
}
