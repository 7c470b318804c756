//! What of the speed of pairloom can be measured inside one program: the training step beside the
//! limits of the machine and beside the fastest racing loop, threads, reading, prediction, the best
//! items of a catalogue, the identity of the factorization machine; and steps on a GPU.
//!
//!     pairloom-speed SECTION [--quick] [FILE...]
//!
//! Prints one line of JSON, `{name: figure}`, which `run` puts into its table. Variants take turns
//! within each repeat, so that a busy moment of the machine meets all of them.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod allocations;
mod clock;
mod figures;
mod gpu;
mod identity;
mod limits;
mod predict;
mod racing;
mod reading;
mod recommend;
mod rows;
mod step;
mod training;

use figures::Figures;
use std::error::Error;
use std::process::ExitCode;

/// Whatever goes wrong ends the program, and is told.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How much is measured: all of it, or what takes seconds, to see that the program works.
#[derive(Debug, Clone, Copy)]
struct Size {
    rows: usize,
    repeats: usize,
    /// Features of the table that is larger than the caches, as a power of 2.
    large: u32,
    /// Whether the CPU takes the place of the GPU, to see that this program works.
    on_cpu: bool,
}

impl Size {
    fn new(quick: bool) -> Self {
        match quick {
            true => Size { rows: 20_000, repeats: 1, large: 18, on_cpu: false },
            false => Size { rows: 400_000, repeats: 9, large: 26, on_cpu: false },
        }
    }
}

fn main() -> ExitCode {
    let (flags, words): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let is_said = |name: &str| flags.iter().any(|flag| flag == name);
    let size = Size { on_cpu: is_said("--cpu"), ..Size::new(is_said("--quick")) };
    let measured = match words.split_first() {
        Some((section, files)) => measure(section, files, size),
        None => {
            let sections = "identity|kernel|predict|reading|recommend|gpu|gpu-steps";
            Err(format!("usage: pairloom-speed {sections} [--quick] [FILE...]").into())
        }
    };
    match measured {
        Ok(figures) => println!("{}", figures.json()),
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(section: &str, files: &[String], size: Size) -> Result<Figures> {
    match section {
        "gpu" => gpu::measure(files, size),
        "gpu-steps" => gpu::steps(files, size),
        "identity" => identity::measure(size),
        "kernel" => training::measure(size),
        "predict" => predict::measure(size),
        "reading" => reading::measure(files, size),
        "recommend" => recommend::measure(size),
        other => Err(format!("there is no section '{other}'").into()),
    }
}
