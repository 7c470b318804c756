//! Words for a number that is missing.

/// They count in any case of letters: what pandas and R write and read, and what databases,
/// spreadsheets and SAS leave.
const MISSING: [&str; 21] = [
    "na", "n/a", "<na>", "#n/a", "#n/a n/a", "#na", "nan", "+nan", "-nan", "nat", "null", "nil",
    "none", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "\\n", "?", "-", ".",
];

/// Whether a trimmed cell holds nothing, or a word for it.
pub(crate) fn is_missing(cell: &[u8]) -> bool {
    cell.is_empty() || MISSING.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(cell))
}

#[cfg(test)]
mod tests {
    use super::is_missing;

    #[test]
    fn words() {
        // pandas.read_csv's own list (2.2), then ours.
        let pandas = "|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|\
                      NULL|NaN|None|n/a|nan|null";
        for word in pandas.split('|').chain(["NaT", "nil", "\\N", "?", "-", "."]) {
            assert!(is_missing(word.as_bytes()), "{word}");
        }
        for word in ["0", "none of it", "--", "n", "no", "inf", "x"] {
            assert!(!is_missing(word.as_bytes()), "{word}");
        }
    }
}
