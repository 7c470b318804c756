//! Numbers as spreadsheets and forms write them, which are no numbers here: what to tell.

/// How a text that is no number spells one, and what to do; `None` if it does not seem to.
pub(crate) fn spelled(text: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if is_date(text) {
        return Some("a date: make it a number, as days since some day, or columns of its parts");
    }
    let bare = text.trim_matches(|c: char| "$€£¥₹%".contains(c) || c.is_whitespace());
    let is_number = |text: &str| super::parse_number(text.as_bytes()).is_some();
    if bare.len() < text.len() && (is_number(bare) || spelled(bare.as_bytes()).is_some()) {
        return Some("a number with a sign of currency or percent: leave that out");
    }
    if is_number(text) {
        return None;
    }
    let parts: Vec<&str> = text.split([',', '.', ' ', '\'', '_', '\u{a0}', '\u{202f}']).collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(digits) {
        return None;
    }
    match parts[..] {
        [_, thousands] if text.contains(',') && thousands.len() == 3 => {
            Some("a number with a comma: write a point, or leave it out between thousands")
        }
        [_, _] if text.contains(',') => Some("a number with a decimal comma: write a point"),
        [_, ref more @ .., last] if more.iter().all(|part| part.len() == 3) => {
            (last.len() == 3 || !more.is_empty()).then_some(
                "a number with separators of thousands: leave them out, and write a decimal point",
            )
        }
        _ => None,
    }
}

/// The same for a number with a comma in it; `None` for all else.
pub(crate) fn with_comma(text: &[u8]) -> Option<&'static str> {
    let plain = |byte: &u8| byte.is_ascii_digit() || b"+-.,".contains(byte);
    let found = text.contains(&b',') && text.iter().all(plain);
    found.then(|| spelled(text)).flatten()
}

/// `2024-05-17`, `17.05.2024`, `5/17/24`, with or without a time behind it.
fn is_date(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    ['-', '/', '.'].into_iter().any(|sign| {
        let parts: Vec<&str> = day.split(sign).collect();
        let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        parts.iter().all(digits) && matches!(lengths[..], [4, 1..=2, 1..=2] | [1..=2, 1..=2, 2 | 4])
    })
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn spellings() {
        let cases = [
            ("decimal comma", "1,5|-0,25|12345,6|1,2345"),
            ("with a comma", "1,234|-12,345"),
            ("of thousands", "1,234,567|1.234,56|1 234|1'234.5|1_000|1,234.50"),
            ("currency", "$5|€ 1.50|12 %|£1,234|-$3"),
            ("a date", "2024-05-17|17.05.2024|5/17/24|2024-05-17 12:30:00|2024-05-17T12:30Z"),
        ];
        for (expected, texts) in cases {
            for text in texts.split('|') {
                let found = spelled(text.as_bytes()).unwrap_or("nothing");
                assert!(found.contains(expected), "{text}: {found}");
            }
        }
        for text in
            "|-|abc|7|0.125|-0.003|1.234|12 5|1.2.3|12:30|1.5.x|,5|5,|1-2|$|nan|0x10|1e400|192.168.0.1x|a,b".split('|')
        {
            assert_eq!(spelled(text.as_bytes()), None, "{text}");
        }
    }
}
