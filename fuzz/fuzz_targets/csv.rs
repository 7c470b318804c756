//! Delimited text. The first byte chooses delimiter and header, so that all of them are reached.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pairloom::input::{FormatName, OpenOptions};

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, text)) = bytes.split_first() else { return };
    let delimiter = [Some(','), Some('\t'), Some(';'), None][usize::from(choice & 3)];
    let header = [Some(true), Some(false), None, None][usize::from(choice >> 2 & 3)];
    let options =
        OpenOptions { format: Some(FormatName::Csv), delimiter, header, ..Default::default() };
    pairloom_fuzz::read(text, &options);
});
