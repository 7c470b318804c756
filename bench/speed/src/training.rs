//! The training step: its rate on one thread beside the limits of memory and arithmetic, on two
//! threads, and beside the racing loop.

use crate::figures::Figures;
use crate::limits::Memory;
use crate::racing::{Flat, Racing};
use crate::rows::{Draw, rows, shuffled};
use crate::step::{self, backend, fm16};
use crate::{Result, Size, clock};
use pairloom::backend::Backend;
use pairloom::batch::Rows;
use pairloom::optimizer::Optimizer;
use std::collections::BTreeSet;

/// The table of the issue, and one that fits the first-level cache.
const TABLE: u32 = 20;
const IN_CACHE: u32 = 8;

/// Measures all of it, in turns.
pub fn measure(size: Size) -> Result<Figures> {
    let (large, small) =
        (rows(size.rows, TABLE, Draw::Zipf), rows(size.rows, IN_CACHE, Draw::Zipf));
    let (flat, order) = (Flat::new(&large)?, shuffled(size.rows));
    // As many features as any batch has, but already in the second-level cache.
    let again: Vec<u32> = order[..step::BATCH].repeat(size.rows / step::BATCH);
    let mut figures = Figures::default();
    figures.fact("features of a batch", features(&large, &order[..step::BATCH]));
    figures.fact("loss of a constant", constant(&large));
    same_bits(&large, &order, &mut figures)?;
    for _ in 0..size.repeats {
        ours(&large, &order, TABLE, "step, 2^20", &mut figures)?;
        ours(&small, &order, IN_CACHE, "step, in cache", &mut figures)?;
        ours(&large, &again, TABLE, "step, one batch again and again", &mut figures)?;
        memory(&large, &order, &mut figures)?;
        for threads in [1, 2] {
            racing(&large, &flat, &order, threads, &mut figures)?;
            threaded(&large, &order, threads, &mut figures)?;
        }
    }
    Ok(figures)
}

fn ours(rows: &Rows, order: &[u32], bits: u32, name: &str, figures: &mut Figures) -> Result<()> {
    let mut model = backend(fm16(), Optimizer::Adagrad, rows, bits, 1)?;
    let (loss, spent) = clock::thread(|| step::pass(&mut model, rows, order))?;
    figures.add(name, order.len() as f64 / spent.cpu);
    figures.fact(&format!("loss of {name}"), loss);
    Ok(())
}

/// The number of different features of some rows.
fn features(rows: &Rows, some: &[u32]) -> usize {
    let ids = some.iter().flat_map(|&i| rows.row(i as usize).ids);
    ids.collect::<BTreeSet<_>>().len()
}

fn memory(rows: &Rows, order: &[u32], figures: &mut Figures) -> Result<()> {
    let mut memory = Memory::new(rows, order, TABLE)?;
    // The pages are there after the first pass.
    memory.pass();
    let (_, spent) = clock::thread(|| {
        memory.pass();
        Ok(())
    })?;
    figures.add("memory, 2^20", rows.len() as f64 / spent.cpu);
    Ok(())
}

fn racing(
    rows: &Rows,
    flat: &Flat,
    order: &[u32],
    threads: usize,
    figures: &mut Figures,
) -> Result<()> {
    let model = backend(fm16(), Optimizer::Adagrad, rows, TABLE, 1)?;
    let mut race = Racing::new(&model.state().factors)?;
    let (loss, spent) = clock::process(|| race.pass(flat, order, threads))?;
    let name = format!("racing, {threads} threads");
    figures.add(&name, rows.len() as f64 / spent.wall);
    figures.fact(&format!("loss of {name}"), loss);
    Ok(())
}

fn threaded(rows: &Rows, order: &[u32], threads: usize, figures: &mut Figures) -> Result<()> {
    let mut model = backend(fm16(), Optimizer::Adagrad, rows, TABLE, threads)?;
    let (_, spent) = clock::process(|| step::pass(&mut model, rows, order))?;
    figures.add(&format!("step, {threads} threads"), rows.len() as f64 / spent.wall);
    Ok(())
}

/// Rows on which bits are compared: more threads than cores take turns, which is slow.
const COMPARED: usize = 20_000;

/// Whether a pass leaves the same bits on 1, 2, 4 and 8 threads.
fn same_bits(rows: &Rows, order: &[u32], figures: &mut Figures) -> Result<()> {
    let mut bits = Vec::new();
    let order = &order[..order.len().min(COMPARED)];
    for threads in [1, 2, 4, 8] {
        let mut model = backend(fm16(), Optimizer::Adagrad, rows, TABLE, threads)?;
        let loss = step::pass(&mut model, rows, order)?;
        bits.push((loss.to_bits(), step::bits(&model)));
    }
    figures.fact("same bits", bits.windows(2).all(|two| two[0] == two[1]));
    Ok(())
}

/// The log loss of predicting the share of positive rows for all.
pub fn constant(rows: &Rows) -> f64 {
    let positives = rows.outcomes().map(|(label, _)| f64::from(label)).sum::<f64>();
    let p = positives / rows.len() as f64;
    -(p * p.ln() + (1.0 - p) * (1.0 - p).ln())
}
