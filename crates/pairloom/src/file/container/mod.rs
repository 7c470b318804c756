//! A safetensors file with one JSON document and a checksum over everything.
//!
//! Tensors go to the file and come from it in blocks, so that a large model is in memory once, as
//! the table that it is used from. Reading does not map the file: a map that another program cuts
//! off would end this one, and its pages would count as memory beside the table.

mod read;
mod write;

pub use read::{Container, Floats};
pub use write::{Tensor, Tensors, write, write_to};

use crate::precision::{Precision, Stored};
use safetensors::tensor::Dtype;
use std::io::{self, Write};
use xxhash_rust::xxh3::Xxh3;

#[cfg(target_endian = "big")]
compile_error!("tensors are little-endian, and are read and written as they lie in memory");

/// The key of the JSON document in the metadata. It is the only one: the metadata is a hash map,
/// and with two keys the order of the bytes would differ from run to run.
const DOCUMENT: &str = "pairloom";

/// The tensor that holds XXH3-128 of all bytes before it, big-endian. Tensors are sorted by type
/// and then by name, as safetensors does it, and this comes last among the bytes.
const CHECKSUM: &str = "xxh3_128";
const CHECKSUM_LEN: usize = 16;

/// Bytes read or written at a time.
const BLOCK: usize = 1 << 18;

/// The longest header that safetensors reads.
const HEADER_MOST: u64 = 100_000_000;

/// The type of a tensor of floats.
fn dtype<T: Stored>() -> Dtype {
    match T::PRECISION {
        Precision::F32 => Dtype::F32,
        Precision::Bf16 => Dtype::BF16,
    }
}

/// Hashes what is written.
struct Hashed<W> {
    out: W,
    hash: Xxh3,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
