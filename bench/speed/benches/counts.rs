//! Instructions of the parts, counted by valgrind: the same at every run, whatever else the machine
//! does. `bench/speed/run counts` installs the runner; then also
//! `cargo bench -p pairloom-speed --bench counts`.
#![allow(missing_docs, clippy::exit, reason = "what the macros of gungraun make")]

mod parts;

use gungraun::{library_benchmark, library_benchmark_group, main};
use pairloom::backend::Backend;
use pairloom::batch::Rows;
use pairloom::encode::Dictionary;
use pairloom::input::FormatName;
use pairloom::interaction::Lanes;
use pairloom::optimizer::Optimizer;
use std::hint::black_box;

/// A model that has taken one step, so that its memory is there.
fn warm<L: Lanes + 'static>(width: usize, optimizer: Optimizer) -> (Box<dyn Backend>, Rows) {
    let (mut model, rows) =
        (parts::model::<L>(width, optimizer).expect("a small model"), parts::batch());
    parts::step(&mut *model, &rows);
    (model, rows)
}

fn text(format: FormatName) -> (Vec<u8>, FormatName) {
    (parts::text(format), format)
}

fn known() -> (Dictionary, Vec<String>) {
    let words = parts::words();
    (parts::intern(&words).expect("a small dictionary"), words)
}

#[library_benchmark]
#[bench::linear(warm::<Vec<f32>>(0, Optimizer::Adagrad))]
#[bench::adagrad_8(warm::<[f32; 8]>(8, Optimizer::Adagrad))]
#[bench::adagrad_16(warm::<[f32; 16]>(16, Optimizer::Adagrad))]
#[bench::adagrad_32(warm::<[f32; 32]>(32, Optimizer::Adagrad))]
#[bench::adagrad_any_40(warm::<Vec<f32>>(40, Optimizer::Adagrad))]
#[bench::sgd_16(warm::<[f32; 16]>(16, Optimizer::Sgd))]
#[bench::adam_16(warm::<[f32; 16]>(16, Optimizer::Adam))]
fn step((mut model, rows): (Box<dyn Backend>, Rows)) -> f64 {
    parts::step(&mut *model, black_box(&rows))
}

#[library_benchmark]
#[bench::k_16(warm::<[f32; 16]>(16, Optimizer::Adagrad))]
fn scores((mut model, rows): (Box<dyn Backend>, Rows)) -> Vec<f32> {
    model.scores(black_box(&rows)).unwrap_or_default()
}

#[library_benchmark]
#[bench::libsvm(text(FormatName::Libsvm))]
#[bench::libffm(text(FormatName::Libffm))]
#[bench::csv(text(FormatName::Csv))]
fn tokenise((text, format): (Vec<u8>, FormatName)) -> usize {
    parts::tokenise(text, format).unwrap_or_default()
}

#[library_benchmark]
#[bench::words(parts::words())]
fn intern(words: Vec<String>) -> Option<Dictionary> {
    parts::intern(black_box(&words)).ok()
}

#[library_benchmark]
#[bench::words(known())]
fn look_up((dictionary, words): (Dictionary, Vec<String>)) -> usize {
    parts::look_up(black_box(&dictionary), &words)
}

library_benchmark_group!(
    name = parts_counted,
    benchmarks = [step, scores, tokenise, intern, look_up]
);
main!(library_benchmark_groups = parts_counted);
