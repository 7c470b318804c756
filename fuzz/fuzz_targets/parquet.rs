//! A table of Parquet. The first byte chooses whether numbers are read without text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pairloom::input::{self, FormatName, OpenOptions};

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, table)) = bytes.split_first() else { return };
    let options = OpenOptions { format: Some(FormatName::Parquet), ..Default::default() };
    let Ok(mut reader) = input::from_bytes("fuzz", table, &options) else { return };
    if choice & 1 == 1 {
        let all: Vec<usize> = (0..reader.columns().len()).collect();
        reader.without_text(&all);
    }
    pairloom_fuzz::drain(reader);
});
