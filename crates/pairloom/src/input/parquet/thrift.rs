//! The compact protocol of Thrift, in which files describe themselves: what lies where, without making anything of
//! it. A few damaged bytes may claim lists of billions, which readers take memory for, or walk through, before they
//! find that nothing is there: here a list is no longer than the bytes that are left.

/// The most that structs are nested.
const DEPTH: usize = 64;

/// A walk over a struct in the compact protocol; `None` where it leads beyond its end.
pub(super) struct Walk<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

/// The types of fields that matter here.
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
pub(super) const STRUCT: u8 = 12;

impl Walk<'_> {
    /// Goes behind a struct.
    pub(super) fn pass_struct(&mut self) -> Option<()> {
        self.skip(STRUCT, 0)
    }

    /// The number and the type of the next field; nothing at the end of a struct.
    pub(super) fn field(&mut self, id: &mut i64) -> Option<Option<(i64, u8)>> {
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
    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.unsigned()?,
            count => u64::from(count),
        };
        (count <= self.left() as u64).then_some((count, head & 15))
    }

    pub(super) fn skip(&mut self, of: u8, depth: usize) -> Option<()> {
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
                // There is no list of true and false in these structs, and readers differ in their length.
                (of > 2 || count == 0).then_some(())?;
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

    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}
