//! A safetensors file with one JSON document and a checksum over everything.

use super::FORMAT_VERSION;
use super::write::{Destination, shown};
use crate::{Error, Result};
use memmap2::Mmap;
use safetensors::tensor::{Dtype, Metadata, SafeTensors, View};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128;

/// The key of the JSON document in the metadata. It is the only one: the metadata is a hash map,
/// and with two keys the order of the bytes would differ from run to run.
const DOCUMENT: &str = "pairloom";

/// The tensor that holds XXH3-128 of all bytes before it, big-endian. safetensors sorts tensors by
/// type and then by name, and this comes last among the bytes.
const CHECKSUM: &str = "xxh3_128";
const CHECKSUM_LEN: usize = 16;

/// A tensor to be written.
pub struct Tensor<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Cow<'a, [u8]>,
}

impl<'a> Tensor<'a> {
    /// A tensor of 32-bit floats.
    pub fn floats(shape: &[usize], data: Cow<'a, [f32]>) -> Self {
        let data = match data {
            Cow::Borrowed(floats) => Cow::Borrowed(bytemuck::cast_slice(floats)),
            Cow::Owned(floats) => Cow::Owned(bytemuck::cast_slice(&floats).to_vec()),
        };
        Tensor { dtype: Dtype::F32, shape: shape.to_vec(), data }
    }

    /// A list of 64-bit numbers.
    pub fn numbers(data: &'a [u64]) -> Self {
        let shape = vec![data.len()];
        Tensor { dtype: Dtype::U64, shape, data: Cow::Borrowed(bytemuck::cast_slice(data)) }
    }

    /// Bytes.
    pub fn bytes(data: &'a [u8]) -> Self {
        Tensor { dtype: Dtype::U8, shape: vec![data.len()], data: Cow::Borrowed(data) }
    }
}

impl View for &Tensor<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.data)
    }
    fn data_len(&self) -> usize {
        self.data.len()
    }
}

/// Writes a file of `kind` with this document and these tensors.
///
/// # Errors
/// [`Error::Io`].
pub fn write<D: Serialize>(
    path: &str,
    kind: &str,
    document: &D,
    tensors: &[(String, Tensor<'_>)],
) -> Result<()> {
    let envelope = serde_json::json!({
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "document": document,
    });
    let metadata = Some(HashMap::from([(DOCUMENT.to_string(), envelope.to_string())]));
    let checksum = Tensor::bytes(&[0; CHECKSUM_LEN]);
    let tensors = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor));
    let tensors = tensors.chain([(CHECKSUM, &checksum)]);
    let written = Destination::of(path).and_then(|destination| match destination {
        Destination::File(file) => {
            safetensors::serialize_to_file(tensors, metadata, file.path()).map_err(plain)?;
            fill_checksum(file.path())?;
            file.commit()
        }
        Destination::Stream(mut out) => {
            let mut bytes = safetensors::serialize(tensors, metadata).map_err(plain)?;
            let end = bytes.len() - CHECKSUM_LEN;
            let checksum = xxh3_128(&bytes[..end]).to_be_bytes();
            bytes[end..].copy_from_slice(&checksum);
            out.write_all(&bytes).and_then(|()| out.flush())
        }
    });
    written.map_err(|e| Error::io(shown(path), e))
}

/// The input/output error inside, so that "no space left" reaches the user as just that.
fn plain(error: safetensors::SafeTensorError) -> io::Error {
    match error {
        safetensors::SafeTensorError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

fn fill_checksum(path: &Path) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let map = map(&file)?;
    let end = map.len() - CHECKSUM_LEN;
    let checksum = xxh3_128(&map[..end]).to_be_bytes();
    drop(map);
    file.seek(SeekFrom::Start(end as u64))?;
    file.write_all(&checksum)
}

#[allow(unsafe_code)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map must not change while it is borrowed. Files of ours are only ever replaced
    // by a rename, never written in place once they are complete, and a map lives only as long as
    // the call that reads the file. A program that writes into a model file at that very moment
    // could be noticed as a wrong checksum, or as any bytes at all: every byte is validated as
    // hostile input anyway, and none is used to index memory without a check.
    unsafe { Mmap::map(file) }
}

/// A file that was read and whose checksum is right.
pub struct Container {
    file: String,
    map: Mmap,
}

impl Container {
    /// Opens a file of ours and checks that all of it is as it was written.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; [`Error::ModelFile`] if it is no file of ours, was cut
    /// off or altered, or is of a newer version.
    pub fn open(path: &str) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        let meta = file.metadata().map_err(|e| Error::io(path, e))?;
        if meta.is_dir() {
            return Err(Error::io(path, io::ErrorKind::IsADirectory.into()));
        }
        if meta.len() == 0 {
            return Err(refuse(path, "the file is empty"));
        }
        let map = map(&file).map_err(|e| Error::io(path, e))?;
        check(path, &map)?;
        Ok(Container { file: path.to_string(), map })
    }

    /// The JSON document of a file of this kind.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if the file is of another kind or its document has another shape.
    pub fn document<D: DeserializeOwned>(&self, kind: &str) -> Result<D> {
        let envelope = envelope(&self.file, &self.metadata()?)?;
        match envelope.get("kind").and_then(|found| found.as_str()) {
            Some(found) if found == kind => {}
            found => {
                let found = found.unwrap_or("file of unknown kind");
                return Err(self.refuse(format!("this is a {found}, not a {kind}")));
            }
        }
        let document = envelope.get("document").cloned().unwrap_or_default();
        serde_json::from_value(document).map_err(|e| self.refuse(format!("its document: {e}")))
    }

    /// A tensor of 32-bit floats, which must be finite, of this shape.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if there is no such tensor.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let data = self.tensor(name, Dtype::F32, Some(shape))?;
        let float = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let floats: Vec<f32> = data.chunks_exact(4).map(float).collect();
        match floats.iter().all(|x| x.is_finite()) {
            true => Ok(floats),
            false => Err(self.refuse(format!("tensor '{name}' has values that are not finite"))),
        }
    }

    /// A list of 64-bit numbers.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if there is no such tensor.
    pub fn numbers(&self, name: &str) -> Result<Vec<u64>> {
        let data = self.tensor(name, Dtype::U64, None)?;
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, &b| (n << 8) | u64::from(b));
        Ok(data.chunks_exact(8).map(number).collect())
    }

    /// Bytes.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if there is no such tensor.
    pub fn bytes(&self, name: &str) -> Result<&[u8]> {
        self.tensor(name, Dtype::U8, None)
    }

    /// An error about this file.
    pub fn refuse(&self, message: impl Into<String>) -> Error {
        refuse(&self.file, message)
    }

    fn tensor(&self, name: &str, dtype: Dtype, shape: Option<&[usize]>) -> Result<&[u8]> {
        let tensors = SafeTensors::deserialize(&self.map).map_err(|e| damaged(&self.file, &e))?;
        let tensor = tensors.tensor(name);
        let tensor = tensor.map_err(|_| self.refuse(format!("tensor '{name}' is missing")))?;
        if tensor.dtype() != dtype || shape.is_some_and(|shape| shape != tensor.shape()) {
            let (found, is) = (tensor.shape(), tensor.dtype());
            return Err(
                self.refuse(format!("tensor '{name}' is {is:?} {found:?}, not as expected"))
            );
        }
        Ok(tensor.data())
    }

    fn metadata(&self) -> Result<Metadata> {
        let metadata = SafeTensors::read_metadata(&self.map);
        metadata.map(|(_, metadata)| metadata).map_err(|e| damaged(&self.file, &e))
    }
}

fn check(path: &str, bytes: &[u8]) -> Result<()> {
    let metadata = SafeTensors::read_metadata(bytes).map_err(|e| damaged(path, &e))?.1;
    let envelope = envelope(path, &metadata)?;
    let version = envelope.get("format_version").and_then(serde_json::Value::as_u64);
    match version {
        Some(version) if (1..=u64::from(FORMAT_VERSION)).contains(&version) => {}
        Some(version) if version > u64::from(FORMAT_VERSION) => {
            let message = format!(
                "it has format version {version} and this pairloom reads up to {FORMAT_VERSION}: \
                 use a newer pairloom"
            );
            return Err(refuse(path, message));
        }
        _ => return Err(refuse(path, "it has no format version: it is damaged")),
    }
    let info = metadata.info(CHECKSUM);
    let end = bytes.len() - CHECKSUM_LEN.min(bytes.len());
    let is_last = info.is_some_and(|info| info.data_offsets.1 == metadata.data_len())
        && info.is_some_and(|info| info.data_offsets.1 - info.data_offsets.0 == CHECKSUM_LEN);
    if !is_last || xxh3_128(&bytes[..end]).to_be_bytes() != bytes[end..] {
        return Err(refuse(path, "its checksum is wrong: it was altered or damaged after saving"));
    }
    Ok(())
}

fn envelope(path: &str, metadata: &Metadata) -> Result<serde_json::Value> {
    let document = metadata.metadata().as_ref().and_then(|all| all.get(DOCUMENT));
    let document = document.ok_or_else(|| {
        refuse(path, "a safetensors file, but not one of pairloom's: train one with pairloom train")
    })?;
    serde_json::from_str(document).map_err(|e| refuse(path, format!("its document: {e}")))
}

fn damaged(path: &str, error: &safetensors::SafeTensorError) -> Error {
    refuse(path, format!("not a pairloom model, or cut off or damaged ({error})"))
}

fn refuse(path: &str, message: impl Into<String>) -> Error {
    Error::ModelFile { file: path.to_string(), message: message.into() }
}
