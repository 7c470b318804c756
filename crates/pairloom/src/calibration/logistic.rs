//! Logistic regression on a few numbers that are made of the log-odds, by Newton's method with
//! backtracking (Lin, Lin and Weng 2007, "A Note on Platt's Probabilistic Outputs for Support Vector
//! Machines"): the loss is convex, and a step that does not lessen it is halved.

use super::fit::Observed;
use crate::loss::Loss;

/// Newton's method needs about ten steps.
const STEPS: usize = 200;
/// A step is halved down to this share: what is left of it is lost in rounding.
const SHORTEST: f64 = 1e-10;
/// The share of the decrease that the gradient promises which a step must bring (Armijo).
const DECREASE: f64 = 1e-4;
/// Added to the diagonal of the Hessian, in shares of it, so that numbers which say the same have a solution.
const RIDGE: f64 = 1e-12;

/// The parameters `t` with the least `sum w l(t x(s), y)` over the rows, where `l` is the logistic loss, `x(s)`
/// are the numbers made of a row's log-odds, of which the last is 1, and `y` is the smoothed label.
pub(super) fn fit<const N: usize>(rows: &[Observed], x: impl Fn(f64) -> [f64; N]) -> [f64; N] {
    let labels = smoothed(rows);
    let sums = |t: &[f64; N]| Sums::over(rows, &x, labels, t);
    // The mean label everywhere.
    let mut t = [0.0; N];
    let total = |f: &dyn Fn(&Observed) -> f64| rows.iter().map(f).sum::<f64>();
    let mean =
        total(&|row| row.weight * labels[usize::from(row.positive)]) / total(&|row| row.weight);
    t[N - 1] = Loss::Logistic.link(mean.min(1.0f64.next_down()));
    let mut here = sums(&t);
    for _ in 0..STEPS {
        let Some(step) = solve(here.hessian, here.gradient) else { break };
        let promised: f64 = step.iter().zip(here.gradient).map(|(step, slope)| step * slope).sum();
        let mut length = 1.0;
        let (next, there) = loop {
            let next = std::array::from_fn(|i| t[i] - length * step[i]);
            let there = sums(&next);
            if there.loss < here.loss - DECREASE * length * promised {
                break (next, there);
            }
            length /= 2.0;
            if length < SHORTEST {
                return t;
            }
        };
        (t, here) = (next, there);
    }
    t
}

/// The labels of negatives and positives.
fn smoothed(rows: &[Observed]) -> [f64; 2] {
    let [negative, positive] = super::fit::weights(rows);
    [1.0 / (negative + 2.0), ((positive + 1.0) / (positive + 2.0)).min(1.0f64.next_down())]
}

/// What one walk over the rows adds up.
struct Sums<const N: usize> {
    loss: f64,
    gradient: [f64; N],
    hessian: [[f64; N]; N],
}

impl<const N: usize> Sums<N> {
    fn over(
        rows: &[Observed],
        x: &impl Fn(f64) -> [f64; N],
        labels: [f64; 2],
        t: &[f64; N],
    ) -> Self {
        let mut sums = Sums { loss: 0.0, gradient: [0.0; N], hessian: [[0.0; N]; N] };
        for row in rows {
            let (x, label) = (x(row.log_odds), labels[usize::from(row.positive)]);
            let score = x.iter().zip(t).map(|(x, t)| x * t).sum();
            let (loss, slope) = Loss::Logistic.with_gradient(score, label);
            let p = slope + label;
            sums.loss += row.weight * loss;
            for i in 0..N {
                sums.gradient[i] += row.weight * slope * x[i];
                for j in 0..=i {
                    sums.hessian[i][j] += row.weight * p * (1.0 - p) * x[i] * x[j];
                }
            }
        }
        sums
    }
}

/// The solution of `A x = b`, of whose symmetric `A` the lower half is given, by Cholesky's decomposition;
/// `None` if `A` is not positive definite.
fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> Option<[f64; N]> {
    for i in 0..N {
        a[i][i] *= 1.0 + RIDGE;
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[i][j] - known;
            a[i][j] = if i == j { rest.sqrt() } else { rest / a[j][j] };
        }
        if !(a[i][i] > 0.0 && a[i][i].is_finite()) {
            return None;
        }
    }
    for i in 0..N {
        let known: f64 = (0..i).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|k| a[k][i] * b[k]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    b.iter().all(|x| x.is_finite()).then_some(b)
}
