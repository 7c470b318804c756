//! What is done with a whole table between epochs, where it lies.

use super::device::Buffer;
use super::kernels::{Args, Kernel};
use super::rank::{features_of, read_share};
use super::{Gpu, memory};
use crate::Result;
use crate::backend::{Backend, Copied, Snapshot, State, strengths};
use crate::interaction::{Fields, Interaction};
use crate::model::Weights;
use crate::precision::Precision;
use crate::table::Table;
use std::ops::Range;

/// Features that a block looks at, to learn the strengths of their field; so few in tests that a field has several.
const PART: usize = if cfg!(test) { 50 } else { 1 << 12 };

/// Parts of the features of each field and class, each of which has some on all of so many ranks.
pub(super) fn parts(state: &State, ranks: usize) -> Vec<(usize, Range<u32>)> {
    let State { fields, factors, classes, .. } = state;
    strengths::parts(fields, factors.features() / classes, *classes, (PART * ranks) as u32)
}

/// The same for the kernels of a rank: whose strengths they have, and rows of its table.
pub(super) fn own_parts(parts: &[(usize, Range<u32>)], rank: usize, ranks: usize) -> Vec<u32> {
    let row = |feature: u32| (feature + (ranks - 1 - rank) as u32) / ranks as u32;
    parts.iter().flat_map(|(place, all)| [*place as u32, row(all.start), row(all.end)]).collect()
}

impl<M: Interaction> Gpu<M> {
    /// Runs a kernel over the table of each rank; `blocks` says in how many blocks, from the usual number.
    fn over_tables(
        &self,
        kernel: Kernel,
        blocks: impl Fn(u32) -> u32,
        more: impl Fn(usize, Args) -> Args,
    ) -> Result<()> {
        let all = Args { passes: self.passes(), ..self.args(self.state.time) };
        for (at, rank) in self.ranks.iter().enumerate() {
            let args = Args { rank: at as u32, ..rank.args(rank.rows.addresses(), &all) };
            rank.launch(kernel, blocks(rank.device.blocks()), &more(at, args))?;
        }
        Ok(())
    }

    /// Learns the strengths by what the devices know of the weights.
    pub(super) fn learn_from_known(&mut self, dispersion: f64) -> Result<()> {
        self.upload()?;
        let parts = parts(&self.state, self.shape.ranks);
        self.over_tables(Kernel::Known, |_| parts.len() as u32, |_, args| args)?;
        let each = strengths::each(&self.interaction);
        let mut known = Vec::with_capacity(self.shape.ranks * parts.len());
        for rank in &self.ranks {
            let mut sums = vec![[0.0; 2]; parts.len() * each];
            rank.model.known.read(&mut sums)?;
            let sums = sums.chunks_exact(each).map(<[_]>::to_vec);
            known.extend(parts.iter().map(|(place, _)| *place).zip(sums));
        }
        let Gpu { interaction, settings, state, ranks, .. } = self;
        strengths::take(interaction, settings, state, known, dispersion);
        ranks.iter_mut().try_for_each(|rank| rank.model.strengths.write(0, &state.strengths))
    }

    pub(super) fn are_tables_finite(&mut self) -> Result<bool> {
        self.upload()?;
        self.over_tables(Kernel::AreFinite, |blocks| blocks, |_, args| args)?;
        let time = self.state.time;
        let reads =
            self.ranks.iter().map(|rank| rank.begin_outcome(time)).collect::<Result<Vec<_>>>()?;
        Ok(self.outcomes(&reads)?.iter().all(|outcome| outcome.is_not_finite == 0))
    }

    /// A copy of the weights on the devices, or on the host if these have no room for it.
    pub(super) fn copy(&mut self) -> Result<Snapshot> {
        let State { linear, factors, classes, .. } = &self.state;
        let features = linear.features() / classes;
        let (width, precision) = (factors.width(), factors.precision());
        let all = self.shape.ranks;
        let mut tables = Vec::with_capacity(all);
        for (at, rank) in self.ranks.iter().enumerate() {
            let rows = features_of(at, features, all) * classes;
            let bytes = rows * (size_of::<f32>() + width * precision.bytes());
            let (mut linear, mut factors) = (Buffer::new(&rank.device), Buffer::new(&rank.device));
            let is_free = bytes as u64 + memory::SPARE <= rank.device.free_bytes()?;
            let mut reserve = || {
                linear.reserve(rows)?;
                factors.reserve(rows * width * precision.bytes())
            };
            if !is_free || !memory::had_room(reserve())? {
                return Ok(Snapshot::Here(self.weights()?));
            }
            tables.push(Share { linear, factors });
        }
        self.upload()?;
        let to = |at: usize, args| {
            let Share { linear, factors, .. } = &tables[at];
            Args { linear: linear.address(), factors: factors.address(), ..args }
        };
        self.over_tables(Kernel::Snapshot, |blocks| blocks, to)?;
        // Of these the first numbers are no state.
        let [mut bias, mut shared] =
            [self.state.dense().0, self.state.dense().1].map(<[f32]>::to_vec);
        let (model, fields) = (&self.ranks[0].model, self.state.fields.clone());
        model.bias.read(&mut bias)?;
        model.shared.read(&mut shared)?;
        Ok(Snapshot::There(Box::new(OnDevices {
            tables,
            bias,
            shared,
            fields,
            features,
            width,
            precision,
        })))
    }
}

/// Weights in the memory of devices, each of which has a share.
struct OnDevices {
    tables: Vec<Share>,
    bias: Vec<f32>,
    shared: Vec<f32>,
    fields: Fields,
    features: usize,
    width: usize,
    precision: Precision,
}

/// The rows of the tables that a rank has.
struct Share {
    linear: Buffer<f32>,
    factors: Buffer<u8>,
}

impl Copied for OnDevices {
    fn weights(&self) -> Result<Weights> {
        let OnDevices { tables, bias, shared, fields, features, width, precision } = self;
        let classes = bias.len();
        let mut linear = Table::new(features * classes, 1, 0)?;
        let mut factors = Table::of(features * classes, *width, 0, *precision)?;
        let each = classes * width * precision.bytes();
        for (at, share) in tables.iter().enumerate() {
            read_share(&share.linear, linear.floats_mut(), classes, at, tables.len())?;
            read_share(&share.factors, factors.raw_mut(), each, at, tables.len())?;
        }
        let (bias, shared, fields) = (bias.clone(), shared.clone(), fields.clone());
        Ok(Weights { bias, linear, factors, shared, fields })
    }
}
