//! Runs that blow up end in words, and never in a model that is not finite.

use crate::common::{folder, job, numbered, plain_config, small_clicks, trained, write};
use pairloom::config::Config;
use pairloom::fit::Stop;
use pairloom::loss::Loss;
use pairloom::optimizer::Optimizer;
use pairloom::train::Trained;

#[test]
fn a_learning_rate_beyond_reason_ends_in_divergence() {
    let folder = folder();
    let clicks = write(&folder, "clicks.csv", small_clicks(400));
    let numbers = write(&folder, "numbers.csv", numbered(400));
    for data in [&clicks, &numbers] {
        for optimizer in Optimizer::ALL {
            for rate in [1e20, 1e30, 1e38] {
                for (batch_size, valid_fraction) in [(32, 0.2), (1000, 0.2), (32, 0.0)] {
                    let config = Config {
                        optimizer,
                        learning_rate: Some(rate),
                        batch_size: Some(batch_size),
                        valid_fraction: Some(valid_fraction),
                        ..plain_config()
                    };
                    let Trained { model, stop, .. } = trained(&job(data, &config));
                    let what = format!("{data} {optimizer:?} {rate} {batch_size} {valid_fraction}");
                    assert!(
                        matches!(stop, Stop::Diverged { rate: r, .. } if r == rate),
                        "{what}: {stop:?}"
                    );
                    if let Some(model) = model {
                        assert!(model.weights.is_finite(), "{what}");
                        assert!(model.weights.bias.iter().all(|b| b.is_finite()), "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_wild_value_names_its_row() {
    let folder = folder();
    let wild = 77; // Counted from 1.
    let line = |i: usize| {
        let x = if i == wild { "1e30" } else { "1" };
        format!("{} {}:{x} {}:1\n", i % 2, i % 9, 20 + i % 7)
    };
    let data = write(&folder, "rows.svm", (1..=200).map(line).collect::<String>());
    for optimizer in Optimizer::ALL {
        let config = Config { optimizer, batch_size: Some(8), ..plain_config() };
        // Wherever the held-out rows lie, and the row is not one of them for these seeds.
        for (seed, valid_fraction, valid_tail) in [(1, 0.0, 0.0), (2, 0.1, 0.0), (3, 0.0, 0.3)] {
            let config =
                Config { seed, valid_fraction: Some(valid_fraction), valid_tail, ..config.clone() };
            let Trained { model, stop, diverged_line, .. } = trained(&job(&data, &config));
            let is_first = matches!(stop, Stop::Diverged { epoch: 1, row: Some(_), .. });
            assert!(is_first, "{optimizer:?} {seed}: {stop:?}");
            assert_eq!(diverged_line, Some(wild as u64), "{optimizer:?} {seed}");
            assert!(model.is_none());
        }
    }
}

#[test]
fn the_last_good_epoch_outlives_a_divergence() {
    let folder = folder();
    let data = write(&folder, "rows.csv", small_clicks(400));
    // A rate of this size under SGD first helps and then blows up, or blows up at once; either
    // way what is given back is whole.
    for rate in [0.5, 2.0, 8.0, 32.0, 128.0] {
        let config = Config {
            optimizer: Optimizer::Sgd,
            learning_rate: Some(rate),
            batch_size: Some(400),
            epochs: 60,
            init_stdev: Some(0.3),
            valid_fraction: Some(0.0),
            ..plain_config()
        };
        let Trained { model, stop, .. } = trained(&job(&data, &config));
        if let (Stop::Diverged { epoch, .. }, Some(model)) = (&stop, &model) {
            assert_eq!((model.epoch, model.history.len() as u32), (epoch - 1, epoch - 1));
        }
        if let Some(model) = model {
            assert!(model.weights.is_finite() && model.weights.bias.iter().all(|b| b.is_finite()));
        }
    }
}

#[test]
fn wild_values_never_give_a_model_that_is_not_finite() {
    let folder = folder();
    for x in ["1e30", "-1e30", "3e38", "1e-40", "1e-45", "0", "1e10"] {
        let line = |i: usize| {
            let x = if i % 50 == 7 { x } else { "0.5" };
            format!("{} {}:{x} {}:1\n", i % 2, i % 9, 20 + i % 7)
        };
        let data = write(&folder, "rows.svm", (0..200).map(line).collect::<String>());
        for optimizer in Optimizer::ALL {
            for loss in Loss::pointwise() {
                for factors in [0, 4] {
                    let config = Config {
                        optimizer,
                        loss: Some(loss),
                        factors: Some(factors),
                        ..plain_config()
                    };
                    let Trained { model, stop, .. } = trained(&job(&data, &config));
                    let what = format!("{x} {optimizer:?} {loss:?} {factors}: {stop:?}");
                    match (model, stop) {
                        (Some(model), _) => assert!(model.weights.is_finite(), "{what}"),
                        (None, Stop::Diverged { .. }) => {}
                        (None, _) => panic!("{what}"),
                    }
                }
            }
        }
    }
}
