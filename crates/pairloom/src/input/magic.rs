//! What a file is by its first bytes, if it is something that cannot be read as it is.

/// Bytes that are looked at first. A pipe may bring no more for a while.
pub(super) const FIRST: usize = 4;
/// Bytes that are looked at where the first four are also letters of ordinary text.
pub(super) const MORE: usize = 16;

/// How a file of `pairloom convert` begins.
pub(crate) const CONVERTED: &[u8; 15] = b"pairloom rows\x1a\n";

const PACKED: &str = "unpack it, or pipe it in unpacked, with - for its name";

/// Whether four bytes are too few to tell.
pub(super) fn is_open(first: &[u8]) -> bool {
    [&b"PAR1"[..], b"ARRO", b"FEA1", b"BZh", b"pair"]
        .iter()
        .any(|letters| first.starts_with(letters))
}

/// What the file is and what to do about it; `None` if it may be text.
pub(super) fn unreadable(head: &[u8]) -> Option<String> {
    let table = |name: &str, reader: &str| {
        format!(
            "a {name} file: save it as Parquet, as with pandas.{reader}(..).to_parquet(..), or as CSV"
        )
    };
    let packed = |name: &str| format!("packed by {name}; gzip and zstd can be read: {PACKED}");
    match head {
        _ if head.starts_with(CONVERTED) => Some(
            "rows that pairloom convert has made: they are read from a file, by its name and as it is"
                .into(),
        ),
        [b'P', b'A', b'R', b'1', 0x15, ..] => Some(
            "Parquet, of which the end is read first: give the file as it is, unpacked and by its name".into(),
        ),
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, ..] | [b'F', b'E', b'A', b'1', 0, ..] => {
            Some(table("Feather or Arrow", "read_feather"))
        }
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => Some(packed("bzip2")),
        [0xfd, b'7', b'z', b'X', ..] => Some(packed("xz")),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some(packed("lz4")),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Some(format!(
            "a zip archive, or a spreadsheet, which is one: {PACKED}, or save the sheet as CSV"
        )),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("UTF-16 text: save it as UTF-8, as with iconv -f UTF-16 -t UTF-8".into())
        }
        // A name in square brackets begins a header of some databases; these begin JSON.
        [b'{', b'"' | b' ' | b'\n' | b'\r' | b'\t', ..]
        | [b'[', b'{' | b'[' | b'"' | b' ' | b'\n' | b'\r' | b'\t', ..] => {
            Some("JSON: save it as CSV, as with pandas.read_json(.., lines=True).to_csv(..)".into())
        }
        // The length of a header, as of a model: it may have a byte that ends a line.
        [_, _, 0, 0, ..] => Some("no text, but perhaps a model: give rows of text here".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_may_begin_like_a_file_of_another_kind() {
        for text in [
            "",
            "a",
            "PAR1",
            "PAR1,PAR2\n",
            "pairloom rows,x\n",
            "ARROW,x\n",
            "ARROW1,\n",
            "FEA1,FEA2\n",
            "BZh9,x,y\n",
            "PK,x\n",
            "[id],[y]\n",
            "{}",
            "{a},b\n",
            "7z,x\n",
            "\u{feff}y,x\n",
        ] {
            assert_eq!(unreadable(text.as_bytes()), None, "{text}");
        }
    }
}
