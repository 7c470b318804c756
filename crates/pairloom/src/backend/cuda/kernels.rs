//! The text of the kernels, and what they are given.

use crate::batch::BLOCK_ROWS;
use crate::interaction::Kind;
use crate::precision::Precision;
use crate::store::Order;
use bytemuck::{Pod, Zeroable};

/// What comes before the text of a model, and what comes after it.
const HEAD: &str = include_str!("head.cu");
const SORT: &str = include_str!("sort.cu");
const FORWARD: &str = include_str!("forward.cu");
const UPDATE: &str = include_str!("update.cu");
const EPOCH: &str = include_str!("epoch.cu");

/// Threads of a block, entries of a tile, and sorted entries of a piece.
pub(super) const THREADS: u32 = 256;
pub(super) const TILE: u32 = 2048;
pub(super) const PIECE: u32 = 256;

/// Devices that share the work at the most.
pub(super) const MOST_RANKS: usize = 8;

/// Floats that are kept of a piece beside those of its vectors.
pub(super) const KEPT: usize = 3;

/// Threads of a warp.
pub(super) const WARP: u32 = 32;

/// Bits that a pass of sorting looks at.
pub(super) const DIGIT_BITS: u32 = 8;

/// What the text is compiled for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub(super) model: Kind,
    /// Floats of a vector (1 if there are none), and of all vectors of a feature, padding included.
    pub(super) part: usize,
    pub(super) width: usize,
    /// Fields; 1 if nobody knows of any.
    pub(super) fields: usize,
    pub(super) order: usize,
    pub(super) lower_orders: bool,
    pub(super) rank: usize,
    /// Numbers that belong to no feature, for a class.
    pub(super) shared: usize,
    /// Machines side by side.
    pub(super) classes: usize,
    /// Floats of optimizer state for each parameter.
    pub(super) states: usize,
    /// How the table of factors is kept.
    pub(super) precision: Precision,
    /// Devices that share the work.
    pub(super) ranks: usize,
    /// Features, and whether a step moves all of them; the text does not depend on these.
    pub(super) features: usize,
    pub(super) is_dense: bool,
}

impl Shape {
    /// The kernels, in CUDA C++.
    pub(super) fn text(&self) -> String {
        let model = match self.model {
            Kind::Linear => include_str!("linear.cu"),
            Kind::Mf => include_str!("mf.cu"),
            Kind::Fm => include_str!("fm.cu"),
            Kind::Ffm => include_str!("ffm.cu"),
            Kind::Fwfm => include_str!("fwfm.cu"),
            Kind::Dplr => include_str!("dplr.cu"),
            Kind::Fmfm => include_str!("fmfm.cu"),
            Kind::Hofm => include_str!("hofm.cu"),
        };
        [HEAD, model, SORT, FORWARD, UPDATE, EPOCH].concat()
    }

    /// Sizes, as flags of a compiler.
    pub(super) fn flags(&self) -> Vec<String> {
        let sizes = [
            ("PART", self.part),
            ("WIDTH", self.width),
            ("FIELDS", self.fields),
            ("ORDER", self.order()),
            ("LOWER", self.lower_orders.into()),
            ("RANK", self.rank),
            ("SHARED", self.shared),
            ("CLASSES", self.classes),
            ("STATES", self.states),
            ("BF16", (self.precision == Precision::Bf16).into()),
            ("RANKS", self.ranks),
            ("BLOCK_ROWS", BLOCK_ROWS),
            ("SUMS", self.sums()),
            ("THREADS", THREADS as usize),
            ("TILE", TILE as usize),
            ("DIGITS", 1 << DIGIT_BITS),
            ("PIECE", PIECE as usize),
        ];
        sizes.map(|(name, size)| format!("-D{name}={size}")).into()
    }

    fn order(&self) -> usize {
        if self.model == Kind::Hofm { self.order } else { 2 }
    }

    /// Floats of the running sums of a row, for a class: as the model's text has them.
    pub(super) fn sums(&self) -> usize {
        let Shape { part, width, fields, order, lower_orders, rank, .. } = *self;
        match self.model {
            Kind::Linear => 0,
            Kind::Mf => 2 * width,
            Kind::Fm => width,
            Kind::Ffm => fields * width,
            Kind::Fwfm | Kind::Fmfm => 2 * fields * width + fields,
            Kind::Dplr => (2 * fields + rank) * width + fields,
            Kind::Hofm if lower_orders => (order * (order + 1) / 2 - 1) * part,
            Kind::Hofm => order * part,
        }
    }

    /// Parts of so many rows from which the gradients of shared numbers are added up side by side, so that all of a GPU
    /// is busy: it does not depend on the GPU, as the order of the sums must not.
    pub(super) fn parts(&self, rows: usize) -> usize {
        const BLOCKS: usize = 1024;
        const ROWS: usize = 256;
        let blocks = (self.shared * self.classes).div_ceil(WARP as usize).max(1);
        BLOCKS.div_ceil(blocks).clamp(1, rows.div_ceil(ROWS).max(1))
    }
}

macro_rules! kernels {
    ($($name:ident: $text:literal,)*) => {
        /// A kernel by its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kernel {
            $($name,)*
        }

        impl Kernel {
            /// All of them, in their order.
            pub(super) const ALL: &[Kernel] = &[$(Kernel::$name,)*];

            /// Its name in the text.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Kernel::$name => $text,)*
                }
            }
        }
    };
}

kernels! {
    Numbers: "numbers",
    Lengths: "lengths",
    OffsetsInTiles: "offsets_in_tiles",
    OffsetsOfTiles: "offsets_of_tiles",
    Offsets: "offsets",
    Forward: "forward",
    Scores: "scores",
    Costs: "costs",
    Cost: "cost",
    Digits: "digits",
    DigitsInTiles: "digits_in_tiles",
    DigitsOfTiles: "digits_of_tiles",
    DigitsBefore: "digits_before",
    Scatter: "scatter",
    Heads: "heads",
    HeadsInTiles: "heads_in_tiles",
    HeadsOfTiles: "heads_of_tiles",
    Pieces: "pieces",
    Update: "update",
    Combine: "combine",
    Merge: "merge",
    Untouched: "untouched",
    SharedGradients: "shared_gradients",
    SharedNumbers: "shared_numbers",
    Biases: "biases",
    Known: "known",
    AreFinite: "are_finite",
    Snapshot: "snapshot",
}

/// No row.
pub(super) const NONE: u32 = u32::MAX;

/// `Outcome` of the text.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Outcome {
    pub(super) loss: f64,
    pub(super) weight: f64,
    pub(super) bad: u32,
    pub(super) pieces: u32,
    pub(super) entries: u32,
    pub(super) rows: u32,
    pub(super) parts: u32,
    pub(super) is_not_finite: u32,
}

impl Outcome {
    /// Of a step that was not taken.
    pub(super) const NOTHING: Outcome = Outcome {
        loss: 0.0,
        weight: 0.0,
        bad: NONE,
        pieces: 0,
        entries: 0,
        rows: 0,
        parts: 0,
        is_not_finite: 0,
    };
}

/// `Rows` of the text.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(super) struct OfRows {
    pub(super) starts: u64,
    pub(super) ids: u64,
    pub(super) values: u64,
    pub(super) labels: u64,
    pub(super) weights: u64,
}

impl OfRows {
    /// Those from so many on.
    pub(super) fn after(self, rows: usize) -> Self {
        let place = |address: u64, size: usize| match address {
            0 => 0,
            address => address + (rows * size) as u64,
        };
        OfRows {
            starts: place(self.starts, size_of::<u64>()),
            labels: place(self.labels, size_of::<f32>()),
            weights: place(self.weights, size_of::<f32>()),
            ..self
        }
    }
}

/// `Order` of the text.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(super) struct OfOrder {
    pub(super) keys: [[u64; 2]; 4],
    pub(super) rows: u32,
    pub(super) bits: u32,
    pub(super) highs: u32,
    pub(super) is_shuffled: u32,
}

impl OfOrder {
    pub(super) fn of(order: &Order) -> Self {
        let (rows, [bits, highs]) = (order.rows(), order.parts());
        let keys = order.keys();
        OfOrder {
            keys: keys.unwrap_or_default(),
            rows,
            bits,
            highs,
            is_shuffled: keys.is_some().into(),
        }
    }
}

/// `Rank` of the text.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(super) struct OfRank {
    pub(super) rows: OfRows,
    pub(super) linear: u64,
    pub(super) factors: u64,
    pub(super) keys: u64,
    pub(super) pieces: u64,
    pub(super) gradients: u64,
    pub(super) shared_sums: u64,
    pub(super) partial: u64,
    pub(super) outcome: u64,
}

/// `Args` of the text; pointers are addresses.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(super) struct Args {
    pub(super) own: OfRows,
    pub(super) batch: u64,
    pub(super) offsets: u64,
    pub(super) keys: [u64; 2],
    pub(super) places: [u64; 2],
    pub(super) entry_row: u64,
    pub(super) entry_x: u64,
    pub(super) sums: u64,
    pub(super) slopes: u64,
    pub(super) losses: u64,
    pub(super) partial: u64,
    pub(super) counts: u64,
    pub(super) totals: u64,
    pub(super) flags: u64,
    pub(super) pieces: u64,
    pub(super) gradients: u64,
    pub(super) shared_sums: u64,
    pub(super) bias: u64,
    pub(super) shared: u64,
    pub(super) strengths: u64,
    pub(super) fields: u64,
    pub(super) count: u64,
    pub(super) touched: u64,
    pub(super) parts: u64,
    pub(super) known: u64,
    pub(super) linear: u64,
    pub(super) factors: u64,
    pub(super) outcome: u64,
    pub(super) before: u64,
    pub(super) ranks: [OfRank; MOST_RANKS],
    pub(super) learned: u64,
    pub(super) mean: f64,
    pub(super) scale: f64,
    pub(super) number: f64,
    pub(super) rate: f32,
    pub(super) corrected: f32,
    pub(super) root: f32,
    pub(super) momentum: f32,
    pub(super) l1_linear: f32,
    pub(super) l2_linear: f32,
    pub(super) l1_factors: f32,
    pub(super) l2_factors: f32,
    pub(super) all: f32,
    pub(super) passes: f32,
    pub(super) rows: u32,
    pub(super) features: u32,
    pub(super) time: u32,
    pub(super) loss: u32,
    pub(super) optimizer: u32,
    pub(super) learns_linear: u32,
    pub(super) learns_bias: u32,
    pub(super) length: u32,
    pub(super) shift: u32,
    pub(super) side: u32,
    pub(super) tiles: u32,
    pub(super) rank: u32,
    pub(super) first: u32,
    pub(super) order: OfOrder,
}
