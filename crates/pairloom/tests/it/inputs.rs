//! The hostile corpus: what each reader makes of odd, broken and malicious input.
//!
//! A case is an input and one line for each call of `read`. A line that starts with `!` is an
//! error: `!line:column text`, where the message must begin at that place and contain the text;
//! `!!` is an error that ends the input. Any other line is a row: its cells joined by `|`, then
//! `field/index=value` for each pair. Every case is also read compressed, through a file, and with
//! a byte order mark, which must change nothing.

use crate::common::{csv, gzip, options};
use pairloom::Error;
use pairloom::input::{self, Format, FormatName, OpenOptions, RawRow, Reader};
use std::fs;

type Case = (&'static str, &'static [u8], &'static [&'static str]);

const LIBSVM: &[Case] = &[
    ("plain", b"1 1:0.5 7:2\n-1 3:1\n", &["1| 0/1=0.5 0/7=2", "-1| 0/3=1"]),
    ("no final newline", b"1 1:1\n0 2:25", &["1| 0/1=1", "0| 0/2=25"]),
    ("CRLF", b"1 1:1\r\n0 2:1\r\n", &["1| 0/1=1", "0| 0/2=1"]),
    ("a lone CR", b"1 1:1\r0 2:1\n1 1:1\n", &["!1:6 carriage return", "1| 0/1=1"]),
    ("CR before CRLF", b"1 1:1\r\r\n", &["!1:6 carriage return"]),
    ("empty file", b"", &[]),
    ("one newline", b"\n", &[]),
    ("empty and blank lines", b"\n1 1:1\n\n \t\n0 1:1\n\n", &["1| 0/1=1", "0| 0/1=1"]),
    ("comments", b"# head\n1 1:1 # tail 2:x\n #x\n", &["1| 0/1=1"]),
    ("comment without a blank", b"1 1:1#2:1\n", &["1| 0/1=1"]),
    ("comment after the label", b"1# 1:1\n", &["1|"]),
    ("tabs and runs of blanks", b"1\t1:1  \t 2:2\n", &["1| 0/1=1 0/2=2"]),
    ("leading and trailing blanks", b"  1 1:1 \t \n", &["1| 0/1=1"]),
    ("label only", b"1\n", &["1|"]),
    ("no label", b"1:1 2:1\n", &["| 0/1=1 0/2=1"]),
    (
        "label as text",
        b"spam 1:1\nnan 1:1\n1,3 1:1\n",
        &["spam| 0/1=1", "nan| 0/1=1", "1,3| 0/1=1"],
    ),
    ("qid", b"1 qid:12 1:1\n2 qid:12\n", &["1|12 0/1=1", "2|12"]),
    ("qid without a label", b"qid:3 1:1\n", &["|3 0/1=1"]),
    ("qid not first", b"1 1:1 qid:3\n", &["!1:7 index qid is not"]),
    ("qid of text", b"1 qid:x 1:1\n", &["!1:7 qid x is not"]),
    ("qid negative", b"1 qid:-1 1:1\n", &["!1:7 qid -1 is not"]),
    ("qid empty", b"1 qid: 1:1\n", &["!1:7 qid  is not"]),
    ("index 0", b"1 0:1\n", &["1| 0/0=1"]),
    ("unordered", b"1 9:1 2:1\n", &["1| 0/9=1 0/2=1"]),
    ("duplicates", b"1 2:1 2:3\n", &["1| 0/2=1 0/2=3"]),
    ("leading zeros", b"1 007:01.50\n", &["1| 0/7=1.5"]),
    (
        "number forms",
        b"1 1:+1 2:-.5 3:2. 4:1E2 5:1e-3\n",
        &["1| 0/1=1 0/2=-0.5 0/3=2 0/4=100 0/5=0.001"],
    ),
    ("index 2^32+3", b"1 4294967299:1\n", &["1| 0/4294967299=1"]),
    ("index 2^64-1", b"1 18446744073709551615:1\n", &["1| 0/18446744073709551615=1"]),
    ("index 2^64", b"1 18446744073709551616:1\n", &["!1:3 does not fit in 64 bits"]),
    ("index of 40 digits", b"1 9999999999999999999999999999999999999999:1\n", &["!1:3 64 bits"]),
    ("index -1", b"1 -1:1\n", &["!1:3 negative index -1"]),
    ("index +1", b"1 1:1 +2:1\n", &["!1:7 index +2 is not"]),
    ("index 1.5", b"1 1.5:1\n", &["!1:3 index 1.5 is not"]),
    ("index 0x1", b"1 0x1:1\n", &["!1:3 index 0x1 is not"]),
    ("index of text", b"1 a:1\n1 1:1\n", &["!1:3 index a is not", "1| 0/1=1"]),
    ("nan", b"1 1:1\n1 2:nan\n", &["1| 0/1=1", "!2:5 value nan is not a finite number"]),
    ("inf", b"1 1:inf\n", &["!1:5 value inf is not a finite number"]),
    ("-Infinity", b"1 1:-Infinity\n", &["!1:5 value -Infinity is not a finite number"]),
    ("1e400", b"1 1:1e400\n", &["!1:5 value 1e400 is too large"]),
    ("1e39", b"1 1:1e39\n", &["!1:5 value 1e39 is too large"]),
    ("1e38", b"1 1:1e38\n", &["1| 0/1=1e38"]),
    ("1e-40 and 1e-400", b"1 1:1e-40 2:1e-400\n", &["1| 0/1=1e-40 0/2=0"]),
    ("value of text", b"1 1:one\n", &["!1:5 value one is not a finite number"]),
    ("value with a tail", b"1 1:1x\n", &["!1:5 value 1x is not"]),
    ("value in hexadecimal", b"1 1:0x1p3\n", &["!1:5 value 0x1p3 is not"]),
    ("decimal comma", b"1 1:1,5\n", &["!1:5 value 1,5 is not"]),
    ("no value", b"1 1:\n", &["!1:5 no value in '1:'"]),
    ("no index", b"1 :1\n", &["!1:3 no index in ':1'"]),
    ("a colon alone", b"1 :\n", &["!1:3 no index in ':'"]),
    ("an index alone", b"1 5\n", &["!1:3 expected index:value, found '5'"]),
    ("a blank before the colon", b"1 1 :1\n", &["!1:3 expected index:value, found '1'"]),
    ("a blank after the colon", b"1 1: 1\n", &["!1:5 no value"]),
    ("three numbers", b"1 1:2:3\n", &["!1:3 found '1:2:3' (field:index:value is libffm)"]),
    ("many colons", b"1 1:2:3:4:5\n", &["!1:3 found '1:2:3:4:5'"]),
    ("NUL in front", b"\x001 1:1\n1 1:1\n", &["!1:1 a NUL byte", "1| 0/1=1"]),
    ("NUL in a value", b"1 1:1\x00\n", &["!1:6 a NUL byte"]),
    ("NUL bytes", b"1\x00 \x001\x00:\x001\x00\n\x00", &["!1:2 UTF-16", "!2:1 NUL"]),
    ("invalid UTF-8", b"1 \xff\xfe:1\n", &["!1:3 index \u{fffd}\u{fffd} is not"]),
    ("control characters", b"1 1:1\x1b[2J\n", &["!1:5 value 1\\u{1b}[2J is not"]),
    ("another kind of blank", b"1\x0b1:1\n", &["!1:1 index 1\\u{b}1 is not"]),
    (
        "fields of a csv",
        b"1,2,3\n",
        &["!1:1 '1,2,3' is no line of libsvm: is this a CSV separated"],
    ),
];

const LIBFFM: &[Case] = &[
    ("plain", b"1 0:1:0.5 3:7:2\n0 1:2:1\n", &["1| 0/1=0.5 3/7=2", "0| 1/2=1"]),
    ("no final newline", b"1 0:1:25", &["1| 0/1=25"]),
    ("CRLF", b"1 0:1:1\r\n0 0:2:1\r\n", &["1| 0/1=1", "0| 0/2=1"]),
    ("a lone CR", b"1 0:1:1\r0 0:1:1\n1 0:1:1\n", &["!1:8 carriage return", "1| 0/1=1"]),
    ("empty file", b"", &[]),
    ("empty and blank lines", b"\n1 0:1:1\n\n \t\n", &["1| 0/1=1"]),
    ("tabs and runs of blanks", b"1\t0:1:1  \t 0:2:2\n", &["1| 0/1=1 0/2=2"]),
    ("leading and trailing blanks", b"  1 0:1:1 \t \n", &["1| 0/1=1"]),
    ("label only", b"1\n", &["1|"]),
    ("no label", b"0:1:1\n", &["| 0/1=1"]),
    ("a comment", b"# head\n1 0:1:1\n", &["!1:1 libffm has no comments", "1| 0/1=1"]),
    ("a comment behind", b"1 0:1:1 # tail\n", &["!1:9 libffm has no comments"]),
    ("a comment first of the pairs", b"1 #0:1:1\n", &["!1:3 libffm has no comments"]),
    ("qid", b"1 qid:3 0:1:1\n", &["!1:3 found 'qid:3'"]),
    ("one feature in two fields", b"1 0:5:1 1:5:1\n", &["1| 0/5=1 1/5=1"]),
    ("duplicates", b"1 0:5:1 0:5:1\n", &["1| 0/5=1 0/5=1"]),
    ("field 2^32-1", b"1 4294967295:1:1\n", &["1| 4294967295/1=1"]),
    ("field 2^32", b"1 4294967296:1:1\n", &["!1:3 field 4294967296 does not fit in 32 bits"]),
    ("field 2^64", b"1 18446744073709551616:1:1\n", &["!1:3 does not fit in 32 bits"]),
    ("field -1", b"1 -1:1:1\n", &["!1:3 negative field -1"]),
    ("field of text", b"1 a:1:1\n", &["!1:3 field a is not"]),
    ("index 2^32+3", b"1 0:4294967299:1\n", &["1| 0/4294967299=1"]),
    ("index 2^64-1", b"1 0:18446744073709551615:1\n", &["1| 0/18446744073709551615=1"]),
    ("index 2^64", b"1 0:18446744073709551616:1\n", &["!1:5 does not fit in 64 bits"]),
    ("index -1", b"1 0:-1:1\n", &["!1:5 negative index -1"]),
    ("index +1", b"1 0:+1:1\n", &["!1:5 index +1 is not"]),
    ("index 1.5", b"1 0:1.5:1\n", &["!1:5 index 1.5 is not"]),
    ("index of text", b"1 0:a:1\n1 0:1:1\n", &["!1:5 index a is not", "1| 0/1=1"]),
    ("nan", b"1 0:1:nan\n", &["!1:7 value nan is not a finite number"]),
    ("inf", b"1 0:1:inf\n", &["!1:7 value inf is not a finite number"]),
    ("1e400", b"1 0:1:1e400\n", &["!1:7 value 1e400 is too large"]),
    ("1e39", b"1 0:1:1e39\n", &["!1:7 value 1e39 is too large"]),
    ("1e-40 and 1e-400", b"1 0:1:1e-40 0:2:1e-400\n", &["1| 0/1=1e-40 0/2=0"]),
    ("negative zero", b"1 0:1:-0\n", &["1| 0/1=-0"]),
    ("value of text", b"1 0:1:x\n", &["!1:7 value x is not"]),
    ("value with a tail", b"1 0:1:1_0\n", &["!1:7 value 1_0 is not"]),
    ("no value", b"1 0:1:\n", &["!1:7 no value in '0:1:'"]),
    ("no index", b"1 0::1\n", &["!1:5 no index in '0::1'"]),
    ("no field", b"1 :1:1\n", &["!1:3 no field in ':1:1'"]),
    ("colons alone", b"1 ::\n", &["!1:3 no field in '::'"]),
    ("two numbers", b"1 1:2\n", &["!1:3 found '1:2' (index:value is libsvm)"]),
    ("four numbers", b"1 1:2:3:4\n", &["!1:3 found '1:2:3:4'"]),
    ("a number alone", b"1 5\n", &["!1:3 found '5'"]),
    ("text alone", b"1 0:1:1 click\n", &["!1:9 found 'click'"]),
    ("a blank inside", b"1 0:1 :1\n", &["!1:3 found '0:1'"]),
    ("NUL in front", b"\x001 0:1:1\n1 0:1:1\n", &["!1:1 a NUL byte", "1| 0/1=1"]),
    ("NUL in a value", b"1 0:1:1\x00\n", &["!1:8 a NUL byte"]),
    ("NUL bytes", b"1\x00\n\x00", &["!1:2 UTF-16", "!2:1 NUL"]),
    ("invalid UTF-8", b"\xff 0:1:\xff\n", &["!1:7 value \u{fffd} is not"]),
];

/// Read with a comma and without a header.
const CSV: &[Case] = &[
    ("plain", b"1,a\n0,b\n", &["1|a", "0|b"]),
    ("no final newline", b"1,a\n0,bc", &["1|a", "0|bc"]),
    ("CRLF", b"1,a\r\n0,b\r\n", &["1|a", "0|b"]),
    ("mixed line ends", b"1,a\r\n0,b\n1,c\r\n", &["1|a", "0|b", "1|c"]),
    ("a lone CR", b"1,a\r0,b\n", &["!1:4 carriage return"]),
    ("a lone CR further down", b"1,a\n0,\rb\n2,c\n", &["1|a", "!2:3 carriage return", "2|c"]),
    ("CR in quotes", b"1,\"a\rb\"\n", &["1|a\\rb"]),
    ("one newline", b"\n", &["!! no rows: the file is empty"]),
    ("empty file", b"", &["!! no rows: the file is empty"]),
    ("empty lines", b"\n1,a\n\n\r\n0,b\n\n", &["1|a", "0|b"]),
    ("empty lines of one column", b"a\n\nb\n\"\"\n", &["a", "b", ""]),
    ("a line of blanks", b"1,a\n  \n", &["1|a", "!2:3 1 cell, expected 2 as in line 1"]),
    ("empty cells", b",,\n1,,3\n", &["||", "1||3"]),
    ("trailing delimiter", b"1,\n0,\n", &["1|", "0|"]),
    ("blanks are kept", b" 1 ,\ta\n", &[" 1 |\\ta"]),
    (
        "too few cells",
        b"1,a,x\n0,b\n1,c,y\n",
        &["1|a|x", "!2:4 2 cells, expected 3 as in line 1", "1|c|y"],
    ),
    (
        "too many cells",
        b"1,a\n0,b,c,d\n1,c\n",
        &["1|a", "!2:5 4 cells, expected 2 as in line 1", "1|c"],
    ),
    ("the first row after empty lines", b"\n\n1,a\n1\n", &["1|a", "!4:2 expected 2 as in line 3"]),
    ("quoted", b"\"1\",\"a\"\n\"0\",b\n", &["1|a", "0|b"]),
    ("quoted delimiter", b"1,\"a,b\"\n", &["1|a,b"]),
    ("quoted newline", b"1,\"a\nb\"\n0,c\n", &["1|a\\nb", "0|c"]),
    ("quoted CRLF", b"1,\"a\r\nb\"\r\n0,c\r\n", &["1|a\\r\\nb", "0|c"]),
    ("quoted empty lines", b"1,\"\n\n\"\n", &["1|\\n\\n"]),
    ("doubled quotes", b"1,\"a \"\"b\"\"\"\n0,\"\"\"\"\n", &["1|a \"b\"", "0|\""]),
    ("quoted empty cell", b"1,\"\"\n", &["1|"]),
    ("quoted cell at the end", b"1,\"a\"", &["1|a"]),
    ("quote inside a cell", b"1,5\" x\n2,a\"b\"\n", &["1|5\" x", "2|a\"b\""]),
    ("blank before a quote", b"1, \"a\"\n", &["1| \"a\""]),
    (
        "text after a quote",
        b"0,b\n1,\"a\"b\n0,c\n",
        &["0|b", "!2:6 text after a closing quote", "0|c"],
    ),
    ("blank after a quote", b"0,b\n\"1\" ,a\n", &["0|b", "!2:4 text after a closing quote"]),
    ("backslash is no escape", b"1,\"a\\\"\n", &["1|a\\\\"]),
    ("unclosed quote", b"1,a\n0,\"b\n1,c\n", &["1|a", "!!2:3 this quote is never closed"]),
    ("unclosed at the end", b"1,a\n0,\"", &["1|a", "!!2:3 this quote is never closed"]),
    (
        "unclosed after a doubled one",
        b"1,a\n0,\"b\"\"",
        &["1|a", "!!2:3 this quote is never closed"],
    ),
    (
        "unclosed, opened on a second line",
        b"1,a\n\"x\ny\",\"b\n\n",
        &["1|a", "!!3:4 this quote is never"],
    ),
    ("ragged over two lines", b"1,a\n\"x\ny\",b,c\n2,b\n", &["1|a", "!3:6 3 cells", "2|b"]),
    ("ragged after doubled quotes", b"1,a\n\"\"\"\",b,c\n", &["1|a", "!2:8 3 cells"]),
    ("NUL", b"1,a\n0,\x00\n1,b\n", &["1|a", "!2:3 a NUL byte: is this", "1|b"]),
    ("NUL in quotes", b"1,a\n0,\"x\n\x00\"\n1,b\n", &["1|a", "!3:1 a NUL byte", "1|b"]),
    ("NUL in the first row", b"1,\x00\n", &["!1:3 a NUL byte"]),
    ("NUL bytes", b"1\x00,\x002\x00\n\x00", &["!1:2 UTF-16"]),
    ("invalid UTF-8", b"1,\xff\xfe\n", &["1|\\xff\\xfe"]),
    ("UTF-8", "1,é\n".as_bytes(), &["1|\\xc3\\xa9"]),
    ("other delimiters", b"1;a\t|,b\n", &["1;a\\t||b"]),
    ("nan, inf and the like are text", b"nan,inf,1e400\n", &["nan|inf|1e400"]),
    ("comments are text", b"#a,b\n", &["#a|b"]),
    ("colons are text", b"1:2,3:4\n", &["1:2|3:4"]),
    ("form feed and vertical tab", b"1,\x0b\n2,\x0c\n", &["1|\\x0b", "2|\\x0c"]),
    ("line separators of Unicode", "1,a\u{2028}b\n".as_bytes(), &["1|a\\xe2\\x80\\xa8b"]),
];

/// Read with a comma and a header; the first line is the columns.
const HEADER: &[Case] = &[
    ("plain", b"y,x\n1,a\n", &["y|x", "1|a"]),
    ("CRLF", b"y,x\r\n1,a\r\n", &["y|x", "1|a"]),
    ("trimmed", b" y ,\tx\n 1,a\n", &["y|x", " 1|a"]),
    ("quoted", b"\"y\",\"x,\"\"z\"\"\"\n1,a\n", &["y|x,\"z\"", "1|a"]),
    (
        "two lines",
        b"\"y\nz\",x\n1,a\n1\n",
        &["y\\nz|x", "1|a", "!4:2 1 cell, expected 2 as in line 1"],
    ),
    ("header only", b"y,x", &["y|x"]),
    ("numbers as names", b"1,2\n3,4\n", &["1|2", "3|4"]),
    ("names that differ in case", b"y,Y\n3,4\n", &["y|Y", "3|4"]),
    ("one column", b"y\n3\n", &["y", "3"]),
    ("empty file", b"", &["!! no rows: the file is empty"]),
    // A column without a name has its number for one.
    ("empty name", b"y,,x\n1,2,3\n", &["y|1|x", "1|2|3"]),
    ("blank name", b"y, \n1,2\n", &["y|1", "1|2"]),
    ("row numbers of a data frame", b",y\n0,2\n", &["0|y", "0|2"]),
    ("the number is taken", b"1,,x\n1,2,3\n", &["!1:3 columns 1 and 2 are both named '1'"]),
    ("same name twice", b"y,x,y\n1,2,3\n", &["!1:5 columns 1 and 3 are both named 'y'"]),
    ("same name but for blanks", b"y,x, y\n1,2,3\n", &["!1:5 columns 1 and 3 are both"]),
    ("invalid UTF-8", b"y,\xff\n1,2\n", &["!1:3 not UTF-8"]),
    ("NUL", b"y,x\x00\n1,2\n", &["!1:4 a NUL byte"]),
    ("unclosed quote", b"y,\"x\n1,2\n", &["!!1:3 this quote is never closed"]),
    ("too few cells", b"y,x\n1\n1,a\n", &["y|x", "!2:2 1 cell, expected 2 as in line 1", "1|a"]),
];

#[test]
fn libsvm_corpus() {
    check(LIBSVM, &options(FormatName::Libsvm));
}

#[test]
fn libffm_corpus() {
    check(LIBFFM, &options(FormatName::Libffm));
}

#[test]
fn csv_corpus() {
    check(CSV, &csv(false));
}

#[test]
fn header_corpus() {
    check(HEADER, &csv(true));
}

/// Each case as it is, and in the forms that must make no difference.
fn check(cases: &[Case], options: &OpenOptions) {
    let directory = tempfile::tempdir().unwrap();
    for (case, bytes, expected) in cases {
        let marked = [b"\xef\xbb\xbf", *bytes].concat();
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let forms = [
            ("plain", bytes.to_vec()),
            ("BOM", marked),
            ("gzip", gzip(bytes)),
            ("gzip of two members", [gzip(first), gzip(second)].concat()),
            ("zstd", zstd::encode_all(*bytes, 3).unwrap()),
            (
                "zstd of two frames",
                [first, second].map(|b| zstd::encode_all(b, 3).unwrap()).concat(),
            ),
        ];
        for (form, bytes) in forms {
            compare(
                &format!("{case} ({form})"),
                input::from_bytes("t", bytes, options),
                "t",
                expected,
            );
        }
        let path = directory.path().join("t");
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap();
        compare(&format!("{case} (file)"), input::open(path, options), path, expected);
    }
}

fn compare(case: &str, reader: pairloom::Result<Box<dyn Reader>>, file: &str, expected: &[&str]) {
    let found = describe(reader, file);
    assert_eq!(found.len(), expected.len(), "{case}: {found:?}");
    for (found, expected) in found.iter().zip(expected) {
        match expected.strip_prefix('!').and_then(|error| error.split_once(' ')) {
            None => assert_eq!(found, expected, "{case}"),
            Some((place, text)) => {
                let (found_place, message) =
                    found.strip_prefix('!').unwrap().split_once(' ').unwrap();
                assert_eq!(found_place, place, "{case}: {found}");
                assert!(message.contains(text), "{case}: {found}");
            }
        }
    }
}

/// The header if there is one, the rows and the errors, in the notation of the cases.
fn describe(reader: pairloom::Result<Box<dyn Reader>>, file: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(error) => return vec![describe_error(&error, file)],
    };
    if matches!(reader.format(), Format::Csv { header: true, .. }) {
        lines.push(reader.columns().join("|").escape_debug().to_string().replace("\\\"", "\""));
    }
    let mut row = RawRow::new();
    loop {
        match reader.read(&mut row) {
            Ok(true) => lines.push(describe_row(&row)),
            Ok(false) => return lines,
            Err(error) => lines.push(describe_error(&error, file)),
        }
    }
}

fn describe_row(row: &RawRow) -> String {
    let cells: Vec<String> = (0..row.len())
        .map(|i| row.cell(i).escape_ascii().to_string().replace("\\\"", "\""))
        .collect();
    let pairs = row.pairs().iter().map(|pair| {
        let value = format!("{:?}", pair.value).trim_end_matches(".0").to_owned();
        format!(" {}/{}={value}", pair.field, pair.index)
    });
    cells.join("|") + &pairs.collect::<String>()
}

/// `!line:column message`, with a second `!` where the input ends.
fn describe_error(error: &Error, file: &str) -> String {
    let fatal = if matches!(error, Error::Row { .. }) { "" } else { "!" };
    let text = error.to_string();
    let text = text.strip_prefix(file).unwrap().strip_prefix(':').unwrap();
    let text = text.strip_prefix(' ').map_or(text.replacen(": ", " ", 1), |t| format!(" {t}"));
    format!("!{fatal}{text}")
}
