//! Wall time of the parts: `cargo bench -p pairloom-speed --bench wall [NAME]`.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

mod parts;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pairloom::input::FormatName;
use pairloom::interaction::Lanes;
use pairloom::optimizer::Optimizer;
use std::hint::black_box;

fn one_step<L: Lanes + 'static>(c: &mut Criterion, width: usize, optimizer: Optimizer) {
    let rows = parts::batch();
    let mut model = parts::model::<L>(width, optimizer).expect("a small model");
    let mut group = c.benchmark_group("step");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function(format!("{}, k = {width}", optimizer.name()), |b| {
        b.iter(|| parts::step(&mut *model, black_box(&rows)));
    });
}

fn steps(c: &mut Criterion) {
    // Without factors, most of a step is bringing the entries into the order of the features.
    one_step::<Vec<f32>>(c, 0, Optimizer::Adagrad);
    one_step::<[f32; 4]>(c, 4, Optimizer::Adagrad);
    one_step::<[f32; 8]>(c, 8, Optimizer::Adagrad);
    one_step::<[f32; 16]>(c, 16, Optimizer::Adagrad);
    one_step::<[f32; 32]>(c, 32, Optimizer::Adagrad);
    one_step::<[f32; 64]>(c, 64, Optimizer::Adagrad);
    one_step::<Vec<f32>>(c, 40, Optimizer::Adagrad);
    one_step::<[f32; 16]>(c, 16, Optimizer::Sgd);
    one_step::<[f32; 16]>(c, 16, Optimizer::Adam);
    one_step::<[f32; 16]>(c, 16, Optimizer::AdamDense);
}

fn scores(c: &mut Criterion) {
    let rows = parts::batch();
    let mut model = parts::model::<[f32; 16]>(16, Optimizer::Adagrad).expect("a small model");
    let mut group = c.benchmark_group("scores");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("k = 16", |b| b.iter(|| model.scores(black_box(&rows))));
}

fn tokenisers(c: &mut Criterion) {
    let mut group = c.benchmark_group("tokenise");
    for format in [FormatName::Libsvm, FormatName::Libffm, FormatName::Csv] {
        let text = parts::text(format);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format.name(), |b| {
            let again = || text.clone();
            b.iter_batched(again, |text| parts::tokenise(text, format), BatchSize::SmallInput);
        });
    }
}

fn dictionary(c: &mut Criterion) {
    let words = parts::words();
    let known = parts::intern(&words).expect("a small dictionary");
    let mut group = c.benchmark_group("dictionary");
    group.throughput(Throughput::Elements(words.len() as u64));
    group.bench_function("intern", |b| b.iter(|| parts::intern(black_box(&words))));
    group.bench_function("look up", |b| b.iter(|| parts::look_up(&known, black_box(&words))));
}

criterion_group!(benches, steps, scores, tokenisers, dictionary);
criterion_main!(benches);
