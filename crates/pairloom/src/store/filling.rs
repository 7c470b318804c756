//! Rows on their way into a store.

use super::Store;
use super::spiller::{Deal, Spiller};
use crate::Result;
use crate::batch::Rows;

/// How much memory rows may take, and where they go beyond it.
#[derive(Debug, Clone)]
pub struct Room {
    /// Bytes.
    pub bytes: u128,
    /// The folder of temporary files.
    pub folder: String,
}

impl Default for Room {
    /// As much as there is.
    fn default() -> Self {
        Room { bytes: u128::MAX, folder: String::new() }
    }
}

/// Windows that rows in a file are read in, at the least so many of a walk's buckets: the more of
/// them, the less the same rows come together in each epoch.
const BUCKETS: u128 = 4;

impl Room {
    /// What training rows may take.
    fn train(&self) -> u128 {
        self.bytes - self.valid()
    }

    /// What validation rows may take.
    fn valid(&self) -> u128 {
        self.bytes / 8
    }

    /// A window: a third, as the next one is read meanwhile, and allocators keep some of what they
    /// were given back.
    fn window(&self) -> u128 {
        self.train() / 3
    }
}

/// A store that is being filled.
pub(crate) enum Filling<'a> {
    /// Rows are kept in their order: in memory up to a limit, then all in a file.
    InOrder { rows: Rows, features: usize, most: u128, room: &'a Room, spiller: Option<Spiller> },
    /// Rows are dealt at random to the buckets of a file.
    Drawn { spiller: Spiller, room: &'a Room },
}

impl<'a> Filling<'a> {
    /// Of validation rows.
    pub(crate) fn valid(room: &'a Room, features: usize) -> Self {
        let rows = Rows::new();
        Filling::InOrder { rows, features, most: room.valid(), room, spiller: None }
    }

    /// Of training rows, `expected` bytes of them; if a seed says so, in an order of its own.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if there can be no temporary file.
    pub(crate) fn train(
        room: &'a Room,
        features: usize,
        expected: u128,
        seed: Option<u64>,
    ) -> Result<Self> {
        let Some(seed) = seed.filter(|_| expected > room.train()) else {
            let rows = Rows::new();
            return Ok(Filling::InOrder {
                rows,
                features,
                most: room.train(),
                room,
                spiller: None,
            });
        };
        let buckets = (BUCKETS * expected.div_ceil(room.window().max(1))) as usize;
        let deal = Deal::Drawn { seed, buckets };
        let spiller = Spiller::new(&room.folder, features, deal, room.train() / 2)?;
        Ok(Filling::Drawn { spiller, room })
    }

    /// Adds rows.
    pub(crate) fn add(&mut self, more: &Rows) -> Result<()> {
        match self {
            Filling::InOrder { rows, .. } => {
                more.blocks().iter().try_for_each(|block| rows.extend(&block.part()))?;
            }
            Filling::Drawn { spiller, .. } => return spiller.deal(more),
        }
        self.settle()
    }

    /// Adds rows of their own to those that are kept in order.
    pub(crate) fn with(&mut self, add: impl FnOnce(&mut Rows) -> Result<()>) -> Result<()> {
        if let Filling::InOrder { rows, .. } = self {
            add(rows)?;
        }
        self.settle()
    }

    /// Writes what is too much, some blocks at a time.
    fn settle(&mut self) -> Result<()> {
        let Filling::InOrder { rows, features, most, room, spiller } = self else { return Ok(()) };
        if rows.blocks().len() == 1 {
            return Ok(());
        }
        if let Some(spiller) = spiller {
            return write_all(spiller, rows);
        }
        if rows.bytes() > *most {
            let begun = Spiller::new(&room.folder, *features, Deal::InOrder, 0)?;
            write_all(spiller.insert(begun), rows)?;
        }
        Ok(())
    }

    /// The store.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if what is left cannot be written.
    pub(crate) fn done(self) -> Result<Store> {
        let (spiller, room) = match self {
            Filling::InOrder { rows, spiller: None, .. } => return Ok(Store::Held(rows)),
            Filling::InOrder { mut rows, spiller: Some(mut spiller), room, .. } => {
                write_all(&mut spiller, &mut rows)?;
                (spiller, room)
            }
            Filling::Drawn { spiller, room } => (spiller, room),
        };
        spiller.done(room.window()).map(Store::Spilled)
    }
}

fn write_all(spiller: &mut Spiller, rows: &mut Rows) -> Result<()> {
    let blocks = rows.blocks().iter().filter(|block| !block.is_empty());
    blocks.into_iter().try_for_each(|block| spiller.append(block))?;
    rows.clear();
    Ok(())
}
