//! What the end of a file claims, before anything is made of it.
//!
//! The end is a struct in the compact protocol of Thrift. A few damaged bytes of it may claim lists of
//! billions, for which memory would be asked before they are read, or groups in groups without end; asking for
//! more memory than there is, or for more stack, ends the process. So lists, texts and depths are measured first.

use super::file::File;
use super::{ENCRYPTED, MAGIC};
use crate::Error;

/// The most that structs, and groups of columns, are nested.
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
    let mut walk = Walk { bytes: &bytes, at: 0 };
    let end = walk.file().ok_or(Fault::Damaged("its end cannot be read"))?;
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

/// A walk over a struct in the compact protocol; `None` where it leads beyond its end.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The types of fields that matter here.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

impl Walk<'_> {
    fn file(&mut self) -> Option<End> {
        let (mut end, mut id) = (End::default(), 0);
        while let Some((field, of)) = self.field(&mut id)? {
            // What is read as another type than it says would not be what was measured here.
            let expected = [I32, LIST, I64, LIST, LIST, BINARY, LIST, STRUCT, BINARY];
            let expected = usize::try_from(field - 1).ok().and_then(|at| expected.get(at));
            if expected.is_some_and(|&expected| expected != of) {
                return None;
            }
            end.is_encrypted |= field == ENCRYPTION;
            match field == COLUMNS {
                true => self.columns(&mut end.children)?,
                false => self.skip(of, 0)?,
            }
        }
        Some(end)
    }

    fn columns(&mut self, children: &mut Vec<i64>) -> Option<()> {
        let (count, of) = self.list()?;
        if count > 0 && of != STRUCT {
            return None;
        }
        for _ in 0..count {
            let (mut id, mut has) = (0, 0);
            while let Some((field, of)) = self.field(&mut id)? {
                match (field, of) {
                    (CHILDREN, I32) => has = self.signed()?,
                    (WIDTH, I32) => drop((0..=WIDEST).contains(&self.signed()?).then_some(())?),
                    // Read as something else than it says.
                    (CHILDREN | WIDTH, _) => return None,
                    _ => self.skip(of, 0)?,
                }
            }
            children.push(has);
        }
        Some(())
    }

    /// The number and the type of the next field; nothing at the end of a struct.
    fn field(&mut self, id: &mut i64) -> Option<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *id = match head >> 4 {
            0 => self.signed()?,
            more => id.checked_add(i64::from(more))?,
        };
        Some(Some((*id, head & 15)))
    }

    /// The length of a list and the type of what is in it, of which each takes a byte at the least.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.unsigned()?,
            count => u64::from(count),
        };
        (count <= self.left() as u64).then_some((count, head & 15))
    }

    fn skip(&mut self, of: u8, depth: usize) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        match of {
            // True and false as fields.
            1 | 2 => Some(()),
            3 => self.byte().map(drop),
            4..=I64 => self.unsigned().map(drop),
            7 => self.pass(8),
            BINARY => {
                let length = self.unsigned()?;
                self.pass(length)
            }
            LIST | 10 => {
                let (count, of) = self.list()?;
                // True and false take a byte each in a list.
                let of = if of <= 2 { 3 } else { of };
                (0..count).try_for_each(|_| self.skip(of, depth + 1))
            }
            STRUCT => {
                let mut id = 0;
                while let Some((_, of)) = self.field(&mut id)? {
                    self.skip(of, depth + 1)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        let count = usize::try_from(count).ok().filter(|&count| count <= self.left())?;
        self.at += count;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}
