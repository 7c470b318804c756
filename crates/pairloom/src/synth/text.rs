//! Rows as text. Written by hand into one buffer: `write!` alone would cost more than all the rest.

use super::field::Field;
use crate::input::write_whole;

/// What is common to the rows of a log: the columns, and a row as a value for each of them.
type Row<'a> = (&'a [Field], &'a [u32]);

/// `label<d>token<d>token...`, tokens of eight hexadecimal digits.
pub(super) fn delimited((fields, values): Row<'_>, label: bool, delimiter: u8, out: &mut Vec<u8>) {
    out.push(b'0' + u8::from(label));
    for (field, &value) in fields.iter().zip(values) {
        let mut cell = [delimiter; 9];
        cell[1..].copy_from_slice(&hex(field.token(value)));
        out.extend_from_slice(&cell);
    }
    out.push(b'\n');
}

/// `label index:1 ...`, indices counted from 1.
pub(super) fn libsvm((fields, values): Row<'_>, label: bool, out: &mut Vec<u8>) {
    out.push(b'0' + u8::from(label));
    for (field, &value) in fields.iter().zip(values) {
        out.push(b' ');
        write_whole(false, u64::from(field.offset + value) + 1, out);
        out.extend_from_slice(b":1");
    }
    out.push(b'\n');
}

/// `label field:index:1 ...`, fields counted from 0, indices as in libsvm text.
pub(super) fn libffm((fields, values): Row<'_>, label: bool, out: &mut Vec<u8>) {
    out.push(b'0' + u8::from(label));
    for (number, (field, &value)) in fields.iter().zip(values).enumerate() {
        out.push(b' ');
        write_whole(false, number as u64, out);
        out.push(b':');
        write_whole(false, u64::from(field.offset + value) + 1, out);
        out.extend_from_slice(b":1");
    }
    out.push(b'\n');
}

/// `label<d>c1<d>c2...`
pub(super) fn header(fields: usize, delimiter: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"label");
    for number in 1..=fields {
        out.push(delimiter);
        out.push(b'c');
        write_whole(false, number as u64, out);
    }
    out.push(b'\n');
}

/// Eight hexadecimal digits, all at once: the nibbles are spread over the bytes of a word, and a
/// carry out of `nibble + 6` says which of them are letters.
#[inline]
fn hex(x: u32) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let x = u64::from(x);
    let x = (x | (x << 16)) & 0x0000_FFFF_0000_FFFF;
    let x = (x | (x << 8)) & 0x00FF_00FF_00FF_00FF;
    let x = (x | (x << 4)) & 0x0F0F_0F0F_0F0F_0F0F;
    let letters = ((x + 6 * ONES) >> 4) & ONES;
    (x + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_the_standard_library_writes_them() {
        for x in [0, 1, 9, 10, 15, 16, 99, 100, 0xABCD_EF01, 0x1234_5678, u32::MAX] {
            assert_eq!(hex(x), format!("{x:08x}").as_bytes());
        }
    }
}
