//! Training and prediction on a GPU, the rows lying there. `bench/gpu/run` sets the figures beside the limits of the
//! device and beside PyTorch, for which the rows, in the order of the batches, and the first weights are left in files.
//!
//!     pairloom-speed gpu BITS FOLDER [--quick] [--cpu]
//!     pairloom-speed gpu-steps BITS [--quick] [--cpu]
//!
//! Tables have `2^BITS` features. A pass ends when its loss has come back, so the clock of the host is that of the device
//! with all that lies between steps. There is no penalty, so that any program that takes the same steps has the same loss.

use crate::figures::Figures;
use crate::rows::{Draw, FEATURES, rows, shuffled};
use crate::step::{Fm16, fm16, pass_by};
use crate::training::constant;
use crate::{Result, Size};
use pairloom::Config;
use pairloom::backend::{Backend, Cpu, LargestBatch, StepSettings, devices, open_cuda};
use pairloom::batch::Rows;
use pairloom::encode::Target;
use pairloom::interaction::Fields;
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

const FACTORS: usize = 16;

/// The optimizers with learning rates at which few steps of large batches learn, and many of small ones.
const OPTIMIZERS: [(Optimizer, f32); 2] = [(Optimizer::Adagrad, 0.02), (Optimizer::Adam, 0.003)];

/// Batches of which the features are counted.
const COUNTED: usize = 4;

/// Steps that a profiler sees.
const STEPS: usize = 4;

/// How many rows there are to learn from, and to be tried on after that; and the sizes of batches, as powers of 2.
struct Amount {
    learned: usize,
    held_out: usize,
    batches: &'static [u32],
}

impl Amount {
    fn new(size: Size) -> Self {
        match size.repeats {
            1 => Amount { learned: 1 << 14, held_out: 1 << 12, batches: &[10, 12] },
            _ => Amount { learned: 1 << 22, held_out: 1 << 18, batches: &[14, 16, 18] },
        }
    }
}

/// Rows, and the machine's beginning.
struct Work {
    size: Size,
    learned: Rows,
    order: Vec<u32>,
    held_out: Rows,
    counts: Vec<u32>,
    weights: Weights,
    /// Rows of a batch at the most.
    largest: usize,
}

/// Measures all batches and optimizers with a table.
pub fn measure(words: &[String], size: Size) -> Result<Figures> {
    let [bits, folder] = words else {
        return Err("usage: pairloom-speed gpu BITS FOLDER [--quick] [--cpu]".into());
    };
    let (bits, amount, mut figures) = (bits.parse()?, Amount::new(size), Figures::default());
    let work = Work::new(bits, &amount, size)?;
    work.write(Path::new(folder), &amount)?;
    figures.fact("rows", work.learned.len());
    figures.fact("loss of a constant", constant(&work.held_out));
    for &batch in amount.batches {
        figures.fact(&format!("features of a batch, 2^{batch}"), work.features(1 << batch));
        for (optimizer, rate) in OPTIMIZERS {
            work.train(optimizer, rate, batch, &mut figures)?;
        }
    }
    work.predict(&mut figures)?;
    Ok(figures)
}

/// Takes a few steps and scores rows once, for a profiler.
pub fn steps(words: &[String], size: Size) -> Result<Figures> {
    let [bits] = words else {
        return Err("usage: pairloom-speed gpu-steps BITS [--quick] [--cpu]".into());
    };
    let batch = if size.repeats == 1 { 1 << 10 } else { 1 << 16 };
    let amount = Amount { learned: STEPS * batch, held_out: batch, batches: &[] };
    let (work, mut figures) = (Work::new(bits.parse()?, &amount, size)?, Figures::default());
    let mut model = work.open(Optimizer::Adagrad)?;
    model.enter(&work.learned)?;
    let loss = pass_by(&mut *model, &work.learned, &work.order, batch, OPTIMIZERS[0].1)?;
    black_box(model.scores(&work.held_out)?);
    for (name, number) in [("steps", STEPS), ("rows of a step", batch), ("rows scored", batch)] {
        figures.fact(name, number);
    }
    figures.fact("loss", loss);
    Ok(figures)
}

impl Work {
    fn new(bits: u32, amount: &Amount, size: Size) -> Result<Self> {
        if !size.on_cpu {
            // Before seconds are spent on rows.
            devices()?;
        }
        let all = rows(amount.learned + amount.held_out, bits, Draw::Zipf);
        let (learned, held_out) =
            (part(&all, 0..amount.learned), part(&all, amount.learned..all.len()));
        let mut counts = vec![0; 1 << bits];
        learned.count(&mut counts);
        // They differ in their optimizers alone.
        let weights =
            Weights::init(&config(Optimizer::Adagrad), &counts, Fields::default(), &[0.0])?;
        let order = shuffled(learned.len());
        let largest = amount.batches.last().map_or(learned.len(), |bits| 1 << bits);
        Ok(Work { size, order, learned, held_out, counts, weights, largest })
    }

    fn open(&self, optimizer: Optimizer) -> Result<Box<dyn Backend>> {
        let (config, threads) = (config(optimizer), Threads::new(0)?);
        let target = Target::Binary { negative: Some("0".into()), positive: "1".into() };
        let settings = StepSettings::new(&config, target, self.counts.clone());
        if self.size.on_cpu {
            let model = Cpu::<Fm16, f32>::new(fm16(), &self.weights, settings, threads)?;
            return Ok(Box::new(model));
        }
        let most = LargestBatch { rows: self.largest, entries: self.largest * FEATURES };
        Ok(open_cuda(&config, &self.weights, settings, most)?)
    }

    /// The first pass is from the first weights and says what is learned; the others are timed.
    fn train(
        &self,
        optimizer: Optimizer,
        rate: f32,
        batch: u32,
        figures: &mut Figures,
    ) -> Result<()> {
        let mut model = self.open(optimizer)?;
        model.enter(&self.learned)?;
        let pass =
            |model: &mut dyn Backend| pass_by(model, &self.learned, &self.order, 1 << batch, rate);
        pass(&mut *model)?;
        let name = format!("{}, batch 2^{batch}", optimizer.name());
        let loss = log_loss(&model.scores(&self.held_out)?, &self.held_out);
        figures.fact(&format!("log loss, {name}"), loss);
        for _ in 0..self.size.repeats {
            let began = Instant::now();
            pass(&mut *model)?;
            let rate = self.order.len() as f64 / began.elapsed().as_secs_f64();
            figures.add(&format!("training, {name}"), rate);
        }
        Ok(())
    }

    /// Scores of rows that lie on the device, and of rows of the host; and how fast these are brought there alone.
    fn predict(&self, figures: &mut Figures) -> Result<()> {
        let began = Instant::now();
        let mut model = self.open(Optimizer::Adagrad)?;
        model.enter(&self.learned)?;
        figures.fact("seconds to begin", began.elapsed().as_secs_f64());
        model.hold(&self.learned)?;
        black_box((model.scores_held(&self.learned)?, model.scores(&self.learned)?));
        for _ in 0..self.size.repeats {
            let began = Instant::now();
            black_box(model.scores_held(&self.learned)?);
            let held = began.elapsed().as_secs_f64();
            let began = Instant::now();
            black_box(model.scores(&self.learned)?);
            let scored = began.elapsed().as_secs_f64();
            let began = Instant::now();
            model.enter(&self.learned)?;
            let entered = began.elapsed().as_secs_f64();
            for (name, seconds) in
                [("prediction", held), ("prediction, brought", scored), ("entering", entered)]
            {
                figures.add(name, self.learned.len() as f64 / seconds);
            }
        }
        Ok(())
    }

    /// The number of different features of a batch, in the mean.
    fn features(&self, batch: usize) -> f64 {
        let batches = || self.order.chunks_exact(batch).take(COUNTED);
        let different = batches().map(|batch| {
            let mut is_there = vec![false; self.counts.len()];
            let ids = batch.iter().flat_map(|&row| self.learned.row(row as usize).ids);
            ids.for_each(|&id| is_there[id as usize] = true);
            is_there.into_iter().filter(|is_there| *is_there).count()
        });
        different.sum::<usize>() as f64 / batches().count().max(1) as f64
    }

    /// What `bench/gpu/torch_fm.py` reads: numbers of 32 bits, least byte first, and what they are.
    fn write(&self, folder: &Path, amount: &Amount) -> Result<()> {
        let create = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
        let (mut ids, mut labels) = (create("ids.u32")?, create("labels.f32")?);
        let learned = self.order.iter().map(|&row| (&self.learned, row as usize));
        let held_out = (0..self.held_out.len()).map(|row| (&self.held_out, row));
        for (rows, row) in learned.chain(held_out) {
            for id in rows.row(row).ids {
                ids.write_all(&id.to_le_bytes())?;
            }
            labels.write_all(&rows.label(row).0.to_le_bytes())?;
        }
        let mut first = create("weights.f32")?;
        let Weights { linear, factors, .. } = &self.weights;
        let vectors = factors.floats().chunks_exact(factors.stride());
        for (vector, w) in vectors.zip(linear.floats().chunks_exact(linear.stride())) {
            for number in vector[..FACTORS].iter().chain(&w[..1]) {
                first.write_all(&number.to_le_bytes())?;
            }
        }
        ids.flush()?;
        labels.flush()?;
        first.flush()?;
        let rates = OPTIMIZERS.map(|(optimizer, rate)| (optimizer.name().to_string(), rate));
        let said = json!({
            "learned": self.learned.len(),
            "held_out": self.held_out.len(),
            "of_a_row": FEATURES,
            "features": self.counts.len(),
            "factors": FACTORS,
            "batches": amount.batches,
            "repeats": self.size.repeats,
            "rates": rates.into_iter().collect::<BTreeMap<_, _>>(),
        });
        Ok(std::fs::write(folder.join("settings.json"), said.to_string())?)
    }
}

/// A machine without penalties.
fn config(optimizer: Optimizer) -> Config {
    Config {
        factors: Some(FACTORS),
        optimizer,
        loss: Some(Loss::Logistic),
        init_stdev: Some(0.03),
        l2_linear: 0.0,
        l2_factors: Some(0.0),
        learn_l2: false,
        ..Config::default()
    }
}

/// Some of the rows.
fn part(all: &Rows, some: Range<usize>) -> Rows {
    let mut rows = Rows::new();
    for row in some {
        all.row(row).features().for_each(|(id, x)| rows.push(id, x));
        let (label, weight) = all.label(row);
        rows.finish(label, weight);
    }
    rows
}

/// The mean log loss of scores.
fn log_loss(scores: &[f32], rows: &Rows) -> f64 {
    let losses = scores.iter().zip(rows.outcomes()).map(|(&score, (label, _))| {
        let (score, label) = (f64::from(score), f64::from(label));
        score.max(0.0) + (-score.abs()).exp().ln_1p() - label * score
    });
    losses.sum::<f64>() / scores.len() as f64
}
