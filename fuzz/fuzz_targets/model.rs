//! Model files. The bytes are tried as they are and then with the checksum put right, without
//! which next to nothing would come further than to the checksum. A model that is accepted must
//! be usable: predicting with it may fail, but not panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pairloom::Model;
use pairloom::input::{self, OpenOptions};
use pairloom::parallel::Threads;
use pairloom::predict::PredictOptions;
use pairloom::reading::OnError;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use xxhash_rust::xxh3::xxh3_128;

/// The loader reads files: one a process, in memory where the system has such a folder.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("pairloom-fuzz-{}", std::process::id()))
});

const ROWS: &str = "label,c,m,n\n1,a,x|y,1.5\n0,b,,\n0,never seen,z,1e300\n";

fn try_out(bytes: &[u8]) {
    let path = FILE.to_str().expect("a path in UTF-8");
    fs::write(path, bytes).expect("room for the file");
    let loaded = Model::load(path);
    let _ = fs::remove_file(path);
    let Ok(model) = loaded else { return };
    let Ok(mut reader) = input::from_bytes("rows.csv", ROWS, &OpenOptions::default()) else {
        return;
    };
    let Ok(threads) = Threads::new(1) else { return };
    let options = PredictOptions { on_error: OnError::Skip, ..PredictOptions::default() };
    let _ = model.predict_rows(&mut *reader, "rows.csv", &options, &threads, |piece| {
        assert!(piece.predictions.iter().all(|p| p.is_finite()));
        Ok(())
    });
    for id in 0..model.encoding.features() as u32 {
        let _ = model.encoding.describe(id);
    }
}

fuzz_target!(|bytes: &[u8]| {
    try_out(bytes);
    let mut sealed = bytes.to_vec();
    if let Some(end) = bytes.len().checked_sub(16) {
        let sum = xxh3_128(&bytes[..end]).to_be_bytes();
        sealed[end..].copy_from_slice(&sum);
        try_out(&sealed);
    }
});
