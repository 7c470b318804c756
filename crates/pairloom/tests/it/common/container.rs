//! Model files taken apart and put together again.

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

/// Bytes of the checksum at the end.
pub const CHECKSUM: usize = 16;

/// Fixes the checksum of a file's bytes: XXH3-128 of all but the last 16, big-endian.
pub fn reseal(bytes: &mut [u8]) {
    let end = bytes.len() - CHECKSUM;
    let sum = xxh3_128(&bytes[..end]).to_be_bytes();
    bytes[end..].copy_from_slice(&sum);
}

/// Where the JSON header of safetensors ends: its length stands in the first 8 bytes.
pub fn header_end(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

/// The safetensors header, the document in its metadata, and what follows the header.
pub fn parts(bytes: &[u8]) -> (Value, Value, Vec<u8>) {
    let end = header_end(bytes);
    let header: Value = serde_json::from_slice(&bytes[8..end]).unwrap();
    let document = header["__metadata__"]["pairloom"].as_str().unwrap();
    (header.clone(), serde_json::from_str(document).unwrap(), bytes[end..].to_vec())
}

/// What [`parts`] came from, with a checksum that is right.
pub fn joined(mut header: Value, document: &Value, data: &[u8]) -> Vec<u8> {
    header["__metadata__"]["pairloom"] = Value::String(document.to_string());
    let mut text = header.to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text);
    bytes.extend_from_slice(data);
    reseal(&mut bytes);
    bytes
}
