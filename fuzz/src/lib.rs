//! What the targets of the text readers share: read all there is, and check what a reader
//! promises of any input.

use pairloom::Error;
use pairloom::input::{self, OpenOptions, RawRow, Reader};

/// Reads the bytes to their end, going on after bad rows.
pub fn read(bytes: &[u8], options: &OpenOptions) {
    if let Ok(reader) = input::from_bytes("fuzz", bytes, options) {
        drain(reader);
    }
}

/// Reads all rows, going on after bad ones.
pub fn drain(mut reader: Box<dyn Reader>) {
    let columns = reader.columns().len();
    let sparse = reader.format().is_sparse();
    let mut row = RawRow::new();
    let mut line = 0;
    loop {
        match reader.read(&mut row) {
            Ok(true) => {
                assert_eq!(row.len(), columns);
                assert!(row.line() > line && (sparse || row.pairs().is_empty()));
                assert!(row.pairs().iter().all(|pair| pair.value.is_finite()));
                line = row.line();
                // The places of cells can always be told.
                (0..=row.len()).for_each(|i| drop(row.cell_error(i, "")));
            }
            Err(Error::Row { place, .. }) => {
                assert!(place.line > line && place.column > 0);
            }
            Ok(false) => return,
            Err(_) => break,
        }
    }
    assert!(matches!(reader.read(&mut row), Ok(false)), "rows after an error that ends the input");
}
