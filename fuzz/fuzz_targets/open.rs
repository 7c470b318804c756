//! An input of which nothing is known: decompression and detection.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pairloom::input::OpenOptions;

fuzz_target!(|bytes: &[u8]| pairloom_fuzz::read(bytes, &OpenOptions::default()));
