//! Our training step over one pass of the rows.

use crate::Result;
use pairloom::Config;
use pairloom::backend::{Backend, Cpu, Learned, StepSettings};
use pairloom::batch::Rows;
use pairloom::encode::Target;
use pairloom::interaction::{Fields, Fm, Interaction, Plan};
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;

/// Rows of a batch, the learning rate, and the strength of the penalties: those of the defaults.
pub const BATCH: usize = 256;
pub const RATE: f32 = 0.064;
const L2: [f64; 2] = [1.0, 44.0];

/// Vectors of 16 factors.
pub type Fm16 = Fm<[f32; 16]>;

/// The machine itself.
pub fn fm16() -> Fm16 {
    Fm16::new(&Plan::of(16))
}

/// A model that has taken one step, over `2^bits` features. The first step counts, once in a
/// training, which features each thread gets.
pub fn backend<M: Interaction>(
    interaction: M,
    optimizer: Optimizer,
    rows: &Rows,
    bits: u32,
    threads: usize,
) -> Result<Cpu<M>> {
    let factors = interaction.width();
    let mut counts = vec![0; 1 << bits];
    rows.count(&mut counts);
    let config = Config {
        factors: Some(factors),
        optimizer,
        loss: Some(Loss::Logistic),
        init_stdev: Some(0.03),
        l2_linear: L2[0],
        l2_factors: Some(L2[1]),
        ..Config::default()
    };
    let weights = Weights::init(&config, &counts, Fields::default(), &[0.0])?;
    let target = Target::Binary { negative: Some("0".into()), positive: "1".into() };
    let settings = StepSettings::new(&config, target, counts);
    let mut model = Cpu::new(interaction, &weights, settings, Threads::new(threads)?)?;
    let first: Vec<u32> = (0..BATCH as u32).collect();
    pass(&mut model, rows, &first)?;
    Ok(model)
}

/// The mean loss over a pass.
pub fn pass(model: &mut impl Backend, rows: &Rows, order: &[u32]) -> Result<f64> {
    pass_by(model, rows, order, BATCH, RATE)
}

/// The same in batches of so many rows, at a rate.
pub fn pass_by(
    model: &mut dyn Backend,
    rows: &Rows,
    order: &[u32],
    batch: usize,
    rate: f32,
) -> Result<f64> {
    let mut learned = Learned::default();
    let mut coming = order.chunks(batch).skip(1);
    for batch in order.chunks(batch) {
        model.announce(coming.next().unwrap_or_default());
        learned += model.step(rows, batch, rate).map_err(|no| no.to_string())?;
    }
    learned += model.finish().map_err(|no| no.to_string())?;
    Ok(learned.loss / order.len() as f64)
}

/// All weights and states, bit by bit.
pub fn bits(model: &impl Backend) -> Vec<u32> {
    let state = model.state();
    let floats = state.linear.floats().iter().chain(state.factors.floats()).chain(&state.bias);
    floats.map(|x| x.to_bits()).collect()
}
