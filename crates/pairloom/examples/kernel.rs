//! scratch
use pairloom::Config;
use pairloom::backend::{Backend, Cpu, StepSettings};
use pairloom::batch::Rows;
use pairloom::encode::Target;
use pairloom::interaction::Fm;
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::Optimizer;
use pairloom::parallel::Threads;
use std::time::Instant;
struct Rng(u64);
impl Rng {
    fn n(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let x = self.0;
        (x ^ (x >> 29)).wrapping_mul(0xbf58476d1ce4e5b9) ^ (x >> 32)
    }
    fn f(&mut self) -> f64 {
        (self.n() >> 11) as f64 / (1u64 << 53) as f64
    }
}
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    s.split(' ').next().unwrap().parse::<f64>().unwrap() * 1e-9
}
fn main() {
    let a: Vec<usize> = std::env::args().skip(1).map(|x| x.parse().unwrap()).collect();
    let (n, bits, threads, bs) = (a[0], a[1] as u32, a[2], a[3]);
    let mut cards: Vec<usize> = (0..13).map(|i| 8 + 4 * i).collect();
    cards.extend([
        1460, 583, 1000000, 500000, 305, 24, 12517, 633, 3, 93145, 5683, 900000, 3194, 27, 14992,
        700000, 10, 5652, 2173, 4, 800000, 18, 15, 286181, 105, 142572,
    ]);
    let cdf: Vec<Vec<f64>> = cards
        .iter()
        .map(|&c| {
            let mut s = 0.0;
            (1..=c)
                .map(|i| {
                    s += 1.0 / i as f64;
                    s
                })
                .collect()
        })
        .collect();
    let mut r = Rng(1);
    let mut rows = Rows::new();
    for _ in 0..n {
        for (f, c) in cdf.iter().enumerate() {
            let u = r.f() * c.last().unwrap();
            let k = c.partition_point(|&x| x < u) as u64;
            let h = (k + 1 + ((f as u64) << 32)).wrapping_mul(0x9E3779B97F4A7C15);
            let h = (h ^ (h >> 31)).wrapping_mul(0xbf58476d1ce4e5b9);
            rows.push((h >> (64 - bits)) as u32, 1.0);
        }
        rows.finish(if r.f() < 0.25 { 1.0 } else { 0.0 }, 1.0);
    }
    let mut order: Vec<u32> = (0..n as u32).collect();
    for i in (1..n).rev() {
        let j = (r.n() % (i as u64 + 1)) as usize;
        order.swap(i, j);
    }
    let counts = rows.counts(1 << bits).unwrap();
    let config = Config { factors: 16, init_stdev: Some(0.05), ..Config::default() };
    for _ in 0..3 {
        let w = Weights::init(&config, &counts, 0.0).unwrap();
        let s = StepSettings {
            loss: Loss::Logistic,
            target: Target::Binary { negative: Some("0".into()), positive: "1".into() },
            optimizer: Optimizer::Adagrad,
            linear: true,
            l2_linear: 3.0,
            l2_factors: 40.0,
            counts: counts.clone(),
            bias: true,
        };
        let mut b =
            Cpu::new(Fm::<[f32; 16]>::new(16), &w, s, Threads::new(threads).unwrap()).unwrap();
        let (t, c) = (Instant::now(), cpu());
        let mut l = 0.0;
        for x in order.chunks(bs) {
            l += b.step(&rows, x, 0.05).unwrap();
        }
        println!(
            "wall {:.3} M rows/s, main thread cpu {:.3} M rows/s, loss {:.5}",
            n as f64 / t.elapsed().as_secs_f64() / 1e6,
            n as f64 / (cpu() - c) / 1e6,
            l / n as f64
        );
    }
}
