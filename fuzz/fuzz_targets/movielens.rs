//! Ratings joined with users and items. The first byte chooses the data set; a byte that is no text ends each
//! file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pairloom::input::{MovieLens, movielens_from_bytes};

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, text)) = bytes.split_first() else { return };
    let edition =
        [MovieLens::Small, MovieLens::Million, MovieLens::Latest][usize::from(choice % 3)];
    let mut files = text.splitn(3, |byte| *byte == 0xff).map(<[u8]>::to_vec);
    let mut file = || files.next().unwrap_or_default();
    if let Ok(reader) = movielens_from_bytes(edition, file(), file(), file()) {
        pairloom_fuzz::drain(reader);
    }
});
