//! Reading: bytes of text a second, tokenised only, and all the way to encoded rows.

use crate::figures::Figures;
use crate::{Result, Size, clock};
use pairloom::input::{self, OpenOptions, RawRow};
use pairloom::train::{Event, Job, train};
use std::hint::black_box;

/// Measures each file, whose extension tells its format, in turns.
pub fn measure(files: &[String], size: Size) -> Result<Figures> {
    let mut figures = Figures::default();
    for _ in 0..size.repeats.min(5) {
        for file in files {
            let bytes = std::fs::read(file)?;
            let format = file.rsplit('.').next().unwrap_or(file);
            let gigabytes = bytes.len() as f64 * 1e-9;
            let (_, spent) =
                clock::thread(|| Ok(black_box(memchr::memchr_iter(b'\n', &bytes).count())))?;
            figures.add("limit: newlines counted", gigabytes / spent.cpu);
            drop(bytes);
            let (_, spent) = clock::process(|| tokenise(file))?;
            figures.add(&format!("{format}, tokenised"), gigabytes / spent.cpu);
            for threads in [1, 2] {
                let (_, spent) = clock::process(|| encode(file, threads))?;
                let name = format!("{format}, encoded, {threads} threads");
                figures.add(&format!("{name}, a CPU second"), gigabytes / spent.cpu);
                figures.add(&format!("{name}, a second"), gigabytes / spent.wall);
            }
        }
    }
    Ok(figures)
}

/// All rows of a file, as text cut into cells or pairs.
fn tokenise(file: &str) -> Result<()> {
    let mut reader = input::open(file, &OpenOptions::default())?;
    let mut row = RawRow::new();
    while reader.read(&mut row)? {
        black_box(&row);
    }
    Ok(())
}

/// From the text to rows that can be trained on: a training that is stopped before its first step.
fn encode(file: &str, threads: usize) -> Result<()> {
    let mut job = Job::new(file);
    job.threads = threads;
    job.config.valid_fraction = Some(0.0);
    train(&job, &mut |event| !matches!(event, Event::Start(_)))?;
    Ok(())
}
