//! Update rules against scalar twins in `f64`, each written from its paper, over many steps; and
//! what the lazy and the published form of Adam do to features that a batch does not touch.

use crate::common::{near, random};
use pairloom::backend::{Backend, Cpu, StepSettings};
use pairloom::batch::Rows;
use pairloom::encode::Target;
use pairloom::interaction::{Fm, Interaction, Plan};
use pairloom::loss::Loss;
use pairloom::model::Weights;
use pairloom::optimizer::{Moment, Optimizer, Penalty, Update, faded};
use pairloom::parallel::Threads;
use pairloom::table::Table;
use rand::RngExt;

/// One parameter.
#[derive(Clone, Copy, Default)]
struct Twin {
    p: f64,
    /// AdaGrad's sum, Adam's first moment, or z of FTRL-Proximal.
    a: f64,
    /// Adam's second moment, n of FTRL-Proximal, or AdaGrad's mean of gradients.
    b: f64,
    /// One over the last rate of FTRL-Proximal.
    c: f64,
}

const FREE: Penalty = Penalty { l1: 0.0, l2: 0.0 };

impl Twin {
    /// AdaGrad with a momentum: Dozat 2016, algorithm 7 without the bias correction, in the direction of AdaGrad.
    fn step_with_momentum(&mut self, rate: f64, momentum: f64, g: f64) {
        self.a += g * g;
        self.b = momentum * self.b + (1.0 - momentum) * g;
        let ahead = momentum * self.b + (1.0 - momentum) * g;
        self.p -= rate * ahead / (1.0 + self.a).sqrt();
    }

    fn step(&mut self, optimizer: Optimizer, rate: f64, time: u64, penalty: Penalty, g: f64) {
        match optimizer {
            Optimizer::Sgd => self.p -= rate * g,
            // Duchi, Hazan, Singer 2011, the diagonal form, with the sum of squares starting at 1
            // as in Juan et al. 2016, algorithm 1.
            Optimizer::Adagrad => {
                self.a += g * g;
                self.p -= rate * g / (1.0 + self.a).sqrt();
            }
            // Kingma, Ba 2015, algorithm 1 with the constants of the paper.
            Optimizer::Adam | Optimizer::AdamDense => {
                self.a = 0.9 * self.a + 0.1 * g;
                self.b = 0.999 * self.b + 0.001 * g * g;
                let first = self.a / (1.0 - 0.9f64.powf(time as f64));
                let second = self.b / (1.0 - 0.999f64.powf(time as f64));
                self.p -= rate * first / (second.sqrt() + 1e-8);
            }
            // McMahan et al. 2013, equation 1 and algorithm 1, for a rate eta that may change: the
            // sigmas up to t sum up to 1/eta_t.
            Optimizer::Ftrl => {
                self.b += g * g;
                let eta = rate / (1.0 + self.b.sqrt());
                let sigma = 1.0 / eta - self.c;
                self.c = 1.0 / eta;
                self.a += g - sigma * self.p;
                let (z, l1, l2) = (self.a, f64::from(penalty.l1), f64::from(penalty.l2));
                self.p = match z.abs() <= l1 {
                    true => 0.0,
                    false => -(z - z.signum() * l1) / (1.0 / eta + l2),
                };
            }
        }
    }
}

fn moment(rate: f32, time: u64) -> Moment {
    Moment { rate, time, momentum: 0.0, penalty: FREE }
}

#[test]
fn every_rule_is_its_papers() {
    const WIDTH: usize = 8;
    // Small gradients tell where AdaGrad's sum begins.
    for (optimizer, size) in
        Optimizer::ALL.into_iter().flat_map(|o| [0.01, 1.0, 1000.0].map(|s| (o, s)))
    {
        let mut random = random(11);
        let mut parameters: Vec<f32> = (0..WIDTH).map(|_| random.random_range(-1.0..1.0)).collect();
        let mut state = vec![0.0f32; WIDTH * optimizer.states()];
        let mut twins = [Twin::default(); WIDTH];
        twins.iter_mut().zip(&parameters).for_each(|(twin, &p)| twin.p = f64::from(p));
        let mut way = [0.0; WIDTH];
        for time in 1..=3000 {
            // The rate goes down on the way; one lane rests now and then.
            let rate = if time < 1000 { 0.05f32 } else { 0.01 };
            let mut gradient: Vec<f32> =
                (0..WIDTH).map(|_| size * random.random_range(-0.9..1.1)).collect();
            gradient[time as usize % WIDTH] = 0.0;
            optimizer.step(moment(rate, time), &mut parameters, &mut state, &gradient);
            for ((twin, way), &g) in twins.iter_mut().zip(&mut way).zip(&gradient) {
                let before = twin.p;
                twin.step(optimizer, f64::from(rate), time, FREE, f64::from(g));
                *way += (twin.p - before).abs();
            }
            for ((twin, way), &p) in twins.iter().zip(way).zip(&parameters) {
                assert!(near(f64::from(p), twin.p, 1e-4, way + 1.0), "{optimizer:?} step {time}");
            }
        }
    }
}

/// Penalties that grow, as they do in training, and a rate that falls.
#[test]
fn ftrl_is_its_paper_under_penalties_and_its_zeros_are_exact() {
    const WIDTH: usize = 64;
    let mut zeros = Vec::new();
    for l1 in [0.0, 3.0, 10.0, 1e6] {
        let mut random = random(5);
        let mut parameters: Vec<f32> = (0..WIDTH).map(|_| random.random_range(-0.2..0.2)).collect();
        let mut state = vec![0.0f32; WIDTH * Optimizer::Ftrl.states()];
        let mut twins = [Twin::default(); WIDTH];
        twins.iter_mut().zip(&parameters).for_each(|(twin, &p)| twin.p = f64::from(p));
        for time in 1..=600 {
            let rate = if time < 300 { 0.1f32 } else { 0.05 };
            let penalty = Penalty { l1, l2: 2.0 }.times(time as f32 / 200.0);
            // Towards a minimum of its own for each parameter, half of which are at 0.
            let towards = |at: usize| if at < WIDTH / 2 { 0.0 } else { at as f32 / 200.0 };
            let gradient: Vec<f32> = (0..WIDTH)
                .map(|at| parameters[at] - towards(at) + random.random_range(-0.5..0.5))
                .collect();
            let now = Moment { penalty, ..moment(rate, time) };
            Optimizer::Ftrl.step(now, &mut parameters, &mut state, &gradient);
            for (at, (twin, &g)) in twins.iter_mut().zip(&gradient).enumerate() {
                twin.step(Optimizer::Ftrl, f64::from(rate), time, penalty, f64::from(g));
                assert!(near(f64::from(parameters[at]), twin.p, 1e-4, 1.0), "{l1} {time} {at}");
                // As near to the edge as rounding may reach, either side is right.
                let is_far = (twin.a.abs() - f64::from(penalty.l1)).abs() > 1e-3;
                assert!(!is_far || (parameters[at] == 0.0) == (twin.p == 0.0), "{l1} {time} {at}");
            }
        }
        zeros.push(parameters.iter().filter(|p| p.to_bits() == 0).count());
    }
    assert!(zeros.is_sorted() && zeros[0] == 0 && zeros[1] > 0 && zeros[2] < WIDTH, "{zeros:?}");
    assert_eq!(zeros[3], WIDTH);
}

/// Momenta that change from step to step, as they do where batches grow.
#[test]
fn adagrad_with_a_momentum_is_its_formula() {
    const WIDTH: usize = 11;
    let mut random = random(12);
    let (mut parameters, mut state) = ([0.25f32; WIDTH], [0.0f32; 2 * WIDTH]);
    let mut twins = [Twin { p: 0.25, ..Twin::default() }; WIDTH];
    for time in 1..=2000 {
        let momentum = random.random_range(0.01..0.99f32);
        let gradient: [f32; WIDTH] = std::array::from_fn(|_| random.random_range(-0.9..1.1));
        let now = Moment { momentum, ..moment(0.05, time) };
        Optimizer::Adagrad.step(now, &mut parameters, &mut state, &gradient);
        for ((twin, &g), &p) in twins.iter_mut().zip(&gradient).zip(&parameters) {
            twin.step_with_momentum(0.05, f64::from(momentum), f64::from(g));
            assert!(near(f64::from(p), twin.p, 1e-4, 1.0), "step {time}");
        }
    }
}

#[test]
fn what_is_rare_has_less_momentum() {
    assert_eq!(faded(0.9, 1.0), 0.9);
    // In every second step: what two steps of the others leave.
    assert!(near(f64::from(faded(0.9, 0.5)), 0.81, 1e-6, 1.0));
    assert!(near(f64::from(faded(0.9, 0.01)), 0.9f64.powi(100), 1e-6, 1.0));
    // More than once in a step is every step; never is never.
    assert_eq!((faded(0.9, 7.0), faded(0.9, 0.0)), (0.9, 0.0));
}

#[test]
fn the_first_step_is_as_long_as_the_papers_say() {
    // Adam begins with a step of the rate's length whatever the gradient's size, AdaGrad with one that is
    // shorter by its 1 for a small gradient.
    let lengths = [
        (Optimizer::Sgd, 0.1 * 500.0),
        (Optimizer::Adagrad, 0.1),
        (Optimizer::Adam, 0.1),
        (Optimizer::AdamDense, 0.1),
        (Optimizer::Ftrl, 0.1 * 500.0 / 501.0),
    ];
    for (optimizer, length) in lengths {
        let first = |gradient: f32| {
            let (mut state, mut parameter) = (vec![0.0; optimizer.states()], [0.0]);
            optimizer.step(moment(0.1, 1), &mut parameter, &mut state, &[gradient]);
            f64::from(parameter[0])
        };
        assert!(near(first(-500.0), length, 1e-4, length), "{optimizer:?}");
        if optimizer == Optimizer::Adagrad {
            assert!(near(first(-1.0), 0.1 / 2f64.sqrt(), 1e-4, 0.1));
        }
    }
}

#[test]
fn a_zero_gradient_moves_nothing_but_adams_momentum() {
    for optimizer in Optimizer::ALL {
        let mut state = vec![0.0; optimizer.states()];
        let mut parameter = [0.5];
        optimizer.step(moment(0.1, 1), &mut parameter, &mut state, &[0.0]);
        assert_eq!(parameter, [0.5], "{optimizer:?}: from rest");
        optimizer.step(moment(0.1, 2), &mut parameter, &mut state, &[2.0]);
        let moving = parameter;
        optimizer.step(moment(0.1, 3), &mut parameter, &mut state, &[0.0]);
        let goes_on = optimizer == Optimizer::Adam || optimizer == Optimizer::AdamDense;
        assert_eq!(parameter[0] < moving[0], goes_on, "{optimizer:?}");
    }
}

/// A linear model of three features under squared loss, so that gradients are known by hand.
fn linear(optimizer: Optimizer) -> Cpu<Fm<Vec<f32>>> {
    let settings = StepSettings {
        loss: Loss::Squared,
        target: Target::Real { mean: 0.0, scale: 1.0 },
        optimizer,
        momentum: 0.0,
        linear: true,
        penalty_linear: FREE,
        penalty_factors: FREE,
        bias: false,
        learn_l2: false,
        counts: vec![1; 3],
    };
    let [linear, factors] = [1, 0].map(|width| Table::new(3, width, 0).unwrap());
    let weights = Weights::plain(0.0, linear, factors);
    Cpu::new(Fm::new(&Plan::of(0)), &weights, settings, Threads::new(1).unwrap()).unwrap()
}

/// Row 0 has feature 0, row 1 has feature 1; feature 2 is in none.
fn two_rows() -> Rows {
    let mut rows = Rows::new();
    for id in 0..2 {
        rows.push(id, 1.0);
        rows.finish(500.0, 1.0);
    }
    rows
}

#[test]
fn only_the_published_adam_moves_features_that_a_batch_does_not_touch() {
    let rows = two_rows();
    for optimizer in Optimizer::ALL {
        let mut backend = linear(optimizer);
        backend.step(&rows, &[0], 0.1).unwrap();
        let after_first = backend.state().linear.floats().to_vec();
        backend.step(&rows, &[1], 0.1).unwrap();
        let stride = backend.state().linear.stride();
        let (now, before) = (backend.state().linear.floats(), &after_first);
        let same = now[..stride] == before[..stride];
        assert_eq!(same, !optimizer.is_dense(), "{optimizer:?}: feature 0 waits");
        // No gradient has ever reached feature 2: no form of Adam has a reason to move it.
        assert!(now[2 * stride..].iter().all(|&x| x == 0.0), "{optimizer:?}");
    }
}

#[test]
fn dense_adam_is_the_paper_for_every_feature_and_lazy_adam_for_those_that_come() {
    let rows = two_rows();
    let batches: [u32; 6] = [0, 1, 1, 0, 1, 0];
    for optimizer in [Optimizer::Adam, Optimizer::AdamDense] {
        let mut backend = linear(optimizer);
        let mut twins = [Twin::default(); 3];
        for (time, row) in (1..).zip(batches) {
            backend.step(&rows, &[row], 0.1).unwrap();
            for (id, twin) in twins.iter_mut().enumerate() {
                // Slope of (s - 500)^2 / 2 at s = w of the row's only feature.
                let touched = id == row as usize;
                let g = if touched { twin.p - 500.0 } else { 0.0 };
                if touched || optimizer.is_dense() {
                    twin.step(optimizer, f64::from(0.1f32), time, FREE, g);
                }
            }
        }
        for (id, twin) in (0..).zip(&twins) {
            let found = f64::from(backend.state().linear.vector(id)[0]);
            assert!(near(found, twin.p, 1e-4, 1.0), "{optimizer:?} {id}: {found} {}", twin.p);
        }
    }
}

#[test]
fn names_of_optimizers_are_those_in_files() {
    for optimizer in Optimizer::ALL {
        let text = format!("\"{}\"", optimizer.name());
        assert_eq!(serde_json::from_str::<Optimizer>(&text).unwrap(), optimizer);
    }
}
