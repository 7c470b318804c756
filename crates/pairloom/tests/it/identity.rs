//! The worked example of `docs/identity.md`: its figures are those of the kernel.

use pairloom::interaction::{Fm, Interaction, Plan};

const PAGE: &str = include_str!("../../../../docs/identity.md");

/// `v_1`, `v_2`, `v_3` and `x` of the page, padded.
const VECTORS: [[f32; 4]; 3] = [[1.0, 2.0, 0.0, 0.0], [3.0, -1.0, 0.0, 0.0], [2.0, 1.0, 0.0, 0.0]];
const X: [f32; 3] = [1.0, 2.0, 1.0];

#[test]
fn the_worked_example() {
    let machine = Fm::<[f32; 4]>::new(&Plan::of(2));
    let mut sums = machine.zero();
    for (vector, x) in VECTORS.iter().zip(X) {
        machine.absorb(vector, 0, x, &mut sums);
    }
    let [sum, squares] = sums;
    let score = machine.score(&[], &mut sums);
    let mut gradient = [0.0; 4];
    machine.backward(&VECTORS[1], 0, X[1], &sums, 1.0, &mut gradient);
    machine.own(&[], &VECTORS[1], 0, X[1] * X[1], &mut gradient);
    let lines = [
        format!("sum_i v_if x_i        {:>2}        {:>2}", sum[0], sum[1]),
        format!("sum_i (v_if x_i)^2    {:>2}        {:>2}", squares[0], squares[1]),
        format!("1/2 [(81 - 41) + (1 - 9)] = {score}"),
        format!("dy/dv_2 = ({}, {})", gradient[0], gradient[1]),
    ];
    for line in lines {
        assert!(PAGE.contains(&line), "the page lacks '{line}'");
    }
}

#[test]
fn the_double_sum_of_the_example() {
    let mut terms = Vec::new();
    for i in 0..3 {
        for j in i + 1..3 {
            let dot: f32 = VECTORS[i].iter().zip(VECTORS[j]).map(|(a, b)| a * b).sum();
            terms.push(dot * X[i] * X[j]);
        }
    }
    let [a, b, c] = terms[..] else { unreachable!("three pairs") };
    assert!(PAGE.contains(&format!("{a} + {b} + {c} = {}", a + b + c)), "{terms:?}");
}
