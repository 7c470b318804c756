//! Text of a file in messages.

/// Characters of it that are shown.
const LONGEST: usize = 40;

/// The text, or its beginning.
pub(crate) fn shown(text: &[u8]) -> String {
    // As many bytes are enough to tell whether there is more.
    let head = String::from_utf8_lossy(text.get(..4 * (LONGEST + 1)).unwrap_or(text));
    match head.char_indices().nth(LONGEST) {
        None => head.into_owned(),
        Some((end, _)) => format!("{}...", &head[..end]),
    }
}

/// The text in quotes, or that there is none.
pub(crate) fn quoted(text: impl AsRef<[u8]>) -> String {
    match text.as_ref() {
        text if text.trim_ascii().is_empty() => "an empty cell".into(),
        text => format!("'{}'", shown(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn any_text_is_short() {
        let long = "\u{65e5}".repeat(41);
        let cases: [(&[u8], &str); 5] = [
            (b"it's", "'it's'"),
            (b" \t", "an empty cell"),
            (b"\xff", "'\u{fffd}'"),
            (&long.as_bytes()[3..], &format!("'{}'", &long[3..])),
            (long.as_bytes(), &format!("'{}...'", &long[3..])),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected);
        }
        assert_eq!(quoted([0xff; 500]), format!("'{}...'", "\u{fffd}".repeat(40)));
    }
}
