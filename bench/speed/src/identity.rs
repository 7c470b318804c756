//! What the identity of the factorization machine saves: the pairs of a row added up one by one, beside the
//! kernel that adds up features. Both in 32 bits, over the same vectors, compiled for the same processor
//! (any of its family, without what is chosen at run time).

use crate::figures::Figures;
use crate::{Result, Size, clock};
use pairloom::interaction::{Fm, Interaction, Plan};
use std::hint::black_box;

/// Features of a row, with 16 factors.
const FEATURES: [usize; 9] = [2, 5, 10, 20, 50, 100, 200, 500, 1000];
/// Features of a row where the number of factors varies.
const OF_A_CLICK: usize = 39;
/// Products that one measurement takes at the least, so that the clock can tell.
const PRODUCTS: usize = 8_000_000;

/// Measures both in turns.
pub fn measure(size: Size) -> Result<Figures> {
    let mut figures = Figures::default();
    let (features, products) = match size.repeats {
        1 => (&FEATURES[..6], PRODUCTS / 100),
        _ => (&FEATURES[..], PRODUCTS),
    };
    for _ in 0..size.repeats {
        for &n in features {
            beside::<16>(n, products, &mut figures)?;
        }
        beside::<4>(OF_A_CLICK, products, &mut figures)?;
        beside::<8>(OF_A_CLICK, products, &mut figures)?;
        beside::<16>(OF_A_CLICK, products, &mut figures)?;
        beside::<32>(OF_A_CLICK, products, &mut figures)?;
        beside::<64>(OF_A_CLICK, products, &mut figures)?;
        beside::<128>(OF_A_CLICK, products, &mut figures)?;
    }
    Ok(figures)
}

/// Rows a second both ways, and how many times the second is as fast.
fn beside<const K: usize>(n: usize, products: usize, figures: &mut Figures) -> Result<()> {
    let (vectors, x) = row::<K>(n);
    check(&vectors, &x)?;
    let pairs = rate(products / (n * (n - 1) / 2 * K) + 1, || double_sum(&vectors, &x))?;
    let sums = rate(products / (n * K) + 1, || identity(&vectors, &x))?;
    let name = |what: &str| format!("{what}, n = {n}, k = {K}");
    figures.add(&name("double sum"), pairs);
    figures.add(&name("identity"), sums);
    figures.add(&name("times"), sums / pairs);
    Ok(())
}

fn rate(times: usize, work: impl Fn() -> f32) -> Result<f64> {
    let (_, spent) = clock::thread(|| {
        (0..times).for_each(|_| {
            black_box(work());
        });
        Ok(())
    })?;
    Ok(times as f64 / spent.cpu.max(1e-9))
}

/// `sum_{i<j} <v_i, v_j> x_i x_j` as it is written.
#[inline(never)]
fn double_sum<const K: usize>(vectors: &[[f32; K]], x: &[f32]) -> f32 {
    let (vectors, x) = black_box((vectors, x));
    let mut sum = 0.0;
    for (i, (a, x_i)) in vectors.iter().zip(x).enumerate() {
        for (b, x_j) in vectors[i + 1..].iter().zip(&x[i + 1..]) {
            sum += dot(a, b) * x_i * x_j;
        }
    }
    sum
}

/// As four sums side by side, in one vector register.
#[inline(always)]
fn dot<const K: usize>(a: &[f32; K], b: &[f32; K]) -> f32 {
    let mut sums = [0.0; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// The same by the library's kernel: `1/2 sum_f [ (sum_i v_if x_i)^2 - sum_i (v_if x_i)^2 ]`.
#[inline(never)]
fn identity<const K: usize>(vectors: &[[f32; K]], x: &[f32]) -> f32 {
    let (vectors, x) = black_box((vectors, x));
    let machine = Fm::<[f32; K]>::new(&Plan::of(K));
    let mut sums = machine.zero();
    for (vector, x) in vectors.iter().zip(x) {
        machine.absorb(vector, 0, *x, &mut sums);
    }
    machine.score(&[], &mut sums)
}

/// Refuses to measure what is not equal, within the rounding of 32 bits.
fn check<const K: usize>(vectors: &[[f32; K]], x: &[f32]) -> Result<()> {
    let absolute: Vec<[f32; K]> = vectors.iter().map(|v| v.map(f32::abs)).collect();
    let (pairs, sums) = (double_sum(vectors, x), identity(vectors, x));
    let all = identity(&absolute, x);
    if (pairs - sums).abs() > 1e-4 * all {
        return Err(format!("the double sum is {pairs} and the identity {sums}").into());
    }
    Ok(())
}

/// Vectors and values of `n` features that look random.
fn row<const K: usize>(n: usize) -> (Vec<[f32; K]>, Vec<f32>) {
    let number = |i: usize| ((i as u64 * 2_654_435_761) % 1_000_003) as f32 / 1_000_003.0;
    let vector = |i: usize| std::array::from_fn(|f| number(i * K + f + 1) - 0.5);
    ((0..n).map(vector).collect(), (0..n).map(|i| 0.5 + number(7 * i + 3)).collect())
}
