//! Losses beside squares and log loss, from files to predictions: what each predicts of data whose answer is
//! known, and which labels it refuses; and each loss by itself, beside its definition. Steps are in `step.rs`.

use crate::common::{folder, near, random, write};
use pairloom::config::Config;
use pairloom::encode::{ClassWeight, Target};
use pairloom::input;
use pairloom::loss::Loss;
use pairloom::metric::{Metrics, Regression};
use pairloom::model::Model;
use pairloom::parallel::Threads;
use pairloom::predict::EvaluateOptions;
use pairloom::reading::OnError;
use pairloom::train::{Job, train};
use rand::{Rng, RngExt};
use std::fmt::Write as _;

/// So many rows of two columns of four and three values; `label` draws what stands for both.
fn rows(count: usize, mut label: impl FnMut(usize, usize) -> f64) -> String {
    let mut text = String::from("label,a,b\n");
    for i in 0..count {
        let (a, b) = (i % 4, i / 4 % 3);
        writeln!(text, "{},a{a},b{b}", label(a, b)).unwrap();
    }
    text
}

fn job(folder: &tempfile::TempDir, name: &str, text: String, loss: Loss) -> Job {
    let mut job = Job::new(write(folder, name, text));
    job.threads = 1;
    job.config = Config { loss: Some(loss), factors: Some(4), l2_linear: 0.1, ..job.config };
    job
}

fn model(job: &Job) -> Model {
    train(job, &mut |_| true).unwrap().model.unwrap()
}

/// Metrics and predictions of the rows of a file.
fn evaluated(model: &Model, path: &str) -> pairloom::Result<(Metrics, Vec<f64>)> {
    let mut reader = input::open_as(path, model.schema.format)?;
    let threads = Threads::new(1)?;
    let found = model.evaluate(&mut *reader, path, &EvaluateOptions::default(), &threads)?;
    Ok((found.metrics, found.predictions))
}

fn regression(metrics: &Metrics) -> &Regression {
    let Metrics::Regression(metrics) = metrics else { panic!("{metrics:?}") };
    metrics
}

/// Knuth 1969, "The Art of Computer Programming", volume 2, section 3.4.1: algorithm Q.
fn poisson(mean: f64, random: &mut impl Rng) -> f64 {
    let (mut product, mut count) = (random.random::<f64>(), 0.0);
    while product > (-mean).exp() {
        product *= random.random::<f64>();
        count += 1.0;
    }
    count
}

#[test]
fn counts_come_to_their_means() {
    let folder = folder();
    let mean = |a: usize, b: usize| (0.4 * a as f64 - 0.5 * b as f64 + 0.3).exp();
    let mut random = random(1);
    let text = rows(12_000, |a, b| poisson(mean(a, b), &mut random));
    let job = job(&folder, "counts.csv", text, Loss::Poisson);
    let model = model(&job);
    assert_eq!(model.encoding.target, Target::Count);
    let (metrics, found) = evaluated(&model, &job.data).unwrap();
    for (i, &found) in found.iter().enumerate().take(12) {
        let expected = mean(i % 4, i / 4);
        // A thousand rows each: four standard errors.
        assert!(near(found, expected, 4.0 * (expected / 1000.0).sqrt(), 1.0), "{found} {expected}");
    }
    // The deviance of a thousand and more such rows, as scikit-learn defines it, is about 1 a row.
    let deviance = regression(&metrics).poisson_deviance.unwrap();
    assert!((0.9..1.2).contains(&deviance), "{deviance}");
    assert_eq!(metrics.iter().next(), Some(("poisson_deviance", Some(deviance))));
    assert_eq!(metrics.loss(), deviance);
    let valid = model.kept_epoch().unwrap().valid.as_ref().unwrap().loss();
    assert!(near(valid, deviance, 0.2, 1.0), "{valid} {deviance}");
}

#[test]
fn a_quantile_has_its_share_of_labels_below_it() {
    let folder = folder();
    for level in [0.1, 0.5, 0.9] {
        let mut random = random(2);
        // The noise grows with b.
        let text = rows(12_000, |a, b| {
            let noise = random.random::<f64>().ln();
            a as f64 - (1.0 + b as f64) * noise
        });
        let labels: Vec<f64> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().parse().unwrap())
            .collect();
        let job = job(&folder, "rows.csv", text, Loss::Quantile(level));
        let model = model(&job);
        let (metrics, found) = evaluated(&model, &job.data).unwrap();
        for part in 0..12 {
            let of_part = (part..12_000).step_by(12);
            let below = of_part.filter(|&i| labels[i] <= found[i]).count() as f64 / 1000.0;
            assert!(near(below, level, 0.06, 1.0), "{level}: {below}");
        }
        let mean = found.iter().zip(&labels).map(|(p, y)| Loss::Quantile(level).value(*p, *y));
        let mean = mean.sum::<f64>() / 12_000.0;
        let measured = regression(&metrics).quantile_loss.unwrap();
        assert!(near(measured, mean, 1e-5, mean), "{measured} {mean}");
    }
}

#[test]
fn a_few_wild_labels_do_not_move_hubers_loss() {
    let folder = folder();
    let errors = [Loss::Squared, Loss::Huber(0.05)].map(|loss| {
        let mut random = random(3);
        let mut row = 0;
        let text = rows(6000, |a, b| {
            row += 1;
            let wild = if row % 50 == 3 { 1000.0 } else { 0.0 };
            (a * b) as f64 + random.random_range(-0.5..0.5) + wild
        });
        let job = job(&folder, "rows.csv", text, loss);
        let (metrics, found) = evaluated(&model(&job), &job.data).unwrap();
        assert_eq!(regression(&metrics).huber_loss.is_some(), loss != Loss::Squared);
        let errors =
            found.iter().enumerate().take(12).map(|(i, p)| (p - (i % 4 * (i / 4)) as f64).abs());
        errors.sum::<f64>() / 12.0
    });
    assert!(errors[1] < 2.0 && errors[0] > 15.0, "{errors:?}");
}

#[test]
fn labels_that_a_loss_does_not_take_are_refused_with_their_line() {
    let folder = folder();
    let error = |text: &str, loss| {
        let job = job(&folder, "rows.csv", text.into(), loss);
        train(&job, &mut |_| true).unwrap_err().to_string()
    };
    let counts = format!("label,a\n{}", "1,x\n0,y\n2,x\n".repeat(20));
    let negative = format!("{counts}-1,y\n");
    let below = error(&negative, Loss::Poisson);
    assert!(below.contains("rows.csv:62:1: label: -1 is no count"), "{below}");
    let mut skipping = job(&folder, "below.csv", negative, Loss::Poisson);
    skipping.on_error = OnError::Skip;
    let rows = |job: &Job| {
        let start = train(job, &mut |_| true).unwrap().start.unwrap();
        start.train + start.valid
    };
    assert_eq!(rows(&skipping), 60);
    let words = format!("label,a\n{}", "yes,x\nno,y\n".repeat(20));
    for loss in [Loss::Poisson, Loss::Huber(1.0), Loss::Quantile(0.5)] {
        let said = error(&words, loss);
        assert!(said.contains(&format!("{} loss takes numbers", loss.name())), "{said}");
    }
    let job = job(&folder, "good.csv", counts.clone(), Loss::Poisson);
    let model = model(&job);
    let bad = write(&folder, "bad.csv", counts + "-2,y\n");
    let said = evaluated(&model, &bad).unwrap_err().to_string();
    assert!(said.contains("bad.csv:62:1") && said.contains("-2 is no count"), "{said}");
}

/// One class in ten, and columns that tell it at random.
fn classes() -> String {
    let mut random = random(5);
    rows(4000, |a, _| f64::from(u8::from(random.random_range(0..10) < 1 + a / 2)))
}

#[test]
fn the_weight_of_a_class_is_that_of_its_rows() {
    let folder = folder();
    let text = classes();
    let plain = job(&folder, "plain.csv", text.clone(), Loss::Logistic);
    let with = |weights: &str| {
        let mut job = plain.clone();
        job.valid = Some(plain.data.clone());
        job.config.class_weight = Some(weights.parse().unwrap());
        model(&job)
    };
    let weighted: String = text
        .lines()
        .enumerate()
        .map(|(i, line)| match (i, line.as_bytes()[0]) {
            (0, _) => format!("{line},weight\n"),
            (_, b'1') => format!("{line},5\n"),
            _ => format!("{line},1\n"),
        })
        .collect();
    let mut by_row = job(&folder, "weighted.csv", weighted, Loss::Logistic);
    by_row.valid = Some(by_row.data.clone());
    let hints = pairloom::schema::Hints { weight: Some("weight".into()), ..Default::default() };
    by_row.schema = pairloom::train::SchemaSource::Infer(hints);
    let mut by_class = plain.clone();
    by_class.valid = Some(plain.data.clone());
    by_class.config.class_weight = Some("1=5".parse().unwrap());
    let [one, two] = [model(&by_row), model(&by_class)];
    for (one, two) in one.history.iter().zip(&two.history) {
        assert!(near(one.train_loss, two.train_loss, 1e-6, 1.0), "{one:?} {two:?}");
        let [one, two] = [one, two].map(|epoch| epoch.valid.as_ref().unwrap());
        assert!(one.iter().zip(two.iter()).all(|((_, a), (_, b))| match (a, b) {
            (Some(a), Some(b)) => near(a, b, 1e-5, 1.0),
            _ => a == b,
        }));
    }
    assert_eq!(one.history.len(), two.history.len());
    // Held-out rows are weighted like those of a file.
    by_class.valid = None;
    let valid = model(&by_class).history[0].valid.clone().unwrap();
    let Metrics::Binary(valid) = valid else { panic!() };
    assert!(valid.weight > valid.rows as f64 + 100.0, "{valid:?}");
    // Half of the weight each: the mean of all predictions is about a half.
    let (_, found) = evaluated(&with("balanced"), &plain.data).unwrap();
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    assert!(near(mean, 0.5, 0.06, 1.0), "{mean}");
}

#[test]
fn weights_of_what_is_no_class_are_refused() {
    let folder = folder();
    let error = |loss, weights: &str| {
        let mut job = job(&folder, "rows.csv", classes(), loss);
        job.config.class_weight = Some(weights.parse().unwrap());
        train(&job, &mut |_| true).unwrap_err().to_string()
    };
    let none = error(Loss::Logistic, "7=2");
    assert!(none.contains("no class is '7'") && none.contains("--class-weight"), "{none}");
    let number = error(Loss::Squared, "balanced");
    assert!(number.contains("is for classes"), "{number}");
    for twice in ["1=2,1=2", "1=2,0=1,1.0=3", "1=2,+1=3"] {
        let said = error(Loss::Logistic, twice);
        assert!(said.contains("class_weight (--class-weight): class '1' is there twice"), "{said}");
    }
    // Beyond these, products with weights of rows would be no 32-bit floats.
    for least in ["1=1e-30", "1=1e30"] {
        assert!(least.parse::<ClassWeight>().is_ok(), "{least}");
    }
    for wrong in ["", "1", "1=0", "1=-2", "1=x", "1=inf", "1=2,", "1=9e-31", "1=1.1e30", "1=1e38"] {
        assert!(wrong.parse::<ClassWeight>().is_err(), "{wrong}");
    }
    assert_eq!("0=1,1=5".parse::<ClassWeight>().unwrap().to_string(), "0=1,1=5");
}

/// What finite differences in `f64` may differ by, as a share of the derivative.
const DIFFERENCES: f64 = 1e-6;

/// Scores from far below to far above, some with a fraction.
fn scores() -> impl Iterator<Item = f64> {
    (-200..=200).map(|i| f64::from(i) * 0.173)
}

#[test]
fn losses_are_what_they_are_defined_to_be() {
    for score in scores() {
        for label in [0.0, 1.0] {
            // The definition as it stands: safe to use, as |s| is below 40 here.
            let expected = (1.0 + score.exp()).ln() - label * score;
            assert!(near(Loss::Logistic.value(score, label), expected, 1e-12, 1.0 + score.abs()));
            let probability = 1.0 / (1.0 + (-score).exp());
            let likelihood = if label == 1.0 { probability } else { 1.0 - probability };
            if score.abs() < 10.0 {
                let found = Loss::Logistic.value(score, label);
                assert!(near(found, -likelihood.ln(), 1e-10, 1.0), "{score} {label}");
            }
        }
        for label in [-2.5, 0.0, 7.0] {
            let error: f64 = score - label;
            assert_eq!(Loss::Squared.value(score, label), error.powi(2) / 2.0);
            let huber =
                if error.abs() <= 1.5 { error.powi(2) / 2.0 } else { 1.5 * error.abs() - 1.125 };
            assert!(near(Loss::Huber(1.5).value(score, label), huber, 1e-12, 1.0 + huber));
            let pinball = (0.9 * -error).max(-0.1 * -error);
            assert!(near(Loss::Quantile(0.9).value(score, label), pinball, 1e-12, 1.0 + pinball));
        }
        for label in [0.0f64, 1.0, 7.0] {
            // The negative log-likelihood but for ln(y!), beside that of the best mean, which is y.
            let likelihood = |log_mean: f64| log_mean.exp() - label * log_mean;
            let best = if label > 0.0 { likelihood(label.ln()) } else { 0.0 };
            let found = Loss::Poisson.value(score, label);
            assert!(near(
                found,
                likelihood(score) - best,
                1e-12,
                1.0 + score.exp() + score.abs() * label
            ));
        }
    }
}

#[test]
fn gradients_of_losses_are_their_derivatives() {
    const STEP: f64 = 1e-4;
    for loss in Loss::pointwise() {
        for score in scores() {
            // Not at the ends of the middle of Huber's loss, where the slope has a corner.
            for label in [0.0, 0.97] {
                let difference = (loss.value(score + STEP, label)
                    - loss.value(score - STEP, label))
                    / (2.0 * STEP);
                let found = loss.gradient(score, label);
                let size = found.abs().max(1.0);
                assert!(near(found, difference, DIFFERENCES, size), "{loss:?} {score} {label}");
            }
        }
    }
}

#[test]
fn links_and_their_inverses_undo_each_other() {
    for loss in Loss::pointwise() {
        for score in scores().filter(|score| score.abs() <= 12.0) {
            assert!(
                near(loss.link(loss.inverse_link(score)), score, 1e-9, 1.0),
                "{loss:?} {score}"
            );
        }
        for mean in [1e-12, 1e-6, 0.1, 0.5, 0.9, 1.0 - 1e-6] {
            assert!(near(loss.inverse_link(loss.link(mean)), mean, 1e-9, mean), "{loss:?} {mean}");
        }
    }
}

#[test]
fn losses_do_not_overflow() {
    // The mean of counts is beyond all numbers at such a score: a training ends there.
    for loss in Loss::pointwise().filter(|loss| *loss != Loss::Poisson) {
        for size in [1e4, 1e30, f64::from(f32::MAX)] {
            for score in [size, -size] {
                for label in [0.0, 1.0] {
                    let (value, gradient) = (loss.value(score, label), loss.gradient(score, label));
                    assert!(value.is_finite() && value >= 0.0, "{loss:?} {score} {label}: {value}");
                    assert!(gradient.is_finite(), "{loss:?} {score} {label}: {gradient}");
                }
            }
        }
    }
    // The log loss of a sure and wrong score is the score itself; of a sure and right one, 0.
    assert_eq!(Loss::Logistic.value(1e4, 0.0), 1e4);
    assert_eq!(Loss::Logistic.value(1e4, 1.0), 0.0);
    assert_eq!(Loss::Logistic.value(-1e4, 1.0), 1e4);
    assert_eq!(Loss::Logistic.gradient(-1e4, 1.0), -1.0);
}

#[test]
fn names_of_losses_are_those_in_files() {
    for loss in Loss::pointwise() {
        let text = format!("\"{}\"", loss.name());
        assert_eq!(serde_json::from_str::<Loss>(&text).unwrap(), loss);
        assert_eq!(loss.to_string().parse(), Ok(loss));
        assert_eq!(serde_json::to_string(&loss).unwrap(), format!("\"{loss}\""));
    }
    assert_eq!("quantile:0.9".parse(), Ok(Loss::Quantile(0.9)));
    assert_eq!("huber:2".parse(), Ok(Loss::Huber(2.0)));
    for wrong in
        ["quantile:1", "quantile:0", "quantile:", "huber:-1", "huber:nan", "squared:2", "l1"]
    {
        assert!(wrong.parse::<Loss>().is_err(), "{wrong}");
    }
}
