//! Writing a container: header, tensors, checksum.

use super::{BLOCK, CHECKSUM, CHECKSUM_LEN, DOCUMENT, HEADER_MOST, Hashed, dtype};
use crate::file::{FORMAT_VERSION, name, write_whole};
use crate::precision::Stored;
use crate::{Error, Result};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::iter::{from_fn, once};
use xxhash_rust::xxh3::Xxh3;

/// A tensor to be written.
pub struct Tensor<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Its bytes, one part after the other.
    parts: Box<dyn Iterator<Item = Cow<'a, [u8]>> + 'a>,
}

impl<'a> Tensor<'a> {
    /// A tensor of floats, given in parts.
    pub fn floats<T: Stored>(shape: &[usize], parts: impl Iterator<Item = &'a [T]> + 'a) -> Self {
        let parts = Box::new(parts.map(bytemuck::cast_slice).map(Cow::Borrowed));
        Tensor { dtype: dtype::<T>(), shape: shape.to_vec(), parts }
    }

    /// A list of 64-bit numbers.
    pub fn numbers(data: &'a [u64]) -> Self {
        let parts = Box::new(once(Cow::Borrowed(bytemuck::cast_slice(data))));
        Tensor { dtype: Dtype::U64, shape: vec![data.len()], parts }
    }

    /// So many ids, which are written as they come: there is never a list of all of them.
    pub fn ids(count: usize, mut ids: impl Iterator<Item = u32> + 'a) -> Self {
        let parts = Box::new(from_fn(move || {
            let part: Vec<u8> = ids.by_ref().take(BLOCK / 4).flat_map(u32::to_le_bytes).collect();
            (!part.is_empty()).then_some(Cow::Owned(part))
        }));
        Tensor { dtype: Dtype::U32, shape: vec![count], parts }
    }

    /// Bytes.
    pub fn bytes(data: &'a [u8]) -> Self {
        let parts = Box::new(once(Cow::Borrowed(data)));
        Tensor { dtype: Dtype::U8, shape: vec![data.len()], parts }
    }

    fn len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// Tensors by name.
pub type Tensors<'a> = Vec<(String, Tensor<'a>)>;

/// Writes a file of `kind` with this document and these tensors.
///
/// # Errors
/// [`Error::Io`].
pub fn write<D: Serialize>(
    path: &str,
    kind: &str,
    document: &D,
    tensors: Tensors<'_>,
) -> Result<()> {
    let (header, tensors) =
        prepared(kind, document, tensors).map_err(|e| Error::io(name(path), e))?;
    write_whole(path, |out| send(out, &header, tensors).map_err(|e| Error::io(name(path), e)))
}

/// Writes the bytes of such a file.
///
/// # Errors
/// Those of `out`.
pub fn write_to<D: Serialize>(
    out: &mut dyn Write,
    kind: &str,
    document: &D,
    tensors: Tensors<'_>,
) -> io::Result<()> {
    let (header, tensors) = prepared(kind, document, tensors)?;
    send(out, &header, tensors)
}

/// The header of a file, and its tensors in their order.
fn prepared<'a, D: Serialize>(
    kind: &str,
    document: &D,
    mut tensors: Tensors<'a>,
) -> io::Result<(Vec<u8>, Tensors<'a>)> {
    tensors.sort_by(|(a, left), (b, right)| right.dtype.cmp(&left.dtype).then(a.cmp(b)));
    let envelope = serde_json::json!({
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "document": document,
    });
    Ok((header(envelope.to_string(), &tensors)?, tensors))
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

fn send(out: &mut dyn Write, header: &[u8], tensors: Tensors<'_>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BLOCK, Hashed { out, hash: Xxh3::new() });
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header)?;
    for part in tensors.into_iter().flat_map(|(_, tensor)| tensor.parts) {
        out.write_all(&part)?;
    }
    let Hashed { out, hash } = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    out.write_all(&hash.digest128().to_be_bytes())
}
