//! What the end of a file claims, before anything is made of it: to ask for more memory or stack than there is
//! ends the process.

use super::file::File;
use super::thrift::{BINARY, I32, I64, LIST, STRUCT, Walk};
use super::{ENCRYPTED, MAGIC};
use crate::Error;

/// The most that groups of columns are nested.
const DEPTH: usize = 64;

/// The fields of the struct at the end: the columns, and how they are encrypted.
const COLUMNS: i64 = 2;
const ENCRYPTION: i64 = 8;
/// The fields of a column with how many bytes a value has, and how many columns it is made of.
const WIDTH: i64 = 2;
const CHILDREN: i64 = 5;

/// The widest values of one width: memory is taken for a batch of them at once.
const WIDEST: i64 = 1 << 16;

/// What is wrong with a file.
#[derive(Debug)]
pub(super) enum Fault {
    Read(std::io::Error),
    Cut,
    Encrypted,
    Damaged(&'static str),
}

impl Fault {
    pub(super) fn error(self, name: &str) -> Error {
        let message = match self {
            Fault::Read(error) => return Error::io(name, error),
            Fault::Cut => "cut off: a Parquet file ends in PAR1, and this one does not",
            Fault::Encrypted => "an encrypted Parquet file: write it again without encryption",
            Fault::Damaged(what) => return Error::data(name, format!("damaged: {what}")),
        };
        Error::data(name, message)
    }
}

/// Looks at the end of a file.
pub(super) fn check(file: &File) -> Result<(), Fault> {
    match file.end().map_err(Fault::Read)? {
        end if end == *ENCRYPTED => return Err(Fault::Encrypted),
        end if end != *MAGIC => return Err(Fault::Cut),
        _ => {}
    }
    let bytes = footer(file)?;
    let end = described(&mut Walk { bytes: &bytes, at: 0 })
        .ok_or(Fault::Damaged("its end cannot be read"))?;
    if end.is_encrypted {
        return Err(Fault::Encrypted);
    }
    if nested(&end.children) > DEPTH {
        return Err(Fault::Damaged("columns in columns without end"));
    }
    Ok(())
}

/// The struct at the end.
fn footer(file: &File) -> Result<Vec<u8>, Fault> {
    use parquet::file::reader::Length;
    let mut tail = [0; 4];
    let len = file.len();
    let at = len.checked_sub(12).ok_or(Fault::Cut)? + 4;
    file.read(at, &mut tail).map_err(Fault::Read)?;
    let size = u64::from(u32::from_le_bytes(tail));
    let start = at.checked_sub(size).filter(|&start| start >= 4);
    let start = start.ok_or(Fault::Damaged("its end is said to be longer than it"))?;
    let mut bytes = vec![0; size as usize];
    let read = file.read(start, &mut bytes).map_err(Fault::Read)?;
    if read == bytes.len() { Ok(bytes) } else { Err(Fault::Cut) }
}

/// How deep columns are in columns, from how many each has, in their order.
fn nested(children: &[i64]) -> usize {
    let (mut open, mut deepest): (Vec<i64>, _) = (Vec::new(), 0);
    for &count in children {
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        open.push(count);
        deepest = deepest.max(open.len());
        while open.last().is_some_and(|&left| left <= 0) {
            open.pop();
        }
    }
    deepest
}

/// What was found at the end of a file.
#[derive(Default)]
struct End {
    children: Vec<i64>,
    is_encrypted: bool,
}

/// What a file says of itself.
fn described(walk: &mut Walk<'_>) -> Option<End> {
    let (mut end, mut id) = (End::default(), 0);
    while let Some((field, of)) = walk.field(&mut id)? {
        // What is read as another type than it says would not be what was measured here.
        let expected = [I32, LIST, I64, LIST, LIST, BINARY, LIST, STRUCT, BINARY];
        let expected = usize::try_from(field - 1).ok().and_then(|at| expected.get(at));
        if expected.is_some_and(|&expected| expected != of) {
            return None;
        }
        end.is_encrypted |= field == ENCRYPTION;
        match field == COLUMNS {
            true => columns(walk, &mut end.children)?,
            false => walk.skip(of, 0)?,
        }
    }
    Some(end)
}

/// How many columns each one is made of.
fn columns(walk: &mut Walk<'_>, children: &mut Vec<i64>) -> Option<()> {
    let (count, of) = walk.list()?;
    if count > 0 && of != STRUCT {
        return None;
    }
    for _ in 0..count {
        let (mut id, mut has) = (0, 0);
        while let Some((field, of)) = walk.field(&mut id)? {
            match (field, of) {
                (CHILDREN, I32) => has = walk.signed()?,
                (WIDTH, I32) => {
                    (0..=WIDEST).contains(&walk.signed()?).then_some(())?;
                }
                // Read as something else than it says.
                (CHILDREN | WIDTH, _) => return None,
                _ => walk.skip(of, 0)?,
            }
        }
        children.push(has);
    }
    Some(())
}
