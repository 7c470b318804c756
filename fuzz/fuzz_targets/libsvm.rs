//! Rows of libsvm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pairloom::input::{FormatName, OpenOptions};

fuzz_target!(|bytes: &[u8]| {
    let options = OpenOptions { format: Some(FormatName::Libsvm), ..OpenOptions::default() };
    pairloom_fuzz::read(bytes, &options);
});
