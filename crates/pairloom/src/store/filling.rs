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
    /// Threads that may read them.
    pub threads: usize,
}

impl Default for Room {
    /// As much as there is.
    fn default() -> Self {
        Room { bytes: u128::MAX, folder: String::new(), threads: 1 }
    }
}

/// Buckets that make up a window: the more of them, the less the same rows come together in each epoch.
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
    /// were given back; an eighth of a window may be in the buffers of those who read.
    pub(super) fn window(&self) -> u128 {
        self.train() / 3
    }
}

/// A store of training rows that is being filled.
pub(crate) enum Filling<'a> {
    /// Rows are kept in their order.
    InOrder(InOrder<'a>),
    /// Rows are dealt at random to the buckets of a file.
    Drawn(Spiller, &'a Room),
}

impl<'a> Filling<'a> {
    /// For `expected` bytes of rows; if a seed says so, in an order of its own.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if there can be no temporary file.
    pub(crate) fn new(
        room: &'a Room,
        features: usize,
        expected: u128,
        seed: Option<u64>,
    ) -> Result<Self> {
        let Some(seed) = seed.filter(|_| expected > room.train()) else {
            return Ok(Filling::InOrder(InOrder::new(room, features, room.train())));
        };
        let buckets = (BUCKETS * expected.div_ceil(room.window().max(1))) as usize;
        let deal = Deal::Drawn { seed, buckets };
        let spiller = Spiller::new(&room.folder, features, deal, room.train() / 2)?;
        Ok(Filling::Drawn(spiller, room))
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`crate::Error::Memory`], [`crate::Error::Io`].
    pub(crate) fn add(&mut self, more: &Rows) -> Result<()> {
        match self {
            Filling::InOrder(rows) => rows.add(more),
            Filling::Drawn(spiller, _) => spiller.deal(more),
        }
    }

    /// The store.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if what is left cannot be written.
    pub(crate) fn done(self) -> Result<Store> {
        match self {
            Filling::InOrder(rows) => rows.done(),
            Filling::Drawn(spiller, room) => spiller.done(room).map(Store::Spilled),
        }
    }
}

/// A store that is being filled, whose rows keep their order: in memory up to a limit, then all in a
/// file.
pub(crate) struct InOrder<'a> {
    rows: Rows,
    features: usize,
    most: u128,
    room: &'a Room,
    spiller: Option<Spiller>,
}

impl<'a> InOrder<'a> {
    fn new(room: &'a Room, features: usize, most: u128) -> Self {
        InOrder { rows: Rows::new(), features, most, room, spiller: None }
    }

    /// For validation rows.
    pub(crate) fn valid(room: &'a Room, features: usize) -> Self {
        Self::new(room, features, room.valid())
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`crate::Error::Memory`], [`crate::Error::Io`].
    pub(crate) fn add(&mut self, more: &Rows) -> Result<()> {
        self.with(|rows| more.blocks().iter().try_for_each(|block| rows.extend(&block.part())))
    }

    /// Lets `add` add rows.
    ///
    /// # Errors
    /// Those of `add`, and as for [`InOrder::add`].
    pub(crate) fn with(&mut self, add: impl FnOnce(&mut Rows) -> Result<()>) -> Result<()> {
        add(&mut self.rows)?;
        // Some blocks are written at a time.
        if self.rows.blocks().len() == 1 {
            return Ok(());
        }
        if self.spiller.is_none() && self.rows.bytes() > self.most {
            let begun = Spiller::new(&self.room.folder, self.features, Deal::InOrder, 0)?;
            self.spiller = Some(begun);
        }
        match &mut self.spiller {
            Some(spiller) => write_all(spiller, &mut self.rows),
            None => Ok(()),
        }
    }

    /// The store.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if what is left cannot be written.
    pub(crate) fn done(mut self) -> Result<Store> {
        let Some(mut spiller) = self.spiller else { return Ok(Store::Held(self.rows)) };
        write_all(&mut spiller, &mut self.rows)?;
        spiller.done(self.room).map(Store::Spilled)
    }
}

fn write_all(spiller: &mut Spiller, rows: &mut Rows) -> Result<()> {
    let blocks = rows.blocks().iter().filter(|block| !block.is_empty());
    blocks.into_iter().try_for_each(|block| spiller.append(block))?;
    rows.clear();
    Ok(())
}
