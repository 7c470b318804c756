//! A safetensors file with one JSON document and a checksum over everything.
//!
//! Tensors go to the file and come from it in blocks, so that a large model is in memory once, as
//! the table that it is used from. Reading does not map the file: a map that another program cuts
//! off would end this one, and its pages would count as memory beside the table.

use super::FORMAT_VERSION;
use super::write::{shown, write_whole};
use crate::{Error, Result, memory};
use bytemuck::Pod;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
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

/// A tensor to be written.
pub struct Tensor<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Its bytes, one part after the other.
    parts: Box<dyn Iterator<Item = &'a [u8]> + 'a>,
}

impl<'a> Tensor<'a> {
    /// A tensor of 32-bit floats, given in parts.
    pub fn floats(shape: &[usize], parts: impl Iterator<Item = &'a [f32]> + 'a) -> Self {
        let parts = Box::new(parts.map(bytemuck::cast_slice));
        Tensor { dtype: Dtype::F32, shape: shape.to_vec(), parts }
    }

    /// A list of 64-bit numbers.
    pub fn numbers(data: &'a [u64]) -> Self {
        let parts = Box::new(std::iter::once(bytemuck::cast_slice(data)));
        Tensor { dtype: Dtype::U64, shape: vec![data.len()], parts }
    }

    /// Bytes.
    pub fn bytes(data: &'a [u8]) -> Self {
        let parts = Box::new(std::iter::once(data));
        Tensor { dtype: Dtype::U8, shape: vec![data.len()], parts }
    }

    fn len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
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
    mut tensors: Vec<(String, Tensor<'_>)>,
) -> Result<()> {
    tensors.sort_by(|(a, left), (b, right)| right.dtype.cmp(&left.dtype).then(a.cmp(b)));
    let envelope = serde_json::json!({
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "document": document,
    });
    let failed = |e| Error::io(shown(path), e);
    let header = header(envelope.to_string(), &tensors).map_err(failed)?;
    write_whole(path, |out| send(out, &header, tensors).map_err(failed))
}

/// The header of a file with these tensors and the checksum after them.
fn header(document: String, tensors: &[(String, Tensor<'_>)]) -> io::Result<Vec<u8>> {
    let checksum = Tensor::bytes(&[0; CHECKSUM_LEN]);
    let all = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor));
    let mut start = 0;
    let place = |(name, tensor): (&str, &Tensor<'_>)| {
        let data_offsets = (start, start + tensor.len());
        start = data_offsets.1;
        let (dtype, shape) = (tensor.dtype, tensor.shape.clone());
        (name.to_string(), TensorInfo { dtype, shape, data_offsets })
    };
    let infos = all.chain([(CHECKSUM, &checksum)]).map(place).collect();
    let metadata = Some(HashMap::from([(DOCUMENT.to_string(), document)]));
    let metadata = Metadata::new(metadata, infos).map_err(io::Error::other)?;
    let mut header = serde_json::to_vec(&metadata)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    if header.len() as u64 > HEADER_MOST {
        return Err(io::Error::other("the schema and the encoding are too large for a file"));
    }
    Ok(header)
}

fn send(out: &mut dyn Write, header: &[u8], tensors: Vec<(String, Tensor<'_>)>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BLOCK, Hashed { out, hash: Xxh3::new() });
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header)?;
    for part in tensors.into_iter().flat_map(|(_, tensor)| tensor.parts) {
        out.write_all(part)?;
    }
    let Hashed { out, hash } = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    out.write_all(&hash.digest128().to_be_bytes())
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

/// A file whose checksum is right.
pub struct Container {
    path: String,
    file: File,
    metadata: Metadata,
    /// Where the tensors begin.
    start: u64,
}

impl Container {
    /// Opens a file of ours and checks that all of it is as it was written.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; [`Error::ModelFile`] if it is no file of ours, was cut
    /// off or altered, or is of a newer version.
    pub fn open(path: &str) -> Result<Self> {
        let failed = |e| Error::io(path, e);
        let file = File::open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        if meta.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if meta.len() == 0 {
            return Err(refuse(path, "the file is empty"));
        }
        let (start, metadata) = read_header(path, &file, meta.len())?;
        check_version(path, &metadata)?;
        let is_right = checksum_is_right(&file, &metadata, meta.len()).map_err(failed)?;
        let file = Container { path: path.to_string(), file, metadata, start };
        let wrong = "its checksum is wrong: it was altered or damaged after saving";
        if is_right { Ok(file) } else { Err(file.refuse(wrong)) }
    }

    /// The JSON document of a file of this kind.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if the file is of another kind or its document has another shape.
    pub fn document<D: DeserializeOwned>(&self, kind: &str) -> Result<D> {
        let envelope = envelope(&self.path, &self.metadata)?;
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

    /// A tensor of 32-bit floats of this shape. Nothing of it is read yet: an array to read it into
    /// is made only once it is known that the file has as much.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if there is no such tensor.
    pub fn floats<'a>(&'a self, name: &'a str, shape: &[usize]) -> Result<Floats<'a>> {
        let place = self.find(name, Dtype::F32, Some(shape))?;
        Ok(Floats { file: self, name, start: place.start })
    }

    /// A list of 64-bit numbers.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if there is no such tensor; [`Error::Io`], [`Error::Memory`].
    pub fn numbers(&self, name: &str) -> Result<Vec<u64>> {
        self.list(name, Dtype::U64)
    }

    /// Bytes.
    ///
    /// # Errors
    /// [`Error::ModelFile`] if there is no such tensor; [`Error::Io`], [`Error::Memory`].
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        self.list(name, Dtype::U8)
    }

    /// An error about this file.
    pub fn refuse(&self, message: impl Into<String>) -> Error {
        refuse(&self.path, message)
    }

    fn list<T: Pod>(&self, name: &str, dtype: Dtype) -> Result<Vec<T>> {
        let place = self.find(name, dtype, None)?;
        let length = place.len() / size_of::<T>();
        let mut list = Vec::new();
        list.try_reserve_exact(length).map_err(|_| {
            let what = format!("the {} of '{name}'", memory::gib(place.len() as u128));
            memory::refused(&format!("{what} in {}", self.path), memory::FREE_SOME)
        })?;
        list.resize(length, T::zeroed());
        self.read(place.start, std::iter::once(&mut list[..]), |_| Ok(()))?;
        Ok(list)
    }

    /// Fills `parts` with what begins at `start`, and checks each.
    fn read<'p, T: Pod>(
        &self,
        start: usize,
        parts: impl Iterator<Item = &'p mut [T]>,
        check: impl Fn(&[T]) -> Result<()>,
    ) -> Result<()> {
        let failed = |e| Error::io(&self.path, e);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.start + start as u64)).map_err(failed)?;
        let mut bytes = BufReader::with_capacity(BLOCK, file);
        for part in parts {
            bytes.read_exact(bytemuck::cast_slice_mut(part)).map_err(failed)?;
            check(part)?;
        }
        Ok(())
    }

    /// Where the bytes of a tensor are.
    fn find(&self, name: &str, dtype: Dtype, shape: Option<&[usize]>) -> Result<Range<usize>> {
        let info = self.metadata.info(name);
        let info = info.ok_or_else(|| self.refuse(format!("tensor '{name}' is missing")))?;
        if info.dtype != dtype || shape.is_some_and(|shape| shape != info.shape) {
            let (found, is) = (&info.shape, info.dtype);
            return Err(
                self.refuse(format!("tensor '{name}' is {is:?} {found:?}, not as expected"))
            );
        }
        Ok(info.data_offsets.0..info.data_offsets.1)
    }
}

/// A tensor of floats that is to be read.
pub struct Floats<'a> {
    file: &'a Container,
    name: &'a str,
    start: usize,
}

impl Floats<'_> {
    /// Reads it into `parts`, one after the other, which are as long as it in all.
    ///
    /// # Errors
    /// [`Error::ModelFile`] for a float that is not finite; [`Error::Io`].
    pub fn read<'p>(self, parts: impl Iterator<Item = &'p mut [f32]>) -> Result<()> {
        let Floats { file, name, start } = self;
        file.read(start, parts, |part| match part.iter().all(|x| x.is_finite()) {
            true => Ok(()),
            false => Err(file.refuse(format!("tensor '{name}' has values that are not finite"))),
        })
    }
}

/// Where the tensors begin, and what the header says of them. What it says is true of a file of
/// this length: they follow each other without gaps, from there to the end.
fn read_header(path: &str, mut file: &File, length: u64) -> Result<(u64, Metadata)> {
    let failed = |e| Error::io(path, e);
    let most = length.checked_sub(8).ok_or_else(|| damaged(path, &"it is too short"))?;
    let mut header_length = [0; 8];
    file.read_exact(&mut header_length).map_err(failed)?;
    let header_length = u64::from_le_bytes(header_length);
    if header_length > most.min(HEADER_MOST) {
        return Err(damaged(path, &"its header is too long"));
    }
    let mut header = vec![0; header_length as usize];
    file.read_exact(&mut header).map_err(failed)?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|e| damaged(path, &e))?;
    match metadata.data_len() as u64 == most - header_length {
        true => Ok((8 + header_length, metadata)),
        false => Err(damaged(path, &"its length is not what its header says")),
    }
}

fn check_version(path: &str, metadata: &Metadata) -> Result<()> {
    let envelope = envelope(path, metadata)?;
    let version = envelope.get("format_version").and_then(serde_json::Value::as_u64);
    match version {
        Some(version) if (1..=u64::from(FORMAT_VERSION)).contains(&version) => Ok(()),
        Some(version) if version > u64::from(FORMAT_VERSION) => {
            let message = format!(
                "it has format version {version} and this pairloom reads up to {FORMAT_VERSION}: \
                 use a newer pairloom"
            );
            Err(refuse(path, message))
        }
        _ => Err(refuse(path, "it has no format version: it is damaged")),
    }
}

fn checksum_is_right(mut file: &File, metadata: &Metadata, length: u64) -> io::Result<bool> {
    let offsets = metadata.info(CHECKSUM).map(|info| info.data_offsets);
    let end = metadata.data_len();
    if offsets.is_none_or(|offsets| offsets != (end.saturating_sub(CHECKSUM_LEN), end)) {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(0))?;
    let mut hashed = Hashed { out: io::sink(), hash: Xxh3::new() };
    let mut bytes = BufReader::with_capacity(BLOCK, file);
    io::copy(&mut bytes.by_ref().take(length - CHECKSUM_LEN as u64), &mut hashed)?;
    let mut checksum = [0; CHECKSUM_LEN];
    bytes.read_exact(&mut checksum)?;
    Ok(hashed.hash.digest128().to_be_bytes() == checksum)
}

fn envelope(path: &str, metadata: &Metadata) -> Result<serde_json::Value> {
    let document = metadata.metadata().as_ref().and_then(|all| all.get(DOCUMENT));
    let document = document.ok_or_else(|| {
        refuse(path, "a safetensors file, but not one of pairloom's: train one with pairloom train")
    })?;
    serde_json::from_str(document).map_err(|e| refuse(path, format!("its document: {e}")))
}

fn damaged(path: &str, why: &dyn Display) -> Error {
    refuse(path, format!("not a pairloom model, or cut off or damaged ({why})"))
}

fn refuse(path: &str, message: impl Into<String>) -> Error {
    Error::ModelFile { file: path.to_string(), message: message.into() }
}
