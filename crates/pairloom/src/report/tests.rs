//! The page is whole and safe whatever the data; how it looks, a person has to judge: see
//! `write_examples`.

use rand::RngExt;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;

/// Fails unless every tag is closed in order.
fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = &page[page.find("<body>").unwrap()..];
    for part in body.split('<').skip(1) {
        let (tag, rest) = part.split_once('>').unwrap();
        assert!(!rest.contains('>'), "stray > after <{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            if name != "html" {
                assert_eq!(open.pop(), Some(name), "in {part}");
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

fn checked(report: &Report<'_>) -> String {
    let page = html(report);
    assert_balanced(&page);
    for word in ["NaN", ">inf", "\"inf", "-inf", " inf", "http://", "https://", "<script"] {
        assert!(!page.contains(word), "{word} in the page");
    }
    page
}

fn text(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn history(epochs: u32, floor: f64) -> Vec<Epoch> {
    (1..=epochs)
        .map(|epoch| {
            let e = f64::from(epoch);
            let valid = floor + 0.12 / e.sqrt() + 0.0006 * e;
            Epoch {
                epoch,
                train_loss: floor + 0.14 / e.powf(0.7),
                valid: vec![("log_loss".into(), valid), ("auc".into(), 0.82 - valid / 8.0)],
                learning_rate: 0.1 * 0.95f64.powi(epoch as i32),
            }
        })
        .collect()
}

/// Well calibrated scores with their labels, `scale` the largest.
fn scores(rows: usize, scale: f64) -> (Vec<f64>, Vec<f32>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let p: Vec<f64> = (0..rows).map(|_| scale * rng.random::<f64>().powf(1.7)).collect();
    let y = p.iter().map(|p| f32::from(u8::from(rng.random::<f64>() < *p))).collect();
    (p, y)
}

fn binary<'a>(probability: &'a [f64], label: &'a [f32], weight: Option<&'a [f32]>) -> Report<'a> {
    let kind = Kind::Binary { probability, label, weight };
    Report {
        title: "clicks.pairloom".into(),
        summary: text(&[
            ("AUC", "0.7817"),
            ("log loss", "0.4479"),
            ("normalized entropy", "0.7862"),
            ("rows trained", "45,840,617"),
            ("best epoch", "14 of 20"),
            ("time", "3 min 12 s"),
        ]),
        command: Some("pairloom train clicks.csv --label clicked --model ffm --rank 8".into()),
        history: history(20, 0.41),
        loss_name: "log loss".into(),
        best_epoch: Some(14),
        evaluation: Some(Evaluation { title: "Validation rows".into(), kind }),
        metrics: text(&[
            ("log loss", "0.4479"),
            ("AUC", "0.7817"),
            ("normalized entropy", "0.7862"),
            ("expected calibration error", "0.0041"),
            ("Brier score", "0.1432"),
            ("accuracy", "0.7921"),
            ("precision", "0.6514"),
            ("recall", "0.3902"),
            ("threshold", "0.5"),
            ("rows", "4,584,061"),
        ]),
        settings: text(&[
            ("model", "ffm"),
            ("rank", "8"),
            ("optimizer", "adagrad"),
            ("learning_rate", "0.1"),
            ("l2", "0.00002"),
            ("batch_size", "4096"),
            ("seed", "1"),
        ]),
        schema: (1..=9)
            .map(|n| [format!("column_{n}"), "feature".into(), "hash".into(), n.to_string()])
            .collect(),
    }
}

fn regression<'a>(prediction: &'a [f64], target: &'a [f32]) -> Report<'a> {
    let mut history = history(1, 0.7);
    history[0].valid = vec![("rmse".into(), 0.93)];
    Report {
        title: "ratings".into(),
        history,
        loss_name: "mean squared error".into(),
        evaluation: Some(Evaluation {
            title: "Test rows".into(),
            kind: Kind::Regression { prediction, target, weight: None },
        }),
        metrics: text(&[("rmse", "0.93"), ("mae", "0.71"), ("r2", "0.41")]),
        ..Report::default()
    }
}

fn ratings(rows: usize) -> (Vec<f64>, Vec<f32>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let noise =
        |rng: &mut Xoshiro256PlusPlus| (0..6).map(|_| rng.random::<f64>() - 0.5).sum::<f64>();
    let p: Vec<f64> = (0..rows).map(|_| 3.4 + noise(&mut rng)).collect();
    let y = p.iter().map(|p| (0.8 * p + 0.6 + noise(&mut rng)) as f32).collect();
    (p, y)
}

#[test]
fn a_full_report_has_every_part() {
    let (p, y) = scores(3000, 0.9);
    let page = checked(&binary(&p, &y, None));
    assert_eq!(page.matches("<svg").count(), 5);
    for id in ["loss", "auc", "roc", "calibration", "scores"] {
        assert!(page.contains(&format!("aria-labelledby=\"{id}-title {id}-desc\"")));
    }
    for words in ["best: epoch 14", "log loss (nats)", "Columns", "45,840,617", "--rank 8"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn regression_has_its_own_charts_and_squares_the_rmse() {
    let (p, y) = ratings(2000);
    let page = checked(&regression(&p, &y));
    assert!(page.contains("id=\"actual-title\"") && page.contains("id=\"residuals-title\""));
    assert!(page.contains("validation, epoch 1: 0.8649"));
}

#[test]
fn poor_data_still_make_a_page() {
    checked(&Report::default());
    checked(&binary(&[], &[], None));
    checked(&binary(&[0.0, 0.0], &[0.0, 0.0], None));
    checked(&binary(&[1.0], &[1.0], Some(&[0.5])));
    checked(&binary(&[f64::NAN, 0.5], &[1.0, 0.0], None));
    checked(&binary(&[0.3, 0.5], &[1.0, 0.0], Some(&[0.0, 0.0])));
    checked(&binary(&[0.3], &[1.0, 0.0], None));
    checked(&regression(&[], &[]));
    checked(&regression(&[2.0], &[2.0]));
    checked(&regression(&[1e12, 1e12 + 1.0], &[-3e30, 1e-40]));
    checked(&regression(&[f64::INFINITY], &[2.0]));
    let only_classes = checked(&binary(&[0.2, 0.4], &[1.0, 1.0], None));
    assert!(only_classes.contains("only one class"));
}

#[test]
fn odd_histories_still_make_a_page() {
    for losses in [[f64::NAN; 3], [f64::INFINITY, 0.5, f64::NAN], [1e308, 0.0, 1.0], [0.5; 3]] {
        let epoch = |(n, &train_loss)| Epoch {
            epoch: n as u32 * 400,
            train_loss,
            valid: Vec::new(),
            learning_rate: f64::NAN,
        };
        let history = losses.iter().enumerate().map(epoch).collect();
        checked(&Report { history, best_epoch: Some(9), ..Report::default() });
    }
}

#[test]
fn text_is_escaped_everywhere() {
    let evil = "<script>alert(\"1\")</script> & 'x'".to_string();
    let pair = vec![(evil.clone(), evil.clone())];
    let mut report = binary(&[0.5], &[1.0], None);
    report.title.clone_from(&evil);
    report.command = Some(evil.clone());
    report.loss_name.clone_from(&evil);
    report.history[0].valid = vec![(evil.clone(), 0.5)];
    report.schema = vec![[evil.clone(), evil.clone(), evil.clone(), evil.clone()]];
    (report.summary, report.metrics, report.settings) = (pair.clone(), pair.clone(), pair);
    report.evaluation.as_mut().unwrap().title = evil;
    let page = checked(&report);
    assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;"));
}

#[test]
fn numbers_are_short() {
    let texts = [(0.0, "0"), (0.93127, "0.9313"), (12.345, "12.35"), (-4321.5, "\u{2212}4322")];
    for (value, expected) in texts {
        assert_eq!(svg::number(value), expected);
    }
    assert_eq!(svg::number(2.5e-7), "2.500e\u{2212}7");
    assert_eq!(svg::number(f64::NAN), "\u{2013}");
}

/// `cargo test -p pairloom --lib report -- --ignored`, then open the pages in a browser.
#[test]
#[ignore = "writes pages to look at into the temporary folder"]
fn write_examples() {
    let write = |name: &str, report: &Report<'_>| {
        std::fs::write(std::env::temp_dir().join(name), html(report)).unwrap();
    };
    let (p, y) = scores(20_000, 0.97);
    write("pairloom_binary.html", &binary(&p, &y, None));
    let (p, y) = scores(20_000, 0.13);
    let mut rare = binary(&p, &y, None);
    rare.history.iter_mut().for_each(|epoch| epoch.valid.truncate(1));
    write("pairloom_rare.html", &rare);
    let (p, y) = ratings(20_000);
    write("pairloom_regression.html", &regression(&p, &y));
    write("pairloom_poor.html", &binary(&[0.2, 0.4], &[1.0, 1.0], None));
    write("pairloom_none.html", &binary(&[], &[], None));
}
