//! Writing rows to a temporary file.
//!
//! Rows of a file are often sorted, by time, user or label, and the windows of an epoch must not be.
//! So each row goes into a bucket that is drawn for it, as cards are dealt: a bucket is a random
//! part of the rows, and what a window has of whole buckets is one too.

use super::filling::Room;
use super::segment;
use super::spill::{Bucket, Segment, Spill};
use crate::Result;
use crate::batch::{BLOCK_ROWS, Block, Rows};
use crate::pieces::Pieces;
use std::mem;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

/// How rows are dealt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Deal {
    /// One after the other: a bucket is what was written at once.
    InOrder,
    /// At random, by this seed, into so many buckets.
    Drawn { seed: u64, buckets: usize },
}

impl Deal {
    /// The bucket that a row, or a group, of this number is drawn for.
    pub(super) fn bucket(self, number: u64) -> usize {
        match self {
            Deal::InOrder => 0,
            Deal::Drawn { seed, buckets } => {
                let drawn = xxh3_64_with_seed(&number.to_le_bytes(), seed);
                ((u128::from(drawn) * buckets as u128) >> 64) as usize
            }
        }
    }
}

/// A temporary file that is being filled.
pub(crate) struct Spiller {
    file: Pieces,
    deal: Deal,
    features: u32,
    /// Bytes of a bucket's rows that are written at once.
    most: u128,
    open: Vec<Block>,
    buckets: Vec<Bucket>,
    rows: usize,
    weight: f64,
    has_values: bool,
    has_groups: bool,
    words: Vec<u32>,
    hash: Xxh3,
}

impl Spiller {
    /// An empty file in `folder`, which goes away with the process. At most `room` bytes are held
    /// before they are written.
    pub(super) fn new(folder: &str, features: usize, deal: Deal, room: u128) -> Result<Self> {
        let file = Pieces::temporary(folder)?;
        let buckets = match deal {
            Deal::InOrder => 0,
            Deal::Drawn { buckets, .. } => buckets,
        };
        Ok(Spiller {
            file,
            deal,
            features: features as u32,
            most: room / buckets.max(1) as u128,
            open: vec![Block::new(); buckets],
            buckets: vec![Bucket::default(); buckets],
            rows: 0,
            weight: 0.0,
            has_values: false,
            has_groups: false,
            words: Vec::new(),
            hash: Xxh3::new(),
        })
    }

    /// Deals rows to their buckets, those of a group to the same.
    pub(super) fn deal(&mut self, rows: &Rows) -> Result<()> {
        for row in 0..rows.len() {
            let group = rows.group(row);
            let bucket = self.deal.bucket(group.map_or(self.rows as u64, u64::from));
            self.rows += 1;
            self.has_groups |= group.is_some();
            let block = &mut self.open[bucket];
            block.add(rows.row(row), rows.label(row), group)?;
            if block.len() == BLOCK_ROWS || block.bytes() >= self.most {
                self.write_open(bucket)?;
            }
        }
        Ok(())
    }

    /// Writes a whole block, where rows are written in order.
    pub(super) fn append(&mut self, block: &Block) -> Result<()> {
        self.rows += block.len();
        self.buckets.push(Bucket::default());
        self.write(block, self.buckets.len() - 1)
    }

    fn write_open(&mut self, at: usize) -> Result<()> {
        let mut block = mem::replace(&mut self.open[at], Block::new());
        self.write(&block, at)?;
        block.clear();
        self.open[at] = block;
        Ok(())
    }

    fn write(&mut self, block: &Block, bucket: usize) -> Result<()> {
        self.weight += block.weight();
        self.has_values |= !block.values().is_empty();
        segment::write(block, &mut self.words)?;
        let (place, checksum) = self.file.append(&mut self.words)?;
        // The checksum stands for all before it.
        self.hash.update(&checksum);
        let bucket = &mut self.buckets[bucket];
        bucket.rows += block.len();
        bucket.segments.push(Segment { place, rows: block.len() });
        Ok(())
    }

    /// What was written, in windows for which there is room.
    pub(super) fn done(mut self, room: &Room) -> Result<Spill> {
        for at in 0..self.open.len() {
            if !self.open[at].is_empty() {
                self.write_open(at)?;
            }
        }
        let bytes = self.file.bytes();
        let Spiller { file, deal, features, buckets, rows, weight, .. } = self;
        let Spiller { has_values, has_groups, hash, .. } = self;
        let per_window =
            (room.window() * buckets.len() as u128 / u128::from(bytes.max(1))).max(1) as usize;
        let (hash, scale) = (hash.digest(), Vec::new());
        Ok(Spill {
            file,
            deal,
            features,
            buckets,
            rows,
            weight,
            has_values,
            has_groups,
            per_window,
            threads: room.threads,
            hash,
            scale,
        })
    }
}
